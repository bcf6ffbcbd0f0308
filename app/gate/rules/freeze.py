"""Freezes: spans of time in which no switch can be approved. Wall-clock times keep their zone."""

from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import assert_never
from zoneinfo import ZoneInfo

from app.gate.wall_clock import earliest, latest


@dataclass(frozen=True, kw_only=True, slots=True)
class Span:
    """From `start` to before `end`; both are aware."""

    start: datetime
    end: datetime

    def includes(self, now: datetime) -> bool:
        return self.start <= now < self.end


@dataclass(frozen=True, kw_only=True, slots=True)
class WeekTime:
    """A time of the week; day 0 is Monday."""

    day: int
    at: time


@dataclass(frozen=True, kw_only=True, slots=True)
class Weekly:
    """Every week from `start` until `end` on the clocks of `zone`; over Sunday's end where `end` is not later."""

    start: WeekTime
    end: WeekTime
    zone: ZoneInfo

    def around(self, now: datetime) -> Span | None:
        """The occurrence that `now` lies in."""
        monday = now.astimezone(self.zone).replace(tzinfo=None, hour=0, minute=0, second=0, microsecond=0)
        monday -= timedelta(days=monday.weekday())
        for week in (monday, monday - timedelta(days=7)):
            span = self._in_week(week)
            if span.includes(now):
                return span
        return None

    def _in_week(self, monday: datetime) -> Span:
        """The occurrence that begins in the week of this Monday."""
        start, end = _local(monday, self.start), _local(monday, self.end)
        if end <= start:
            end += timedelta(days=7)
        # Where clocks change, the freeze only grows: it never begins later or ends earlier than was written.
        return Span(start=earliest(start, self.zone), end=latest(end, self.zone))


@dataclass(frozen=True, kw_only=True, slots=True)
class Freeze:
    """One freeze. `by` is a user's id or `api:NAME`, None: the configuration. `id` is the record's, else None."""

    reason: str
    when: Span | Weekly
    by: str | None = None
    id: int | None = None

    def around(self, now: datetime) -> Span | None:
        """The span of it that `now` lies in; None: it is not in force."""
        match self.when:
            case Span():
                return self.when if self.when.includes(now) else None
            case Weekly():
                return self.when.around(now)
            case _:
                assert_never(self.when)


def _local(monday: datetime, at: WeekTime) -> datetime:
    return monday + timedelta(days=at.day, hours=at.at.hour, minutes=at.at.minute)
