"""A deployment names somebody whom nobody has found in Slack yet: the configuration or an e-mail address may."""

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from app.flow.events import SWITCHGATE, Event, Kind
from app.flow.rules_port import Rules
from app.flow.views import Switch
from app.gate.deployer import e_mail_among
from app.gate.ids import UserId


class AddressBook(Protocol):
    async def by_email(self, address: str) -> UserId | None:
        """None: nobody, or Slack cannot be asked (now, or without the scope)."""
        ...


class DeployerRecord(Protocol):
    async def deployer_known(
        self, unknown: "Unknown", deployer: UserId, event: Event, *, now: datetime
    ) -> bool:
        """Stores who deployed and has the waiting cards redrawn; False: somebody else was first."""
        ...


@dataclass(frozen=True, kw_only=True, slots=True)
class Unknown:
    """A live switch whose deployer is `named`, but not known as somebody in Slack."""

    switch: Switch
    named: str


async def know_deployer(
    unknown: Unknown, *, record: DeployerRecord, rules: Rules, book: AddressBook, now: datetime
) -> bool:
    """Finds the person and stores them; False while nobody knows. Votes are judged by it from then on."""
    switch, named = unknown.switch, unknown.named
    found = rules.slack_person(named)
    address = e_mail_among([named])
    if found is None and address is not None:
        found = await book.by_email(address)
    if found is None:
        return False
    event = Event(
        at=now,
        kind=Kind.DEPLOYER_KNOWN,
        switch=switch.key,
        actor=SWITCHGATE,
        domain=switch.domain,
        detail={"deployer": found},
    )
    return await record.deployer_known(unknown, found, event, now=now)
