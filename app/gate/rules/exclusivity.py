"""One thing at a time: whose turn it is among domains that exclude each other, and who goes after whom.

A turn is taken by an approval and by nothing else: whoever waits for an answer holds nobody up, so that no two can
ever wait for each other. It is given back when the switch has come through, has ended, or nothing is heard of it.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from app.gate.deadline import given_up_after
from app.gate.ids import DeploymentId, DomainName
from app.gate.rules.violations import GoesFirst, TurnTaken

LATELY: Final = timedelta(hours=1)
"""How long before a gate was opened an ending is still news to whoever looks at it."""

AFTER_TRAFFIC: Final = "AfterAllowTraffic"
"""CodeDeploy's hook that begins once all traffic has moved: it tells so before anybody has looked."""


class KeepsTurn(StrEnum):
    """Until when an approved switch keeps its turn."""

    SWITCHED = "switched"
    FINISHED = "finished"


@dataclass(frozen=True, kw_only=True, slots=True)
class Turns:
    """A domain's rules about the others. `rivals` are never switched beside it, nor it beside them; it goes after
    `after`; its own switch keeps its turn as `keeps` says."""

    rivals: tuple[DomainName, ...] = ()
    keeps: KeepsTurn = KeepsTurn.SWITCHED
    after: tuple[DomainName, ...] = ()

    @property
    def others(self) -> frozenset[DomainName]:
        """Every domain whose switches matter."""
        return frozenset(self.rivals) | frozenset(self.after)


class Ending(StrEnum):
    """How a switch ended that did not come through."""

    REJECTED = "rejected"
    EXPIRED = "expired"
    FAILED = "failed"


@dataclass(frozen=True, kw_only=True, slots=True)
class Neighbour:
    """Another domain's switch, as far as turns depend on it. Rollbacks and undos take none, and are none.

    `approved_at` is the latest approval, `news_at` when something of it was last to be heard; `pause` is how long
    its traffic rests between two steps. `keeps`: by its own domain's rules.
    """

    domain: DomainName
    deployment: DeploymentId
    waiting_since: datetime | None = None
    approved_at: datetime | None = None
    refused: Ending | None = None
    moved: bool = False
    switched_at: datetime | None = None
    ended_at: datetime | None = None
    news_at: datetime | None = None
    pause: timedelta = timedelta(0)
    keeps: KeepsTurn = KeepsTurn.SWITCHED

    def is_going(self, *, now: datetime) -> bool:
        """Approved, and not over, refused at a later gate, or lost from sight."""
        if self.approved_at is None or self.ended_at is not None or self._is_lost(now):
            return False
        # Asked again, or refused, before any traffic moved: nothing is under way (any more).
        return self.moved or (self.waiting_since is None and self.refused is None)

    def has_turn(self, *, now: datetime) -> bool:
        return self.is_going(now=now) and (self.switched_at is None or self.keeps is KeepsTurn.FINISHED)

    def is_pending(self, *, now: datetime) -> bool:
        """It may yet come through."""
        if self.ended_at is not None or self.switched_at is not None:
            return False
        return self.waiting_since is not None or self.is_going(now=now)

    @property
    def is_in_line(self) -> bool:
        """It waits for an answer, and none of its traffic has moved."""
        return self.waiting_since is not None and not self.moved and self.ended_at is None

    @property
    def ending(self) -> Ending | None:
        """How it ended; None while it has not, or where it has come through."""
        if self.switched_at is not None:
            return None
        return self.refused or (Ending.FAILED if self.ended_at is not None else None)

    def _is_lost(self, now: datetime) -> bool:
        """Nothing was heard of it for longer than any hook of CodeDeploy's takes: it holds nobody for ever."""
        return self.news_at is not None and now >= given_up_after(self.news_at + self.pause)


@dataclass(frozen=True, kw_only=True, slots=True)
class Line:
    """Where a gate stands among the switches of other domains. `moves`: its own traffic moves already."""

    opened_at: datetime
    moves: bool = False
    neighbours: tuple[Neighbour, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class NotFollowed:
    """A domain that was to go first did not come through; it is not waited for."""

    domain: DomainName
    deployment: DeploymentId
    ending: Ending


def turn_of(turns: Turns, line: Line | None, *, now: datetime) -> tuple[TurnTaken | GoesFirst, ...]:
    """What the gate has to wait for. A switch whose traffic moves has its turn and waits for nobody."""
    if line is None or line.moves:
        return ()
    before = ahead(turns, line)
    taken = [
        TurnTaken(
            domain=one.domain,
            deployment=one.deployment,
            since=one.approved_at,
            switched=one.switched_at is not None,
            ahead=before,
        )
        for one in _of(turns.rivals, line)
        if one.has_turn(now=now) and one.approved_at is not None
    ]
    first = [
        GoesFirst(domain=one.domain, deployment=one.deployment, waits=not one.is_going(now=now))
        for one in _of(turns.after, line)
        if one.is_pending(now=now)
    ]
    return (*taken, *first)


def waits_in_line(turns: Turns, line: Line, *, waited: bool, now: datetime) -> bool:
    """Whether whoever is to answer need not look yet. `waited`: so it was before.

    Once a turn has been waited for, it is there when it is free and nobody has been in line for longer: of many that
    wait, one is called.
    """
    return bool(turn_of(turns, line, now=now)) or (waited and bool(ahead(turns, line)))


def ahead(turns: Turns, line: Line | None) -> tuple[DomainName, ...]:
    """The domains that wait for a turn too, and have for longer; the longest first."""
    if line is None or line.moves:
        return ()
    waiting = [
        (one.waiting_since, one.domain)
        for one in _of(turns.rivals, line)
        if one.is_in_line and one.waiting_since is not None and one.waiting_since < line.opened_at
    ]
    return tuple(dict.fromkeys(domain for _, domain in sorted(waiting)))


def not_followed(turns: Turns, line: Line | None) -> tuple[NotFollowed, ...]:
    """Those that were to go first and lately ended otherwise."""
    if line is None or line.moves:
        return ()
    return tuple(
        NotFollowed(domain=one.domain, deployment=one.deployment, ending=one.ending)
        for one in _of(turns.after, line)
        if one.ending is not None
        and (one.ended_at or one.news_at or line.opened_at) >= line.opened_at - LATELY
    )


def state_of(turns: Turns, neighbours: Iterable[Neighbour], *, now: datetime) -> tuple[str, ...]:
    """What of the neighbours the cards of a domain tell, short: another text, other cards."""
    mine = [one for one in neighbours if one.domain in turns.others]
    return tuple(sorted(f"{one.domain} {one.deployment} {_state(one, now)}" for one in mine))


def _state(one: Neighbour, now: datetime) -> str:
    marks = (one.is_in_line, one.has_turn(now=now), one.is_pending(now=now), one.switched_at is not None)
    return f"{marks} {one.ending}"


def _of(domains: tuple[DomainName, ...], line: Line) -> list[Neighbour]:
    return [one for one in line.neighbours if one.domain in domains]
