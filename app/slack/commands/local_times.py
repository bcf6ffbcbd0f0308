"""Converts a day and a local time of a zone to an instant. Ambiguous and skipped times are rejected, never guessed."""

import itertools
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from typing import assert_never
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from app.gate.wall_clock import is_skipped


@dataclass(frozen=True, kw_only=True, slots=True)
class Clock:
    """24:00 is the end of its day."""

    hour: int
    minute: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Weekday:
    """The next such day; 0 is Monday."""

    number: int


@dataclass(frozen=True, kw_only=True, slots=True)
class RelativeDay:
    """So many days after today."""

    days: int


Day = date | Weekday | RelativeDay


class NotInZone(ValueError):
    """The clocks of the zone are put forward over this time, so it does not exist."""


class AmbiguousDay(ValueError):
    """Today is another date in the named zone than in the person's own."""


def zone_named(name: str) -> ZoneInfo | None:
    """An IANA time zone; None where there is no such zone."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return None


def instant(
    day: Day | None,
    clock: Clock | None,
    *,
    zone: tzinfo,
    own_zone: tzinfo,
    now: datetime,
    after: datetime,
    is_end: bool,
) -> datetime:
    """The instant in UTC. A clock alone is the next one after `after`, a weekday the next such day.

    A date without a clock is its first moment, as an end its last. A time that comes twice begins with the first and
    ends with the second. Raises `NotInZone`, `AmbiguousDay` and `OverflowError`.
    """
    local = after.astimezone(zone).date()
    match day:
        case None:
            return _next(local, 1, clock, zone=zone, after=after, is_end=is_end)
        case Weekday():
            first = local + timedelta(days=(day.number - local.weekday()) % 7)
            return _next(first, 7, clock, zone=zone, after=after, is_end=is_end)
        case RelativeDay():
            today = now.astimezone(zone).date()
            if today != now.astimezone(own_zone).date():
                raise AmbiguousDay
            return _at(today + timedelta(days=day.days), clock, zone=zone, is_end=is_end)
        case date():
            return _at(day, clock, zone=zone, is_end=is_end)
        case _:
            assert_never(day)


def _next(
    first: date, step: int, clock: Clock | None, *, zone: tzinfo, after: datetime, is_end: bool
) -> datetime:
    for count in itertools.count():
        day = first + timedelta(days=step * count)
        for fold in (1,) if is_end else (0, 1):
            found, exists = _moment(day, clock, zone=zone, is_end=is_end, fold=fold)
            if found > after and not exists:
                raise NotInZone
            if found > after:
                return found
    raise OverflowError


def _at(day: date, clock: Clock | None, *, zone: tzinfo, is_end: bool) -> datetime:
    found, exists = _moment(day, clock, zone=zone, is_end=is_end, fold=int(is_end))
    if not exists:
        raise NotInZone
    return found


def _moment(
    day: date, clock: Clock | None, *, zone: tzinfo, is_end: bool, fold: int
) -> tuple[datetime, bool]:
    """The instant, and whether the clocks of the zone ever show it."""
    if clock is None:
        day += timedelta(days=1 if is_end else 0)
        # Where clocks are put forward at midnight, the day begins when they are.
        return datetime(day.year, day.month, day.day, tzinfo=zone).astimezone(UTC), True
    day += timedelta(days=clock.hour // 24)
    local = datetime.combine(day, time(clock.hour % 24, clock.minute))
    found = local.replace(tzinfo=zone, fold=fold).astimezone(UTC)
    return found, not is_skipped(local, zone)
