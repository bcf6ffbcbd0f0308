"""Exclusivity: which domains must not switch at the same time, and which domain must switch first.

Only an approved switch excludes others. A gate that still waits blocks nobody, so two gates never block each other.
Exclusivity ends when the switch has succeeded or ended, or when nothing has been observed of it for too long.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from app.gate.deadline import given_up_after
from app.gate.ids import DeploymentId, DomainName
from app.gate.rules.violations import ExcludedBySwitch, PredecessorPending

RECENT_END_WINDOW: Final = timedelta(hours=1)
"""How long before a gate was opened a failed predecessor is still shown."""

AFTER_ALLOW_TRAFFIC: Final = "AfterAllowTraffic"
"""CodeDeploy's hook that begins once all traffic has moved. It may arrive before the deployment is polled."""


class ExclusiveUntil(StrEnum):
    """Until when an approved switch excludes others."""

    SWITCHED = "switched"
    FINISHED = "finished"


@dataclass(frozen=True, kw_only=True, slots=True)
class Exclusivity:
    """A domain's rules about other domains. `excludes`: never switched at the same time. `after`: switched before it.
    `exclusive_until`: how long its own switch excludes others."""

    excludes: tuple[DomainName, ...] = ()
    exclusive_until: ExclusiveUntil = ExclusiveUntil.SWITCHED
    after: tuple[DomainName, ...] = ()

    @property
    def related_domains(self) -> frozenset[DomainName]:
        """Every domain whose switches matter."""
        return frozenset(self.excludes) | frozenset(self.after)


class FailedEnd(StrEnum):
    """How an unsuccessful switch ended."""

    REJECTED = "rejected"
    EXPIRED = "expired"
    WITHDRAWN = "withdrawn"
    FAILED = "failed"


@dataclass(frozen=True, kw_only=True, slots=True)
class RelatedSwitch:
    """Another domain's switch, as far as exclusivity depends on it. Rollbacks and undos are never related switches.

    `approved_at` is the latest approval; `pause` is the time between two steps of
    its traffic. `exclusive_until` is its own domain's.
    """

    domain: DomainName
    deployment: DeploymentId
    waiting_since: datetime | None = None
    approved_at: datetime | None = None
    refused: FailedEnd | None = None
    moved: bool = False
    switched_at: datetime | None = None
    ended_at: datetime | None = None
    last_observed_at: datetime | None = None
    pause: timedelta = timedelta(0)
    exclusive_until: ExclusiveUntil = ExclusiveUntil.SWITCHED

    def is_going(self, *, now: datetime) -> bool:
        """Approved, and neither over, rejected at a later gate, nor unobserved for too long."""
        if self.approved_at is None or self.ended_at is not None or self._is_lost(now):
            return False
        # Waiting again, or rejected, before any traffic moved: nothing is under way.
        return self.moved or (self.waiting_since is None and self.refused is None)

    def holds_exclusivity(self, *, now: datetime) -> bool:
        return self.is_going(now=now) and (
            self.switched_at is None or self.exclusive_until is ExclusiveUntil.FINISHED
        )

    def is_pending(self, *, now: datetime) -> bool:
        """It may still succeed."""
        if self.ended_at is not None or self.switched_at is not None:
            return False
        return self.waiting_since is not None or self.is_going(now=now)

    @property
    def is_queued(self) -> bool:
        """It waits for a decision, and none of its traffic has moved."""
        return self.waiting_since is not None and not self.moved and self.ended_at is None

    @property
    def failed_end(self) -> FailedEnd | None:
        """How it ended; None while it has not ended, or if it succeeded."""
        if self.switched_at is not None:
            return None
        return self.refused or (FailedEnd.FAILED if self.ended_at is not None else None)

    def _is_lost(self, now: datetime) -> bool:
        """Nothing was observed of it for longer than any CodeDeploy hook takes. It then blocks nobody."""
        return self.last_observed_at is not None and now >= given_up_after(self.last_observed_at + self.pause)


@dataclass(frozen=True, kw_only=True, slots=True)
class QueuePosition:
    """The position of a gate among the switches of other domains. `traffic_moving`: its own traffic already moves."""

    opened_at: datetime
    traffic_moving: bool = False
    related: tuple[RelatedSwitch, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class PredecessorFailed:
    """A domain that was to go first failed; nobody waits for it."""

    domain: DomainName
    deployment: DeploymentId
    failed_end: FailedEnd


def exclusivity_blockers(
    exclusivity: Exclusivity, queue: QueuePosition | None, *, now: datetime
) -> tuple[ExcludedBySwitch | PredecessorPending, ...]:
    """What blocks the gate. A switch whose traffic already moves is not blocked."""
    if queue is None or queue.traffic_moving:
        return ()
    ahead = queued_ahead(exclusivity, queue)
    excluding = [
        ExcludedBySwitch(
            domain=one.domain,
            deployment=one.deployment,
            since=one.approved_at,
            switched=one.switched_at is not None,
            ahead=ahead,
        )
        for one in _of(exclusivity.excludes, queue)
        if one.holds_exclusivity(now=now) and one.approved_at is not None
    ]
    predecessors = [
        PredecessorPending(domain=one.domain, deployment=one.deployment, waits=not one.is_going(now=now))
        for one in _of(exclusivity.after, queue)
        if one.is_pending(now=now)
    ]
    return (*excluding, *predecessors)


def awaits_exclusivity(
    exclusivity: Exclusivity, queue: QueuePosition, *, waited: bool, now: datetime
) -> bool:
    """Whether the approvers need not act yet. `waited`: whether that was so before.

    After waiting, a gate is called only when nothing blocks it and no other gate has waited longer, so that one of
    many is called.
    """
    return bool(exclusivity_blockers(exclusivity, queue, now=now)) or (
        waited and bool(queued_ahead(exclusivity, queue))
    )


def queued_ahead(exclusivity: Exclusivity, queue: QueuePosition | None) -> tuple[DomainName, ...]:
    """The excluded domains that have waited longer; the longest first."""
    if queue is None or queue.traffic_moving:
        return ()
    waiting = [
        (one.waiting_since, one.domain)
        for one in _of(exclusivity.excludes, queue)
        if one.is_queued and one.waiting_since is not None and one.waiting_since < queue.opened_at
    ]
    return tuple(dict.fromkeys(domain for _, domain in sorted(waiting)))


def failed_predecessors(
    exclusivity: Exclusivity, queue: QueuePosition | None
) -> tuple[PredecessorFailed, ...]:
    """The domains that were to go first and recently failed."""
    if queue is None or queue.traffic_moving:
        return ()
    return tuple(
        PredecessorFailed(domain=one.domain, deployment=one.deployment, failed_end=one.failed_end)
        for one in _of(exclusivity.after, queue)
        if one.failed_end is not None
        and (one.ended_at or one.last_observed_at or queue.opened_at) >= queue.opened_at - RECENT_END_WINDOW
    )


def related_switches_fingerprint(
    exclusivity: Exclusivity, related: Iterable[RelatedSwitch], *, now: datetime
) -> tuple[str, ...]:
    """A short form of what the cards of a domain show of related switches: if it changes, the cards change."""
    mine = [one for one in related if one.domain in exclusivity.related_domains]
    return tuple(sorted(f"{one.domain} {one.deployment} {_shown_state(one, now)}" for one in mine))


def _shown_state(one: RelatedSwitch, now: datetime) -> str:
    shown = (
        one.is_queued,
        one.holds_exclusivity(now=now),
        one.is_pending(now=now),
        one.switched_at is not None,
    )
    return f"{shown} {one.failed_end}"


def _of(domains: tuple[DomainName, ...], queue: QueuePosition) -> list[RelatedSwitch]:
    return [one for one in queue.related if one.domain in domains]
