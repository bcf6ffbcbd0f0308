"""Times as people give them, on their own clocks."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from app.slack.spoken_times import NotATime, read_length, read_moment, zone_named

SEOUL, BERLIN = ZoneInfo("Asia/Seoul"), ZoneInfo("Europe/Berlin")
NOW = datetime(2026, 11, 24, 3, 0, tzinfo=UTC)
"""Tuesday noon in Seoul."""


@pytest.mark.parametrize(
    ("words", "local", "took"),
    [
        ("18:00", "2026-11-24 18:00", 1),
        ("9:05", "2026-11-25 09:05", 1),
        ("12:00", "2026-11-25 12:00", 1),
        ("24:00", "2026-11-25 00:00", 1),
        ("mon 09:00 weekend", "2026-11-30 09:00", 2),
        ("tue 11:00 x", "2026-12-01 11:00", 2),
        ("Tuesday 13:00 x", "2026-11-24 13:00", 2),
        ("금 18:00", "2026-11-27 18:00", 2),
        ("fri deploy day", "2026-11-27 00:00", 1),
        ("2026-12-26", "2026-12-27 00:00", 1),
        ("2026-12-26 18:00 holiday", "2026-12-26 18:00", 2),
        ("2026-12-26 24:00 holiday", "2026-12-27 00:00", 2),
        ("2026-12-26 holiday", "2026-12-27 00:00", 1),
        ("2026-12-26T18:00 holiday", "2026-12-26 18:00", 1),
    ],
)
def test_an_end(words: str, local: str, took: int) -> None:
    found = read_moment(words.split(), after=NOW, zone=SEOUL, is_end=True)
    assert found == (datetime.fromisoformat(local).replace(tzinfo=SEOUL), took)


def test_a_date_as_a_beginning_is_its_first_moment() -> None:
    found, _ = read_moment(["2026-12-26"], after=NOW, zone=SEOUL, is_end=False)
    assert found == datetime(2026, 12, 26, tzinfo=SEOUL)


def test_a_time_that_comes_twice_ends_with_the_second() -> None:
    evening = datetime(2026, 10, 24, 20, 0, tzinfo=BERLIN).astimezone(UTC)
    end, _ = read_moment(["02:30"], after=evening, zone=BERLIN, is_end=True)
    start, _ = read_moment(["02:30"], after=evening, zone=BERLIN, is_end=False)
    assert end - start == timedelta(hours=1)


@pytest.mark.parametrize(
    "words", ["25:00", "24:01", "18:60", "noon", "2026-13-01", "2026-02-30", "", "12", "18:00pm"]
)
def test_no_time(words: str) -> None:
    with pytest.raises(NotATime):
        read_moment(words.split(), after=NOW, zone=SEOUL, is_end=True)


def test_lengths() -> None:
    assert read_length(["2h", "x"]) == (timedelta(hours=2), 1)
    assert read_length(["90m"]) == (timedelta(minutes=90), 1)
    assert read_length(["3D"]) == (timedelta(days=3), 1)
    for words in ([], ["0h"], ["h"], ["-2h"], ["2w"], ["99999h"]):
        with pytest.raises(NotATime):
            read_length(words)


@pytest.mark.parametrize("name", ["", "../etc/passwd", "Mars/Olympus", "x" * 100])
def test_a_zone_that_is_none_is_utc(name: str) -> None:
    assert zone_named(name) == ZoneInfo("UTC")
