"""When a freeze is in force, also where clocks are put forward and back."""

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.gate.rules.freeze import Freeze, Span, Weekly, WeekTime

SEOUL, BERLIN = ZoneInfo("Asia/Seoul"), ZoneInfo("Europe/Berlin")
MON, FRI, SAT, SUN = 0, 4, 5, 6


def weekly(start: tuple[int, str], end: tuple[int, str], zone: ZoneInfo = SEOUL) -> Freeze:
    def at(day: int, clock: str) -> WeekTime:
        return WeekTime(day=day, at=time.fromisoformat(clock))

    return Freeze(reason="weekend", when=Weekly(start=at(*start), end=at(*end), zone=zone))


WEEKEND = weekly((FRI, "18:00"), (MON, "09:00"))


@pytest.mark.parametrize(
    ("local", "frozen"),
    [
        ("2026-11-27 17:59:59", False),
        ("2026-11-27 18:00:00", True),
        ("2026-11-28 12:00:00", True),
        ("2026-11-29 23:59:59", True),
        ("2026-11-30 08:59:59", True),
        ("2026-11-30 09:00:00", False),
        ("2026-12-02 12:00:00", False),
    ],
)
def test_from_friday_evening_until_monday_morning(local: str, frozen: bool) -> None:
    now = datetime.fromisoformat(local).replace(tzinfo=SEOUL).astimezone(UTC)
    assert (WEEKEND.around(now) is not None) is frozen


def test_the_span_of_a_weekly_freeze_is_the_one_around_now() -> None:
    monday = datetime(2026, 11, 30, 8, 0, tzinfo=SEOUL)
    span = WEEKEND.around(monday.astimezone(UTC))
    assert span is not None
    assert span.start.astimezone(SEOUL) == datetime(2026, 11, 27, 18, 0, tzinfo=SEOUL)
    assert span.end.astimezone(SEOUL) == datetime(2026, 11, 30, 9, 0, tzinfo=SEOUL)


def test_a_time_that_comes_twice_begins_with_the_first_and_ends_with_the_second() -> None:
    """On 25 October 2026 Berlin's 02:30 comes twice."""
    night = weekly((SUN, "02:30"), (SUN, "04:00"), BERLIN)
    first, second = (datetime(2026, 10, 25, hour, 30, tzinfo=UTC) for hour in (0, 1))
    assert night.around(first - timedelta(seconds=1)) is None
    assert night.around(first) is not None
    until = weekly((SAT, "20:00"), (SUN, "02:30"), BERLIN)
    assert until.around(second - timedelta(seconds=1)) is not None
    assert until.around(second) is None


@pytest.mark.parametrize(
    ("start", "end", "first", "last"),
    [
        ((SAT, "22:00"), (SUN, "02:30"), (28, 21, 0), (29, 1, 30)),
        ((SUN, "02:30"), (SUN, "05:00"), (29, 0, 30), (29, 3, 0)),
        ((SUN, "02:00"), (SUN, "02:30"), (29, 0, 0), (29, 1, 30)),
    ],
)
def test_a_freeze_only_grows_where_its_start_or_end_is_skipped(
    start: tuple[int, str], end: tuple[int, str], first: tuple[int, int, int], last: tuple[int, int, int]
) -> None:
    """On 29 March 2026 Berlin goes from 02:00 to 03:00."""
    night = weekly(start, end, BERLIN)
    begins, ends = (datetime(2026, 3, day, hour, minute, tzinfo=UTC) for day, hour, minute in (first, last))
    span = night.around(begins)
    assert span is not None
    assert (span.start, span.end) == (begins, ends)
    assert night.around(begins - timedelta(seconds=1)) is None
    assert night.around(ends - timedelta(seconds=1)) is not None
    assert night.around(ends) is None


def test_a_weekend_with_a_change_of_clocks_lasts_an_hour_more_or_less() -> None:
    weekend = weekly((FRI, "18:00"), (MON, "09:00"), BERLIN)
    usual = timedelta(hours=63)
    for saturday, length in (
        (datetime(2026, 3, 28, 12, tzinfo=UTC), usual - timedelta(hours=1)),
        (datetime(2026, 10, 24, 12, tzinfo=UTC), usual + timedelta(hours=1)),
        (datetime(2026, 11, 28, 12, tzinfo=UTC), usual),
    ):
        span = weekend.around(saturday)
        assert span is not None
        assert span.end - span.start == length


def test_a_span_holds_its_start_and_not_its_end() -> None:
    start = datetime(2026, 12, 24, tzinfo=UTC)
    holiday = Freeze(reason="holiday", when=Span(start=start, end=start + timedelta(days=3)))
    assert holiday.around(start - timedelta(microseconds=1)) is None
    assert holiday.around(start) is not None
    assert holiday.around(start + timedelta(days=3)) is None


week_times = st.builds(
    WeekTime, day=st.integers(0, 6), at=st.times().map(lambda at: at.replace(second=0, microsecond=0))
)
moments = st.integers(0, 3 * 365 * 24 * 60).map(
    lambda minutes: datetime(2025, 1, 1, tzinfo=UTC) + timedelta(minutes=minutes)
)


@given(
    start=week_times,
    end=week_times,
    zone=st.sampled_from([SEOUL, BERLIN, ZoneInfo("America/New_York")]),
    now=moments,
)
def test_the_span_of_a_weekly_freeze_always_contains_the_moment_asked_about(
    start: WeekTime, end: WeekTime, zone: ZoneInfo, now: datetime
) -> None:
    span = Weekly(start=start, end=end, zone=zone).around(now)
    if span is not None:
        assert span.start <= now < span.end
        assert span.end - span.start <= timedelta(days=7, hours=1)
        local = span.start.astimezone(zone)
        assert local.weekday() in {start.day, (start.day + 1) % 7}
