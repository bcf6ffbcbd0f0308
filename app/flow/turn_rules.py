"""The rules turn with the clock: freezes begin and end, nights begin, a group's members grow old; and with the
switches of other domains, where turns are taken.

What they said last of each waiting gate is in the record, so that no turn is missed or told twice, whoever
restarts meanwhile.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Protocol

from app.flow.beside import told_by_their_rules
from app.flow.declare_freeze import HOUSE, StandingFreeze
from app.flow.events import SWITCHGATE, Event, Kind
from app.flow.rules_port import OwnedDomain, Rules
from app.gate.ids import DomainName
from app.gate.rulebook import in_force
from app.gate.shift import Shift
from app.gate.turns import Neighbour, state_of


@dataclass(frozen=True, kw_only=True, slots=True)
class Waiting:
    """Waiting gates of one domain and kind of shift of which the rules said the same last (None: nothing yet)."""

    domain: DomainName
    shift: Shift | None
    mark: str | None
    frozen: bool


class TurningRecord(Protocol):
    async def end_freezes(self, *, now: datetime) -> Sequence[StandingFreeze]:
        """Closes those whose end has come; gives what is left standing."""
        ...

    async def waiting(self) -> Sequence[Waiting]: ...

    async def neighbours(self, domains: Sequence[DomainName]) -> Sequence[Neighbour]: ...

    async def turn(self, waiting: Waiting, *, mark: str, frozen: bool, news: bool, now: datetime) -> None:
        """Stores what the rules say now and, where a freeze is over, announces that.

        The cards are redrawn; of a gate of which nothing was stored yet, only where that is `news` to its card.
        """
        ...


async def turn_rules(*, record: TurningRecord, rules: Rules, now: datetime) -> int:
    """Brings every waiting gate up to date with the rules of the moment; gives how many kinds of them turned."""
    standing = await record.end_freezes(now=now)
    waiting = await record.waiting()
    owned = {each.domain: rules.domain(each.domain) for each in waiting}
    domains = {name: domain for name, domain in owned.items() if domain is not None}
    neighbours = await _neighbours(domains.values(), record=record, rules=rules)
    turned = 0
    for each in waiting:
        domain = domains.get(each.domain)
        if domain is None:
            continue
        mark, frozen = _said(domain, each.shift, standing, neighbours, rules=rules, now=now)
        if mark != each.mark:
            # A card may have been drawn before its neighbours became what they are.
            news = frozen or bool(domain.policy.turns.others)
            await record.turn(each, mark=mark, frozen=frozen, news=news, now=now)
            turned += 1
    return turned


async def _neighbours(
    domains: Iterable[OwnedDomain], *, record: TurningRecord, rules: Rules
) -> Sequence[Neighbour]:
    wanted = {name for domain in domains for name in domain.policy.turns.others}
    return told_by_their_rules(await record.neighbours(sorted(wanted)), rules) if wanted else ()


def _said(
    domain: OwnedDomain,
    shift: Shift | None,
    standing: Sequence[StandingFreeze],
    neighbours: Sequence[Neighbour],
    *,
    rules: Rules,
    now: datetime,
) -> tuple[str, bool]:
    """What the rules of the moment say, short; and whether the domain is frozen."""
    force = in_force(domain.policy, now=now, shift=shift)
    record = [each.freeze for each in standing if each.domains is None or domain.name in each.domains]
    spans = [span for freeze in (*record, *rules.freezes(domain.name)) if (span := freeze.around(now))]
    unheard = [
        f"{group} {since.isoformat() if since else ''}" for group, since in rules.unheard(force.policy.voters)
    ]
    said = [
        repr(force.policy),
        *force.variants,
        *sorted(f"{span.start} {span.end}" for span in spans),
        *unheard,
        *state_of(domain.policy.turns, neighbours, now=now),
    ]
    return sha256("\n".join(said).encode()).hexdigest()[:16], bool(spans)


def freeze_over(freeze: StandingFreeze, now: datetime) -> Event:
    """A freeze has come to its end."""
    return Event(
        at=now,
        kind=Kind.FREEZE_OVER,
        switch=HOUSE,
        actor=SWITCHGATE,
        detail={"freeze": freeze.freeze.id or 0, "domains": " ".join(freeze.domains or ("all",))},
    )
