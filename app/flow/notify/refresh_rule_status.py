"""Stores the rule status of waiting gates when it changes without a vote.

It changes with the clock (a freeze or a night begins or ends, the members of a group become stale) and with the
switches of other domains. The card is then published again, the end of a configured freeze is announced once, and the
approvers of the gate that is first in the queue are mentioned. The end of a declared freeze is announced with the act
that ended it (`app.flow.freezes.freeze_acts`).
"""

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Final, Protocol

from app.flow.approval.approval_context import with_configured_exclusive_until
from app.flow.audit_events import SWITCHGATE, Event, Kind
from app.flow.freezes.stored_freezes import ActiveFreeze, freeze_event
from app.flow.notify.announcement_kinds import AnnouncementKind
from app.flow.ports.database import Quarantine
from app.flow.ports.rules import OwnedDomain, Rules
from app.gate.ids import DomainName
from app.gate.rules.evaluation import effective_policy
from app.gate.rules.exclusivity import (
    QueuePosition,
    RelatedSwitch,
    awaits_exclusivity,
    related_switches_fingerprint,
)
from app.gate.rules.policy import Shift
from app.gate.rules.policy_fingerprint import policy_fingerprint

GATES_PER_TURN: Final = 25
"""Computed before the event loop serves others: with a thousand waiting gates a press would wait for all of them."""


@dataclass(frozen=True, kw_only=True, slots=True)
class WaitingGates:
    """Waiting gates of one domain and kind of shift of which the rules said the same last (None: nothing yet).

    The first of them was opened at `since`.
    """

    domain: DomainName
    shift: Shift | None
    fingerprint: str | None
    frozen: bool
    awaits_exclusivity: bool
    since: datetime


@dataclass(frozen=True, kw_only=True, slots=True)
class RuleSnapshot:
    """The rule status of these gates now, in short form; and whether they are frozen, or wait for other domains."""

    fingerprint: str
    frozen: bool
    awaits_exclusivity: bool


class RuleStatusRepository(Protocol):
    async def end_freezes(self, *, rules: Rules, now: datetime) -> Sequence[ActiveFreeze]:
        """Closes ended freezes, and requests the messages about that; returns the others."""
        ...

    async def waiting(self) -> Sequence[WaitingGates]: ...

    async def related_switches(self, domains: Sequence[DomainName]) -> Sequence[RelatedSwitch]: ...

    async def store_snapshot(
        self, waiting: WaitingGates, snapshot: RuleSnapshot, *, redraw: bool, now: datetime
    ) -> None:
        """Stores the rule status of now, and the announcement that follows from the change.

        The cards are redrawn; of a gate of which nothing was stored yet, only where that is `redraw` to its card.
        """
        ...


async def refresh_rule_status(
    *, repository: RuleStatusRepository, rules: Rules, quarantine: Quarantine, now: datetime
) -> int:
    """Updates the rule status of all waiting gates; returns how many groups of gates changed."""
    active = await repository.end_freezes(rules=rules, now=now)
    waiting = await repository.waiting()
    owned = {each.domain: rules.domain(each.domain) for each in waiting}
    domains = {name: domain for name, domain in owned.items() if domain is not None}
    related_switches = await _related_switches(domains.values(), repository=repository, rules=rules)
    changed = 0
    passed_over = quarantine.keys()
    for number, each in enumerate(waiting):
        if number % GATES_PER_TURN == 0:
            await asyncio.sleep(0)
        domain = domains.get(each.domain)
        if domain is None or each in passed_over:
            continue
        with quarantine.guard(each):
            snapshot = _snapshot(domain, each, active, related_switches, rules=rules, now=now)
            if snapshot.fingerprint != each.fingerprint:
                # A card may have been drawn before its related switches changed.
                redraw = snapshot.frozen or bool(domain.policy.exclusivity.related_domains)
                await repository.store_snapshot(each, snapshot, redraw=redraw, now=now)
                changed += 1
    return changed


def announcement_for(before: WaitingGates, snapshot: RuleSnapshot) -> AnnouncementKind | None:
    """The announcement to the approvers that no freeze and no other domain blocks any more; None: there is none."""
    if snapshot.frozen or snapshot.awaits_exclusivity:
        return None
    if before.frozen:
        return AnnouncementKind.FREEZE_ENDED
    return AnnouncementKind.EXCLUSIVITY_FREE if before.awaits_exclusivity else None


async def _related_switches(
    domains: Iterable[OwnedDomain], *, repository: RuleStatusRepository, rules: Rules
) -> Sequence[RelatedSwitch]:
    wanted = {name for domain in domains for name in domain.policy.exclusivity.related_domains}
    return (
        with_configured_exclusive_until(await repository.related_switches(sorted(wanted)), rules)
        if wanted
        else ()
    )


def _snapshot(
    domain: OwnedDomain,
    each: WaitingGates,
    active: Sequence[ActiveFreeze],
    related_switches: Sequence[RelatedSwitch],
    *,
    rules: Rules,
    now: datetime,
) -> RuleSnapshot:
    force = effective_policy(domain.policy, now=now, shift=each.shift)
    exclusivity, line = (
        domain.policy.exclusivity,
        QueuePosition(opened_at=each.since, related=tuple(related_switches)),
    )
    stored = [one.freeze for one in active if one.domains is None or domain.name in one.domains]
    spans = [span for freeze in (*stored, *rules.freezes(domain.name)) if (span := freeze.around(now))]
    stale_groups = [
        f"{group} {since.isoformat() if since else ''}"
        for group, since in rules.stale_groups(force.policy.voters)
    ]
    snapshot = [
        policy_fingerprint(force.policy),
        *force.variants,
        *sorted(f"{span.start} {span.end}" for span in spans),
        *stale_groups,
        *related_switches_fingerprint(exclusivity, related_switches, now=now),
    ]
    return RuleSnapshot(
        fingerprint=sha256("\n".join(snapshot).encode()).hexdigest()[:16],
        frozen=bool(spans),
        awaits_exclusivity=awaits_exclusivity(exclusivity, line, waited=each.awaits_exclusivity, now=now),
    )


def freeze_over(freeze: ActiveFreeze, now: datetime) -> Event:
    """The audit event of a freeze that has ended."""
    return freeze_event(
        freeze.domains, Kind.FREEZE_ENDED, by=SWITCHGATE, now=now, freeze=freeze.freeze.id or 0
    )
