"""Times as `switchgate.toml` writes them: "22:00-08:00", "mon-fri", "Asia/Seoul"."""

import re
from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

from app.config.values import InvalidValue
from app.gate.rules.freeze import WeekTime
from app.gate.wall_clock import is_skipped, latest

DAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_CLOCK: Final = re.compile(r"([01][0-9]|2[0-4]):([0-5][0-9])")


def clock(value: str) -> time:
    """A time of day, 00:00 to 24:00; the last is the next day's first. Raises `InvalidValue`."""
    found = _CLOCK.fullmatch(value.strip())
    if found is None or value.strip() > "24:00":
        raise InvalidValue(f'"{value}" is no time of day', 'Write it from "00:00" to "24:00".')
    return time(int(found[1]) % 24, int(found[2]))


def clock_span(value: str) -> tuple[time, time]:
    """`HH:MM-HH:MM`, over midnight where the end is not later. Raises `InvalidValue`."""
    first, dash, last = value.partition("-")
    if not dash:
        raise InvalidValue(f'"{value}" is no span of hours', 'Write it like hours = "22:00-08:00".')
    start, end = clock(first), clock(last)
    if start == end and (first.strip(), last.strip()) != ("00:00", "24:00"):
        raise InvalidValue(
            f'"{value}" ends when it begins', 'Write two different times; "00:00-24:00" is a whole day.'
        )
    return start, end


def week_days(value: Sequence[str]) -> frozenset[int]:
    """`mon` and `mon-fri`, as many as there are; 0 is Monday. Raises `InvalidValue`."""
    found: set[int] = set()
    for entry in value:
        first, dash, last = entry.lower().partition("-")
        start = week_day(first)
        end = week_day(last) if dash else start
        found |= {(start + step) % 7 for step in range((end - start) % 7 + 1)}
    return frozenset(found)


def week_day(value: str) -> int:
    """0 is Monday. Raises `InvalidValue`."""
    if value.strip() not in DAYS:
        raise InvalidValue(f'"{value}" is no day of the week', f"Write one of {', '.join(DAYS)}.")
    return DAYS.index(value.strip())


@cache
def time_zone(value: str) -> ZoneInfo:
    """A zone of the IANA database. Raises `InvalidValue`."""
    remedy = 'Write an IANA name, such as time_zone = "Asia/Seoul".'
    try:
        # Strings that are no zone names (paths, other case) open files on some systems: only listed names are looked
        # up.
        if value not in available_timezones():
            raise ZoneInfoNotFoundError(value)
        return ZoneInfo(value)
    except (ZoneInfoNotFoundError, ValueError):
        raise InvalidValue(f'"{value}" is no time zone', remedy) from None


def week_span(value: str) -> tuple[WeekTime, WeekTime]:
    """`fri 18:00 - mon 09:00`. Raises `InvalidValue`."""
    remedy = 'Write it like weekly = "fri 18:00 - mon 09:00".'
    first, dash, last = value.partition("-")
    if not dash:
        raise InvalidValue(f'"{value}" is no span of the week', remedy)
    start, end = _week_time(first, remedy), _week_time(last, remedy)
    if start == end:
        raise InvalidValue(f'"{value}" ends when it begins', "Write two different times.")
    return start, end


def _week_time(value: str, remedy: str) -> WeekTime:
    day, _, at = value.strip().lower().partition(" ")
    if not at:
        raise InvalidValue(f'"{value.strip()}" names no day and time', remedy)
    days = week_day(day) + (at.strip() == "24:00")
    return WeekTime(day=days % 7, at=clock(at))


def moment(value: str, *, zone: ZoneInfo, is_end: bool) -> datetime:
    """`2026-12-24`, `2026-12-24 18:00` or with an offset of its own. Raises `InvalidValue`.

    A date alone is its first moment, as an end its last: until 2026-12-26 is to the end of that day.
    """
    try:
        found, has_clock = _written(value, is_end=is_end)
        skipped = has_clock and found.tzinfo is None and is_skipped(found, zone)
        if found.tzinfo is None:
            # Where clocks are put forward at midnight, the day begins when they are.
            found = latest(found, zone) if is_end else found.replace(tzinfo=zone)
        # At the end of year 9999 some times cannot be converted to a zone or UTC.
        found = found.astimezone(zone).astimezone(UTC)
    except (ValueError, OverflowError):
        raise InvalidValue(
            f'"{value}" is no date and time', "Write it like 2026-12-24 or 2026-12-24 18:00."
        ) from None
    if skipped:
        raise InvalidValue(
            f'"{value}" is no time in {zone.key}: clocks are put forward over it',
            "Write the time before or after.",
        )
    return found


def _written(value: str, *, is_end: bool) -> tuple[datetime, bool]:
    """The time, and whether it has a clock."""
    try:
        day = datetime.combine(date.fromisoformat(value), time())
    except ValueError:
        return datetime.fromisoformat(value), True
    return day + timedelta(days=int(is_end)), False
