"""Parses the times of `/deploys freeze`: `until fri 6pm`, `from tomorrow 09:00 for 2h 30m`, in the person's time zone.

What follows the times is the reason: `app/slack/commands/freeze_reason.py`.
"""

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, tzinfo
from zoneinfo import ZoneInfo

from app.config.reserved_words import FOR, FROM, STARTS, UNTIL
from app.slack.commands.freeze_reason import read_reason
from app.slack.commands.local_times import AmbiguousDay, NotInZone, RelativeDay, instant
from app.slack.commands.time_clauses import Clause, read_bare, read_length, read_moment
from app.slack.commands.time_errors import (
    ClockMissing,
    DayUnclear,
    GivenTwice,
    NoEnd,
    NoSuchLocalTime,
    NotATime,
    StartOrEnd,
    ZoneUnknown,
)


@dataclass(frozen=True, kw_only=True, slots=True)
class TimeSpan:
    """What was read; `zone` is the one to repeat the times in."""

    start: datetime
    end: datetime
    zone: tzinfo
    reason: str


def read_span(text: str, *, now: datetime, zone: ZoneInfo | None) -> TimeSpan:
    """`from 18:00 for 2h reason`, or the end first. It starts now where no start is given.

    `zone` None: unknown. Raises `InvalidTime`.
    """
    clauses, rest = _read_clauses(" ".join(text.split()))
    end, start = clauses.get(UNTIL), clauses.get(FROM)
    if end is None:
        raise NoEnd
    if start is not None and start.clock is None and isinstance(start.day, RelativeDay) and end.length:
        raise NotATime(start.text)  # from its first moment on?
    begins = _resolve(start, now=now, after=now, zone=zone, is_end=False) if start is not None else now
    if end.length is not None:
        ends = _shifted(begins, end)
    else:
        # Whichever was written first: the end is the next such time after the start.
        ends = _resolve(end, now=now, after=begins, zone=zone, is_end=True)
    named = end.zone or (start.zone if start is not None else None)
    return TimeSpan(start=begins, end=ends, zone=named or zone or UTC, reason=read_reason(rest))


def _read_clauses(text: str) -> tuple[dict[str, Clause], str]:
    found: dict[str, Clause] = {}
    while not (UNTIL in found and _is_purpose(text)) and (read := _next_clause(text, is_first=not found)):
        keyword, clause, rest = read
        for what in _ends(keyword, clause):
            if what in found:
                raise GivenTwice(text)
            found[what] = clause
        text = rest.lstrip(" ,")
    return found, text


def _next_clause(text: str, *, is_first: bool) -> tuple[str, Clause, str] | None:
    if not (keyword := _keyword(text)):
        return read_bare(text, is_first=is_first)
    read = read_length if keyword == FOR else read_moment
    return (keyword, *read(text[len(keyword) :].lstrip(), keyword))


def _ends(keyword: str, clause: Clause) -> tuple[str, ...]:
    """Whether it is the start or the end, or both: `tomorrow` or a date alone is the whole day."""
    if keyword:
        return (FROM,) if keyword == FROM else (UNTIL,)
    if not isinstance(clause.day, date | RelativeDay) or clause.clock is not None or clause.zone is not None:
        raise StartOrEnd(clause.text)
    return (UNTIL,) if clause.day == RelativeDay(days=0) else (FROM, UNTIL)


def _keyword(text: str) -> str:
    first = text.partition(" ")[0].lower()
    return first if first in STARTS else ""


def _is_purpose(text: str) -> bool:
    """`until 18:00 for the release`: no length is meant."""
    return _keyword(text) == FOR and not re.match(r"for \d", text, re.IGNORECASE)


def _resolve(
    clause: Clause, *, now: datetime, after: datetime, zone: ZoneInfo | None, is_end: bool
) -> datetime:
    if clause.day is None and clause.clock is None:
        raise NotATime(clause.text)
    if is_end and clause.clock is None and not isinstance(clause.day, date | RelativeDay):
        raise ClockMissing(clause.text)
    there = clause.zone or zone
    if there is None:
        raise ZoneUnknown(clause.text)
    try:
        return instant(
            clause.day,
            clause.clock,
            zone=there,
            own_zone=zone or there,
            now=now,
            after=after,
            is_end=is_end,
        )
    except NotInZone:
        raise NoSuchLocalTime(clause.text) from None
    except AmbiguousDay:
        raise DayUnclear(clause.text) from None
    except (OverflowError, ValueError):  # beyond the calendar
        raise NotATime(clause.text) from None


def _shifted(start: datetime, clause: Clause) -> datetime:
    try:
        return start + (clause.length or timedelta(0))
    except OverflowError:
        raise NotATime(clause.text) from None
