"""A freeze never ends at another time than was written: 12-hour clocks, zones and days behind the clock."""

from datetime import datetime, timedelta

import pytest

from tests.cases.slack.commands import SEOUL, frozen, in_seoul
from tests.harness import Harness

UNDERSTOOD = {
    "6:00 PM payment incident": ("18:00", "payment incident"),
    "6:00\u202fPM payment incident": ("18:00", "payment incident"),
    "fri 6pm payment incident": ("Fri 18:00", "payment incident"),
    "fri 6:00 pm payment incident": ("Fri 18:00", "payment incident"),
    "18:00 on friday payment incident": ("Fri 18:00", "payment incident"),
    "friday at 18:00, payment incident": ("Fri 18:00", "payment incident"),
    "18:00 UTC payment incident": ("03:00", "payment incident"),
    "18:00Z payment incident": ("03:00", "payment incident"),
    "18:00 UTC+2 payment incident": ("01:00", "payment incident"),
    "18:00 KST payment incident": ("18:00", "payment incident"),
    "월 09:00 장애": ("Mon 09:00", "장애"),
    "오후 6시 장애": ("18:00", "장애"),
    "월요일 오전 9시 30분까지 장애": ("Mon 09:30", "장애"),
    "18:00 because PAY-123 of friday fails": ("18:00", "PAY-123 of friday fails"),
    "18:00 이유: 내일 배포 준비": ("18:00", "내일 배포 준비"),
    '18:00 "the release of tomorrow"': ("18:00", "the release of tomorrow"),
}
REFUSED = (
    "18:00 CST payment incident",
    "18:00 (UTC) payment incident",
    "18:00 next friday payment incident",
    "18:00 payment incident tomorrow",
    "fri payment incident",
    "6시 장애",
    "18:00:30 payment incident",
    "half past six payment incident",
    "6:00 p. m. payment incident",
    "18:00 payment incident until 20:00",
    "18:00 Pacific payment incident",
    "18:00 SAST payment incident",
    "18:00 뉴욕 시간 장애",
    "18:00 tmw payment incident",
    "18:00 *fri* payment incident",
    "18:00 명일 장애",
    "18:00 payment incident on 27 Nov",
    "18:00 - 20:00 payment incident",
)


async def test_an_end_is_the_one_that_was_written_or_nothing_is_frozen(harness: Harness) -> None:
    for words, (local, reason) in UNDERSTOOD.items():
        said, row = await frozen(harness, f"order until {words}")
        assert row is not None, (words, said)
        assert in_seoul(row["ends_at"]).endswith(local), words
        assert row["reason"] == reason, words
        assert row["ends_at"] - harness.clock() <= timedelta(days=7), words
    for words in REFUSED:
        said, row = await frozen(harness, f"order until {words}")
        assert row is None, (words, said)
        assert "Nothing was frozen." in said
        assert "`until " in said or "`18:00`" in said, "an example"


async def test_a_day_behind_the_clock_is_that_day(harness: Harness) -> None:
    today = harness.clock().astimezone(SEOUL)
    for words in ("18:00 tomorrow", "tomorrow 18:00", "tomorrow at 6pm", "내일 18시", "내일 오후 6시"):
        _, row = await frozen(harness, f"order until {words} incident")
        expected = (today + timedelta(days=1)).replace(hour=18, minute=0, second=0, microsecond=0)
        assert row is not None
        assert (row["ends_at"], row["reason"]) == (expected, "incident"), words


@pytest.mark.parametrize("clock", ["6:00 PM", "6pm", "18:00", "오후 6시"])
async def test_a_date_with_any_clock(harness: Harness, clock: str) -> None:
    day = (harness.clock() + timedelta(days=30)).astimezone(SEOUL).date()
    _, row = await frozen(harness, f"order until {day} {clock} payment incident")
    assert row is not None
    assert row["ends_at"] == datetime(day.year, day.month, day.day, 18, tzinfo=SEOUL)
    assert row["reason"] == "payment incident"


async def test_lengths_of_several_parts(harness: Harness) -> None:
    for words, minutes in (
        ("2h 30m", 150),
        ("2h30m", 150),
        ("1 day 2 hours", 1560),
        ("2 hours and 5 minutes", 125),
        ("2시간", 120),
        ("2시간 30분 동안", 150),
    ):
        _, row = await frozen(harness, f"order for {words} incident")
        assert row is not None
        assert (row["ends_at"] - row["starts_at"], row["reason"]) == (timedelta(minutes=minutes), "incident")
    for words in ("1.5h", "2h 30", "2h tomorrow", "an hour"):
        said, row = await frozen(harness, f"order for {words} incident")
        assert row is None, words
        assert "Nothing was frozen." in said


async def test_the_answer_repeats_start_end_and_zone_in_words(harness: Harness) -> None:
    start = (harness.clock() + timedelta(days=2)).astimezone(SEOUL)
    said, _ = await frozen(
        harness, f"order from {start:%Y-%m-%d} 9am until {start:%Y-%m-%d} 6:30 PM incident"
    )
    day = f"{start:%A}, {start:%B} {start.day}, {start:%Y}"
    assert f"From {day}, 09:00 until {day}, 18:30 (Asia/Seoul, UTC+09:00); 9 hrs 30 mins." in said.replace(
        "9 hr, 30 min", "9 hrs 30 mins"
    )
    said, _ = await frozen(harness, "order until 18:00 UTC incident")
    assert "18:00 (UTC)" in said
