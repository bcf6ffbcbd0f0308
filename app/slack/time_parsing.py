"""The times of `/deploys freeze`: `until fri 6pm`, `from tomorrow 09:00 for 2h 30m`, on the person's own clocks.

A word of the reason that could belong to the time is refused. A reason in quotes is taken as it is.
"""

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, tzinfo
from typing import Final
from zoneinfo import ZoneInfo

from app.slack import time_words as words
from app.slack.deploys_words import FOR, FROM, STARTS, UNTIL
from app.slack.local_times import AmbiguousDay, NotInZone, RelativeDay, instant
from app.slack.time_clauses import Clause, read_length, read_moment
from app.slack.time_errors import (
    ClockMissing,
    DayUnclear,
    MayBelongToTime,
    NoEnd,
    NoSuchLocalTime,
    NotATime,
    SaidTwice,
    ZoneUnknown,
)

_QUOTES: Final = {'"': '"', "“": "”", "'": "'", "‘": "’", "«": "»", "「": "」"}


@dataclass(frozen=True, kw_only=True, slots=True)
class TimeSpan:
    """What was read; `zone` is the one to repeat the times in."""

    start: datetime
    end: datetime
    zone: tzinfo
    reason: str


def read_span(text: str, *, now: datetime, zone: ZoneInfo | None) -> TimeSpan:
    """`from 18:00 for 2h reason`, or the end first. It starts now where no start is given.

    `zone` None: unknown. Raises `TimeRefused`.
    """
    clauses, rest = _read_clauses(" ".join(text.split()))
    end, start = clauses.get(UNTIL), clauses.get(FROM)
    if end is None:
        raise NoEnd
    reason = _reason(rest, clauses)
    begins = _resolve(start, now=now, after=now, zone=zone, is_end=False) if start is not None else now
    if end.length is not None:
        ends = _shifted(begins, end)
    else:
        # Whichever was written first: the end is the next such time after the start.
        ends = _resolve(end, now=now, after=begins, zone=zone, is_end=True)
    named = end.zone or (start.zone if start is not None else None)
    return TimeSpan(start=begins, end=ends, zone=named or zone or UTC, reason=reason)


def _read_clauses(text: str) -> tuple[dict[str, Clause], str]:
    found: dict[str, Clause] = {}
    while (keyword := _keyword(text)) and not (UNTIL in found and _is_purpose(text)):
        what = FROM if keyword == FROM else UNTIL
        if what in found:
            raise SaidTwice(text)
        text = text[len(keyword) :].lstrip()
        read = read_length if keyword == FOR else read_moment
        found[what], text = read(text, keyword)
        text = text.lstrip(" ,")
    return found, text


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
    if is_end and clause.clock is None and not isinstance(clause.day, date):
        raise ClockMissing(clause.text)
    if clause.clock is None and isinstance(clause.day, RelativeDay):
        raise NotATime(clause.text)
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


def _reason(rest: str, clauses: dict[str, Clause]) -> str:
    """What is left. Raises `MayBelongToTime`."""
    if len(rest) > 1 and _QUOTES.get(rest[0]) == rest[-1]:
        return rest[1:-1].strip()
    text = rest.lstrip(" ,;:.–—-")
    if found := words.NEXT_TO_TIME.match(rest):
        raise MayBelongToTime(found["word"])
    for pattern in _missing(clauses):
        for found in pattern.finditer(text):
            if not re.search(r"\bsince $", text[: found.start()], re.IGNORECASE):
                raise MayBelongToTime(found["word"])
    if FROM not in clauses:
        _refuse_later_start(text)
    return text


def _missing(clauses: dict[str, Clause]) -> list[re.Pattern[str]]:
    """The patterns of what no clause holds, so that a word further on could be meant for it."""
    end = clauses[UNTIL]
    has_day = end.day is not None or (FROM in clauses and clauses[FROM].day is not None)
    patterns = [] if has_day else [words.LATER_DAY]
    if end.length is None:
        patterns += [] if end.zone is not None else [words.LATER_ZONE]
        patterns += [] if end.clock is not None else [words.LATER_CLOCK]
    return patterns


def _refuse_later_start(text: str) -> None:
    for found in words.LATER_START.finditer(text):
        try:
            read_moment(text[found.end() :], FROM)
        except NotATime:
            continue
        raise MayBelongToTime(text[found.start() :])
