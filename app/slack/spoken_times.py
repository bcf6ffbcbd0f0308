"""Times as people give them to `/deploys freeze`: 18:00, mon 09:00, 2026-12-24, 2h; on the giver's own clocks."""

import re
from collections.abc import Sequence
from datetime import UTC, datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from app.slack.deploys_words import FOR, FROM, STARTS, UNTIL

DAYS: Final = {
    name: day
    for day, names in enumerate(
        (
            ("mon", "monday", "월", "월요일"),
            ("tue", "tuesday", "화", "화요일"),
            ("wed", "wednesday", "수", "수요일"),
            ("thu", "thursday", "목", "목요일"),
            ("fri", "friday", "금", "금요일"),
            ("sat", "saturday", "토", "토요일"),
            ("sun", "sunday", "일", "일요일"),
        )
    )
    for name in names
}

_CLOCK: Final = re.compile(r"([01]?[0-9]|2[0-4]):([0-5][0-9])")
_DATE: Final = re.compile(r"\d{4}-\d{2}-\d{2}")
_LENGTH: Final = re.compile(r"(\d{1,4})(m|min|h|d)")
_UNITS: Final = {"m": "minutes", "min": "minutes", "h": "hours", "d": "days"}


class NotATime(ValueError):
    """The words name no time."""

    def __init__(self, words: str) -> None:
        super().__init__(words)
        self.words = words


class NoEnd(ValueError):
    """It is not said until when."""


class SaidTwice(ValueError):
    """Two beginnings, or two ends."""


def zone_named(name: str) -> ZoneInfo:
    """A person's zone, as Slack names it; UTC where that is no zone."""
    try:
        return ZoneInfo(name) if re.fullmatch(r"[A-Za-z0-9_+/-]{1,64}", name) else ZoneInfo("UTC")
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return ZoneInfo("UTC")


def read_span(
    words: Sequence[str], *, now: datetime, zone: ZoneInfo
) -> tuple[datetime, datetime, Sequence[str]]:
    """`from 18:00 for 2h`, or the end first: beginning (now where none is said), end, and the words after them.

    Raises `NotATime`, `NoEnd` and `SaidTwice`.
    """
    said: dict[str, Sequence[str]] = {}
    rest = words
    while rest and rest[0].lower() in STARTS and not (UNTIL in said and _is_a_purpose(rest)):
        what = FROM if rest[0].lower() == FROM else UNTIL
        if what in said:
            raise SaidTwice
        said[what] = rest
        rest = rest[1 + _moment(rest, after=now, zone=zone)[1] :]
    if UNTIL not in said:
        raise NoEnd
    start = _moment(said[FROM], after=now, zone=zone)[0] if FROM in said else now
    # Whichever was said first: the end is the next such time after the beginning.
    return start, _moment(said[UNTIL], after=start, zone=zone)[0], rest


def _is_a_purpose(words: Sequence[str]) -> bool:
    """`until 18:00 for the release`: no length is meant."""
    return words[0].lower() == FOR and not (len(words) > 1 and words[1][0].isdigit())


def _moment(words: Sequence[str], *, after: datetime, zone: ZoneInfo) -> tuple[datetime, int]:
    """What `from …`, `until …` or `for …` names, and how many words it took after the first."""
    first, rest = words[0].lower(), words[1:]
    try:
        if first == FOR:
            length, took = read_length(rest)
            return after + length, took
        return read_moment(rest, after=after, zone=zone, is_end=first == UNTIL)
    except OverflowError:  # the last day of the last year that is counted, and the like
        raise NotATime(rest[0]) from None


def read_length(words: Sequence[str]) -> tuple[timedelta, int]:
    """`2h`, `90m`, `3d`: how long, and how many words it took. Raises `NotATime`."""
    found = _LENGTH.fullmatch(words[0].lower()) if words else None
    if found is None or int(found[1]) == 0:
        raise NotATime(words[0] if words else "")
    return timedelta(**{_UNITS[found[2]]: int(found[1])}), 1


def read_moment(
    words: Sequence[str], *, after: datetime, zone: ZoneInfo, is_end: bool
) -> tuple[datetime, int]:
    """The moment, and how many words it took. Raises `NotATime`.

    A time alone is the next one after `after`, a day of the week the next such day; a date alone is its first
    moment, as an end its last.
    """
    first = words[0].lower() if words else ""
    second = words[1] if len(words) > 1 else ""
    if _DATE.fullmatch(first):
        return _dated(first, second, zone=zone, is_end=is_end)
    if "t" in first and _DATE.fullmatch(first[:10]):
        return _dated(first[:10], first[11:], zone=zone, is_end=is_end)[0], 1
    if first in DAYS:
        at = _clock(second) if second and second[0].isdigit() and ":" in second else None
        day = _next_day(DAYS[first], at or time(), after=after, zone=zone, is_end=is_end)
        return day, 1 if at is None else 2
    return _next_clock(_clock(first), _is_midnight(first), after=after, zone=zone, is_end=is_end), 1


def _dated(day: str, clock: str, *, zone: ZoneInfo, is_end: bool) -> tuple[datetime, int]:
    try:
        date = datetime.strptime(day, "%Y-%m-%d")  # noqa: DTZ007 - the zone is the giver's
    except ValueError:
        raise NotATime(day) from None
    if clock and clock[0].isdigit() and ":" in clock:
        at = _clock(clock)
        local = date.replace(hour=at.hour, minute=at.minute) + timedelta(days=_is_midnight(clock))
        return _aware(local, zone, is_end=is_end), 2
    return _aware(date + timedelta(days=1) if is_end else date, zone, is_end=is_end), 1


def _next_day(day: int, at: time, *, after: datetime, zone: ZoneInfo, is_end: bool) -> datetime:
    local = after.astimezone(zone).replace(tzinfo=None)
    start = local.replace(hour=at.hour, minute=at.minute, second=0, microsecond=0)
    start += timedelta(days=(day - local.weekday()) % 7)
    if _aware(start, zone, is_end=is_end) <= after:
        start += timedelta(days=7)
    return _aware(start, zone, is_end=is_end)


def _next_clock(at: time, midnight: bool, *, after: datetime, zone: ZoneInfo, is_end: bool) -> datetime:
    local = after.astimezone(zone).replace(tzinfo=None)
    found = local.replace(hour=at.hour, minute=at.minute, second=0, microsecond=0) + timedelta(days=midnight)
    if _aware(found, zone, is_end=is_end) <= after:
        found += timedelta(days=1)
    return _aware(found, zone, is_end=is_end)


def _clock(word: str) -> time:
    found = _CLOCK.fullmatch(word)
    if found is None or (found[1] == "24" and found[2] != "00"):
        raise NotATime(word)
    return time(int(found[1]) % 24, int(found[2]))


def _is_midnight(word: str) -> bool:
    return word.startswith("24:")


def _aware(local: datetime, zone: ZoneInfo, *, is_end: bool) -> datetime:
    # Where clocks are put back a time comes twice: begin with the first and end with the second.
    return local.replace(tzinfo=zone, fold=1 if is_end else 0).astimezone(UTC)
