"""Resolves what a deployment says of its deployer to Slack users; repeated while the deployer is unknown."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from app.flow.audit_events import SWITCHGATE, Event, Kind
from app.flow.ports.rules import Rules
from app.flow.read_models import Switch
from app.gate.deployer import Deployer, deployer_claims, e_mails_among, resolve_deployer
from app.gate.ids import UserId


class EmailLookup(Protocol):
    async def by_email(self, address: str) -> UserId | None:
        """None: nobody, or Slack cannot be asked (now, or without the scope)."""
        ...


@dataclass(frozen=True, kw_only=True, slots=True)
class UnknownDeployer:
    """A live switch that waits and whose deployer is not known. `tag`: green's `github-actor`, once it was read."""

    switch: Switch
    tag: str | None


class DeployerRepository(Protocol):
    async def unknown(self, *, after: int, limit: int) -> Sequence[UnknownDeployer]:
        """The newest ones, and the next few of the others: those with ids above `after`."""
        ...

    async def store(
        self, unknown: UnknownDeployer, found: Deployer, *, shown: str | None, event: Event, now: datetime
    ) -> bool:
        """Stores the people and has the waiting cards redrawn; False: somebody else was first."""
        ...


async def resolve_unknown_deployer(
    unknown: UnknownDeployer,
    *,
    repository: DeployerRepository,
    rules: Rules,
    email_lookup: EmailLookup,
    now: datetime,
) -> bool:
    """Stores what is new; False where nothing is. Votes are judged by it from then on.

    A person who was named once stays named: what a tag or a description says later takes nothing back.
    """
    switch = unknown.switch
    claims = deployer_claims(
        description=switch.description or "", creator=switch.creator or "", tag=unknown.tag
    )
    found = resolve_deployer(
        claims, accounts=await _accounts(claims.names, rules=rules, email_lookup=email_lookup)
    )
    before = frozenset(switch.named_deployers)
    if before - found.named:
        found = Deployer(known=None, named=found.named | before)
    shown = claims.shown
    if found.known is None and found.named == before and shown == switch.deployed_by:
        return False
    event = Event(
        at=now,
        kind=Kind.DEPLOYER_RESOLVED,
        switch=switch.key,
        actor=SWITCHGATE,
        domain=switch.domain,
        detail={
            "deployer": found.known or " ".join(sorted(found.named)) or None,
            "certain": found.known is not None,
        },
    )
    return await repository.store(unknown, found, shown=shown, event=event, now=now)


async def _accounts(names: Sequence[str], *, rules: Rules, email_lookup: EmailLookup) -> dict[str, UserId]:
    found = {name: person for name in names if (person := rules.slack_person(name)) is not None}
    for address in e_mails_among(name for name in names if name not in found):
        person = await email_lookup.by_email(address)
        if person is not None:
            found[address] = person
    return found
