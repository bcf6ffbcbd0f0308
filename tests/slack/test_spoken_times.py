"""Times as people give them, on their own clocks."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from app.slack.spoken_times import NoEnd, NotATime, SaidTwice, read_length, read_moment, read_span, zone_named

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


@pytest.mark.parametrize(
    ("words", "start", "end", "reason"),
    [
        ("for 2h release", "24 12:00", "24 14:00", "release"),
        ("from 18:00 for 2h release", "24 18:00", "24 20:00", "release"),
        ("for 2h from 18:00 release", "24 18:00", "24 20:00", "release"),
        ("For 2h From 18:00", "24 18:00", "24 20:00", ""),
        ("until 14:00 from 18:00 release", "24 18:00", "25 14:00", "release"),
        ("until fri 09:00 from thu release", "26 00:00", "27 09:00", "release"),
        ("until 18:00 for the release", "24 12:00", "24 18:00", "for the release"),
        ("from 13:00 until 18:00 for", "24 13:00", "24 18:00", "for"),
        ("for 2h payments from 18:00 failed", "24 12:00", "24 14:00", "payments from 18:00 failed"),
    ],
)
def test_a_span_in_either_order(words: str, start: str, end: str, reason: str) -> None:
    begins, ends, rest = read_span(words.split(), now=NOW, zone=SEOUL)
    local = [f"{moment.astimezone(SEOUL):%d %H:%M}" for moment in (begins, ends)]
    assert (*local, " ".join(rest)) == (start, end, reason)


@pytest.mark.parametrize(
    "words",
    ["until 18:00 for 2h x", "for 2h until 18:00 x", "for 2h for 3h x", "until fri from 18:00 from 19:00 x"],
)
def test_a_span_with_two_ends_or_beginnings(words: str) -> None:
    with pytest.raises(SaidTwice):
        read_span(words.split(), now=NOW, zone=SEOUL)


@pytest.mark.parametrize("words", ["", "from 18:00 release", "release for 2h"])
def test_a_span_without_an_end(words: str) -> None:
    with pytest.raises(NoEnd):
        read_span(words.split(), now=NOW, zone=SEOUL)


@pytest.mark.parametrize(
    "words", ["for 2h from tomorrow x", "for 2h from", "for the release", "until 18:00 from 6pm x"]
)
def test_a_beginning_that_is_no_time_is_no_reason(words: str) -> None:
    with pytest.raises(NotATime):
        read_span(words.split(), now=NOW, zone=SEOUL)


@pytest.mark.parametrize("name", ["", "../etc/passwd", "Mars/Olympus", "x" * 100])
def test_a_zone_that_is_none_is_utc(name: str) -> None:
    assert zone_named(name) == ZoneInfo("UTC")


@pytest.mark.parametrize(
    "words", ["until 9999-12-31 x", "from 0001-01-01 until 18:00 x", "from 9999-12-30 for 9d x"]
)
def test_a_time_beyond_the_calendar_is_no_time(words: str) -> None:
    with pytest.raises(NotATime) as refused:
        read_span(words.split(), now=NOW, zone=SEOUL)
    assert refused.value.words in words
