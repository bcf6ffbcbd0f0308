"""Times of day: the hours of a policy variant and the quiet hours of reminders. Both follow the clocks of a zone."""

from datetime import datetime, time
from zoneinfo import ZoneInfo

import pytest

from app.gate.reminders import QuietHours
from app.gate.rules.policy import EVERY_DAY, DailyHours

SEOUL = ZoneInfo("Asia/Seoul")
MONDAY, TUESDAY, SATURDAY, SUNDAY = 0, 1, 5, 6
DATE = {MONDAY: 23, TUESDAY: 24, SATURDAY: 28, SUNDAY: 29}
"""Days of November 2026."""


def at(day: int, hour: int, minute: int = 0, second: int = 0) -> datetime:
    return datetime(2026, 11, DATE[day], hour, minute, second, tzinfo=SEOUL).astimezone(ZoneInfo("UTC"))


@pytest.mark.parametrize(
    ("now", "covered"),
    [
        (at(MONDAY, 8, 59, 59), False),
        (at(MONDAY, 9), True),
        (at(MONDAY, 12), True),
        (at(MONDAY, 17, 59, 59), True),
        (at(MONDAY, 18), False),
        (at(MONDAY, 23), False),
        (at(TUESDAY, 12), False),
        (at(SUNDAY, 12), False),
    ],
    ids=str,
)
def test_hours_within_one_day_include_their_start_and_exclude_their_end(now: datetime, covered: bool) -> None:
    hours = DailyHours(days=frozenset({MONDAY}), start=time(9), end=time(18), zone=SEOUL)
    assert hours.covers(now) is covered


@pytest.mark.parametrize(
    ("now", "covered"),
    [
        (at(SUNDAY, 21, 59, 59), False),
        (at(SUNDAY, 22), True),
        (at(SUNDAY, 23, 59), True),
        (at(SUNDAY, 5), False),
        (at(SATURDAY, 23), False),
        (at(SATURDAY, 5), False),
    ],
    ids=str,
)
def test_hours_over_midnight_belong_to_the_day_on_which_they_begin(now: datetime, covered: bool) -> None:
    hours = DailyHours(days=frozenset({SUNDAY}), start=time(22), end=time(6), zone=SEOUL)
    assert hours.covers(now) is covered


@pytest.mark.parametrize(
    ("now", "covered"),
    [
        (at(MONDAY, 0), False),
        (at(MONDAY, 22), True),
        (at(TUESDAY, 0), True),
        (at(TUESDAY, 5, 59, 59), True),
        (at(TUESDAY, 6), False),
        (at(TUESDAY, 22), False),
    ],
    ids=str,
)
def test_hours_over_midnight_end_on_the_next_morning(now: datetime, covered: bool) -> None:
    hours = DailyHours(days=frozenset({MONDAY}), start=time(22), end=time(6), zone=SEOUL)
    assert hours.covers(now) is covered


def test_equal_ends_are_a_whole_day_and_every_day_is_each_of_the_seven() -> None:
    hours = DailyHours(days=frozenset({MONDAY}), start=time(0), end=time(0), zone=SEOUL)
    assert [hours.covers(at(day, 12)) for day in (SUNDAY, MONDAY, TUESDAY)] == [False, True, False]
    assert sorted(EVERY_DAY) == [0, 1, 2, 3, 4, 5, 6]


@pytest.mark.parametrize(
    ("now", "quiet"),
    [
        (at(MONDAY, 11, 59, 59), False),
        (at(MONDAY, 12), True),
        (at(MONDAY, 12, 59, 59), True),
        (at(MONDAY, 13), False),
        (at(MONDAY, 23), False),
    ],
    ids=str,
)
def test_quiet_hours_within_one_day(now: datetime, quiet: bool) -> None:
    assert QuietHours(since=time(12), until=time(13), zone=SEOUL).hold(now) is quiet


@pytest.mark.parametrize(
    ("now", "quiet"),
    [
        (at(MONDAY, 21, 59, 59), False),
        (at(MONDAY, 22), True),
        (at(MONDAY, 23, 59), True),
        (at(TUESDAY, 0), True),
        (at(TUESDAY, 6, 59, 59), True),
        (at(TUESDAY, 7), False),
        (at(TUESDAY, 12), False),
    ],
    ids=str,
)
def test_quiet_hours_over_midnight(now: datetime, quiet: bool) -> None:
    assert QuietHours(since=time(22), until=time(7), zone=SEOUL).hold(now) is quiet


def test_quiet_hours_with_equal_ends_are_a_whole_day() -> None:
    quiet = QuietHours(since=time(9), until=time(9), zone=SEOUL)
    assert all(quiet.hold(at(MONDAY, hour)) for hour in (0, 8, 9, 10, 23))
