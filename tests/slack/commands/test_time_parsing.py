"""Times as people write them: understood as an independent search finds them, or refused."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.slack.commands.time_errors import (
    ClockMissing,
    DayUnclear,
    GivenTwice,
    InvalidTime,
    MayBelongToTime,
    NoEnd,
    NoSuchLocalTime,
    NotATime,
    StartOrEnd,
    ZoneUnknown,
)
from app.slack.commands.time_parsing import read_span

SEOUL, BERLIN = ZoneInfo("Asia/Seoul"), ZoneInfo("Europe/Berlin")
NOW = datetime(2026, 11, 24, 3, 0, tzinfo=UTC)
"""Tuesday noon in Seoul."""

MINUTE = timedelta(minutes=1)
DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
KOREAN_DAYS = "월화수목금토일"


@pytest.mark.parametrize(
    ("text", "local", "reason"),
    [
        ("18:00 x", "2026-11-24 18:00", "x"),
        ("9:05 x", "2026-11-25 09:05", "x"),
        ("12:00 x", "2026-11-25 12:00", "x"),
        ("24:00 x", "2026-11-25 00:00", "x"),
        ("midnight x", "2026-11-25 00:00", "x"),
        ("noon x", "2026-11-25 12:00", "x"),
        ("6:00 PM payment incident", "2026-11-24 18:00", "payment incident"),
        ("6pm x", "2026-11-24 18:00", "x"),
        ("6 p.m. x", "2026-11-24 18:00", "x"),
        ("12am x", "2026-11-25 00:00", "x"),
        ("12pm x", "2026-11-25 12:00", "x"),
        ("PM 6:30 x", "2026-11-24 18:30", "x"),
        ("mon 09:00 because the market is closed", "2026-11-30 09:00", "the market is closed"),
        ("tue 11:00 x", "2026-12-01 11:00", "x"),
        ("Tuesday 13:00 x", "2026-11-24 13:00", "x"),
        ("fri 6pm x", "2026-11-27 18:00", "x"),
        ("fri 24:00 x", "2026-11-28 00:00", "x"),
        ("18:00 on friday x", "2026-11-27 18:00", "x"),
        ("friday, at 6 pm x", "2026-11-27 18:00", "x"),
        ("18:00 tomorrow x", "2026-11-25 18:00", "x"),
        ("tomorrow at 18:00 x", "2026-11-25 18:00", "x"),
        ("2026-12-24 6:00 PM x", "2026-12-24 18:00", "x"),
        ("2026-12-26 holiday", "2026-12-27 00:00", "holiday"),
        ("2026-12-26 24:00 x", "2026-12-27 00:00", "x"),
        ("2026-12-26T18:00:00+09:00 x", "2026-12-26 18:00", "x"),
        ("2026-12-26T09:00Z x", "2026-12-26 18:00", "x"),
        ("18:00 UTC x", "2026-11-25 03:00", "x"),
        ("18:00Z x", "2026-11-25 03:00", "x"),
        ("18:00+09:00 x", "2026-11-24 18:00", "x"),
        ("18:00 UTC+2 x", "2026-11-25 01:00", "x"),
        ("18:00 gmt-03:30 x", "2026-11-25 06:30", "x"),
        ("18:00 KST x", "2026-11-24 18:00", "x"),
        ("fri 18:00 Europe/Berlin x", "2026-11-28 02:00", "x"),
        ("금 18:00 장애", "2026-11-27 18:00", "장애"),
        ("월요일 09:00까지 장애", "2026-11-30 09:00", "장애"),
        ("오후 6시 장애", "2026-11-24 18:00", "장애"),
        ("오후 6시 30분까지 장애", "2026-11-24 18:30", "장애"),
        ("내일 18시 장애", "2026-11-25 18:00", "장애"),
        ("내일 오전 9:30에 장애", "2026-11-25 09:30", "장애"),
        ("모레 09시 장애", "2026-11-26 09:00", "장애"),
        ("18:00, payment incident", "2026-11-24 18:00", "payment incident"),
        ("18:00. payment incident", "2026-11-24 18:00", "payment incident"),
        ("18:00 for the release", "2026-11-24 18:00", "for the release"),
        ("18:00 because payment 5xx since 14:05", "2026-11-24 18:00", "payment 5xx since 14:05"),
        ("18:00 because 500 errors", "2026-11-24 18:00", "500 errors"),
        ("18:00 일부 결제 장애", "2026-11-24 18:00", "일부 결제 장애"),
        ("18:00 주문 장애", "2026-11-24 18:00", "주문 장애"),
        ("18:00 payment/refund fails", "2026-11-24 18:00", "payment/refund fails"),
        ('18:00 "the release of tomorrow"', "2026-11-24 18:00", "the release of tomorrow"),
        ("18:00 “오늘 배포”", "2026-11-24 18:00", "오늘 배포"),
        ("tomorrow x", "2026-11-26 00:00", "x"),
        ("today x", "2026-11-25 00:00", "x"),
        ("내일까지 장애", "2026-11-26 00:00", "장애"),
    ],
)
def test_an_end(text: str, local: str, reason: str) -> None:
    span = read_span(f"until {text}", now=NOW, zone=SEOUL)
    assert (span.end.astimezone(SEOUL).strftime("%Y-%m-%d %H:%M"), span.reason) == (local, reason)


@pytest.mark.parametrize(
    ("text", "minutes", "reason"),
    [
        ("2h x", 120, "x"),
        ("90m x", 90, "x"),
        ("3D x", 3 * 1440, "x"),
        ("2h30m x", 150, "x"),
        ("2h 30m x", 150, "x"),
        ("2 hours and 5 minutes x", 125, "x"),
        ("1 day 2 hours x", 1560, "x"),
        ("1 week x", 7 * 1440, "x"),
        ("2시간 장애", 120, "장애"),
        ("2시간 30분 동안 장애", 150, "장애"),
        ("1일 2시간 장애", 1560, "장애"),
        ("2h payment incident on the way", 120, "payment incident on the way"),
    ],
)
def test_a_length(text: str, minutes: int, reason: str) -> None:
    span = read_span(f"for {text}", now=NOW, zone=SEOUL)
    assert (span.end - span.start, span.reason) == (timedelta(minutes=minutes), reason)


@pytest.mark.parametrize(
    "text",
    [
        *("25:00", "24:01", "18:60", "18:00:30", "18.00", "18h00", "1800", "18", "6", "6 p", "6:00 a pm"),
        *("18:00 pm", "13pm", "0 am", "pm 6 pm", "am", "6pmx", "18:00utcx", "99999999999:00"),
        *(
            "2026-13-01",
            "2026-02-30",
            "2026/12/24",
            "24.12.2026",
            "12/24",
            "dec 24",
            "24 dec",
            "2026-12-24-18:00",
        ),
        *("tonight", "next friday 18:00", "about 18:00", "the weekend", "eod", "half past six", "six pm"),
        *(
            "fri sat 18:00",
            "18:00 19:00",
            "tomorrow fri 18:00",
            "18:00 utc kst",
            "fri midnight",
            "UTC",
            "+15:00 18:00",
        ),
        *("6시", "오후 18시", "다음주 월요일 09:00", "저녁 6시", "Mars/Olympus", ""),
    ],
)
def test_no_time(text: str) -> None:
    with pytest.raises((NotATime, MayBelongToTime)):
        read_span(f"until {text} x", now=NOW, zone=SEOUL)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "0h",
        "h",
        "-2h",
        "99999999999d",
        "1.5h",
        "2h 3h",
        "30m 2h",
        "two hours",
        "an hour",
        "half an hour",
        "시간",
    ],
)
def test_no_length(text: str) -> None:
    with pytest.raises(NotATime):
        read_span(f"for {text} x", now=NOW, zone=SEOUL)


@pytest.mark.parametrize(
    "text",
    [
        *(
            "until 18:00 CST x",
            "until 18:00 EST",
            "until 18:00 PT x",
            "until 18:00 (UTC) x",
            "until 18:00 +9 x",
        ),
        *(
            "until 18:00 local time x",
            "until 18:00 o'clock x",
            "until 18:00 in the evening x",
            "until 18:00 sharp",
        ),
        *("until 18:00 next friday x", "until 18:00 of the next day x", "until 18:00 or tomorrow x"),
        *("until 18:00 - 20:00 x", "until 18:00 to 20:00 x", "until 18:00 24 dec x", "until 18:00 dec 24 x"),
        *(
            "until 18:00 payment incident tomorrow",
            "until 18:00 payment incident, UTC",
            "until 18:00 for an hour x",
        ),
        *("until 2026-12-24 incident 6pm", "until 18:00 the monday release", "until 18:00 fridays x"),
        *(
            "for 2h 30 x",
            "for 2h tomorrow x",
            "for 2h payment work on monday",
            "for 2h half x",
            "for 2h to 3h x",
        ),
        *("for 2h payments from 18:00 failed", "until 18:00 incident from tomorrow 09:00"),
        *(
            "until 18:00 월 정산",
            "until 18:00 한국시간 장애",
            "until 18:00 기준 장애",
            "until 18:00 이번 금요일 장애",
        ),
        *(
            "until 18:00 결제 장애 내일",
            "for 2h 내일 장애",
            "for 2시간 반 장애",
            "until 18:00 12월 24일 장애",
        ),
    ],
)
def test_a_word_that_could_belong_to_the_time_is_no_reason(text: str) -> None:
    with pytest.raises(MayBelongToTime):
        read_span(text, now=NOW, zone=SEOUL)


@pytest.mark.parametrize(
    ("text", "start", "end", "reason"),
    [
        ("from 18:00 for 2h release", "24 18:00", "24 20:00", "release"),
        ("for 2h from 18:00 release", "24 18:00", "24 20:00", "release"),
        ("For 2h From 18:00", "24 18:00", "24 20:00", ""),
        ("until 14:00 from 18:00 release", "24 18:00", "25 14:00", "release"),
        ("until fri 09:00 from thu release", "26 00:00", "27 09:00", "release"),
        ("from tomorrow 6pm until 8pm release", "25 18:00", "25 20:00", "release"),
        ("from tomorrow 09:00 until tomorrow 18:00 x", "25 09:00", "25 18:00", "x"),
        ("from 내일 09:00부터 until 18:00까지 배포", "25 09:00", "25 18:00", "배포"),
        ("from 13:00 until 18:00 for", "24 13:00", "24 18:00", "for"),
        ("from 2026-12-24 until 2026-12-26 holidays", "24 00:00", "27 00:00", "holidays"),
        ("from tomorrow until fri 09:00 release", "25 00:00", "27 09:00", "release"),
        ("18:00까지 장애", "24 12:00", "24 18:00", "장애"),
        ("오후 6시까지 장애", "24 12:00", "24 18:00", "장애"),
        ("금요일 18:00까지 장애", "24 12:00", "27 18:00", "장애"),
        ("내일까지 장애", "24 12:00", "26 00:00", "장애"),
        ("2026-12-26까지 연휴", "24 12:00", "27 00:00", "연휴"),
        ("내일 09:00부터 18:00까지 배포", "25 09:00", "25 18:00", "배포"),
        ("18:00까지 13:00부터 배포", "24 13:00", "24 18:00", "배포"),
        ("18:00부터 2시간 동안 배포", "24 18:00", "24 20:00", "배포"),
        ("2시간 동안 18:00부터 배포", "24 18:00", "24 20:00", "배포"),
        ("2시간 장애", "24 12:00", "24 14:00", "장애"),
        ("30분간 장애", "24 12:00", "24 12:30", "장애"),
        ("3일 동안 장애", "24 12:00", "27 12:00", "장애"),
        ("2h incident", "24 12:00", "24 14:00", "incident"),
        ("90 minutes incident", "24 12:00", "24 13:30", "incident"),
        ("tomorrow release", "25 00:00", "26 00:00", "release"),
        ("내일 배포", "25 00:00", "26 00:00", "배포"),
        ("today incident", "24 12:00", "25 00:00", "incident"),
        ("2026-12-26 holiday", "26 00:00", "27 00:00", "holiday"),
    ],
)
def test_a_span_in_either_order(text: str, start: str, end: str, reason: str) -> None:
    span = read_span(text, now=NOW, zone=SEOUL)
    local = [f"{moment.astimezone(SEOUL):%d %H:%M}" for moment in (span.start, span.end)]
    assert (*local, span.reason) == (start, end, reason)


@pytest.mark.parametrize(
    "text",
    [
        "until 18:00 for 2h x",
        "for 2h until 18:00 x",
        "for 2h for 3h x",
        "until 18:00 from 18:00 from 19:00 x",
    ],
)
def test_a_span_with_two_ends_or_starts(text: str) -> None:
    with pytest.raises(GivenTwice):
        read_span(text, now=NOW, zone=SEOUL)


@pytest.mark.parametrize(
    "text", ["18:00 incident", "tomorrow 18:00 x", "내일 18:00 장애", "fri release", "월 정산", "18:00 UTC x"]
)
def test_a_time_alone_may_be_the_start_or_the_end(text: str) -> None:
    with pytest.raises(StartOrEnd):
        read_span(text, now=NOW, zone=SEOUL)


@pytest.mark.parametrize(
    "text", ["3일 장애", "6시까지 장애", "25:00까지 장애", "12월 24일까지 장애", "2시간까지 장애"]
)
def test_a_korean_time_that_may_be_another_one_is_refused(text: str) -> None:
    with pytest.raises(InvalidTime):
        read_span(text, now=NOW, zone=SEOUL)


@pytest.mark.parametrize("text", ["", "from 18:00 release", "release for 2h"])
def test_a_span_without_an_end(text: str) -> None:
    with pytest.raises(NoEnd):
        read_span(text, now=NOW, zone=SEOUL)


@pytest.mark.parametrize("text", ["until fri deploy day", "금요일까지 배포"])
def test_a_day_as_an_end_needs_its_clock(text: str) -> None:
    with pytest.raises(ClockMissing):
        read_span(text, now=NOW, zone=SEOUL)


@pytest.mark.parametrize(
    "text",
    [
        "for 2h from",
        "for the release",
        "until 18:00 from late x",
        "for 2h from tomorrow x",
        "until 9999-12-31 x",
        "from 9999-12-30 for 9d",
    ],
)
def test_a_start_that_is_no_time_is_no_reason(text: str) -> None:
    with pytest.raises(NotATime):
        read_span(text, now=NOW, zone=SEOUL)


def test_a_time_that_the_clocks_skip_is_refused() -> None:
    night = datetime(2027, 3, 27, 20, 0, tzinfo=UTC)
    for text in (
        "until 02:30 x",
        "until 2027-03-28 02:00 x",
        "until tomorrow 2:59 am x",
        "from 02:30 for 2h x",
    ):
        with pytest.raises(NoSuchLocalTime):
            read_span(text, now=night, zone=BERLIN)
    assert read_span("until 03:00 x", now=night, zone=BERLIN).end == datetime(2027, 3, 28, 1, 0, tzinfo=UTC)
    # Once the skipped time is over, the next such time is tomorrow's.
    noon = datetime(2027, 3, 28, 10, 0, tzinfo=UTC)
    assert read_span("until 02:30 x", now=noon, zone=BERLIN).end == datetime(2027, 3, 29, 0, 30, tzinfo=UTC)


def test_a_time_that_comes_twice_starts_with_the_first_and_ends_with_the_second() -> None:
    evening = datetime(2026, 10, 24, 20, 0, tzinfo=BERLIN).astimezone(UTC)
    span = read_span("from 02:30 until 2026-10-25 02:30 x", now=evening, zone=BERLIN)
    assert span.end - span.start == timedelta(hours=1)
    between = datetime(2026, 10, 25, 0, 45, tzinfo=UTC)
    assert read_span("from 02:30 for 2h x", now=between, zone=BERLIN).start == between + timedelta(minutes=45)


def test_tomorrow_in_a_zone_that_has_another_today_is_refused() -> None:
    morning = datetime(2026, 11, 24, 23, 0, tzinfo=UTC)  # the 25th in Seoul
    with pytest.raises(DayUnclear):
        read_span("until 18:00 UTC tomorrow x", now=morning, zone=SEOUL)
    assert read_span("until 18:00 UTC fri x", now=morning, zone=SEOUL).end.day == 27


def test_without_a_known_zone_only_what_needs_none_is_understood() -> None:
    for text in ("until 18:00 x", "until 2026-12-24 x", "from tomorrow 09:00 for 2h x"):
        with pytest.raises(ZoneUnknown):
            read_span(text, now=NOW, zone=None)
    assert read_span("until 18:00 UTC x", now=NOW, zone=None).end.hour == 18
    assert read_span("for 2h x", now=NOW, zone=None).end == NOW + timedelta(hours=2)


NIGHTS = [datetime(*day, tzinfo=UTC) for day in ((2027, 3, 28), (2026, 10, 25), (2027, 3, 14), (2027, 4, 30))]
"""On which clocks change, in the zones below."""

# An independent oracle: it looks at one minute of the world after the other, at what the clocks there show.


def minutes_after(moment: datetime) -> Iterator[datetime]:
    minute = moment.replace(second=0, microsecond=0)
    for count in range(1, 15 * 1440):
        yield minute + count * MINUTE


def found_by_search(
    now: datetime, zone: ZoneInfo, *, hour: int, minute: int, weekday: int | None, day: date | None
) -> datetime | None:
    """The end as the world's clocks show it; the second where a time comes twice; None where they skip it."""
    expected: date | None = day
    for at in minutes_after(now):
        local = at.astimezone(zone)
        if (local.hour, local.minute) != (hour, minute):
            continue
        if weekday not in (None, local.weekday()) or expected not in (None, local.date()):
            continue
        again = (at + timedelta(hours=1)).astimezone(zone)
        return at + timedelta(hours=1) if (again.hour, again.minute) == (hour, minute) else at
    return None


def clock_forms(hour: int, minute: int) -> list[str]:
    half, twelve = ("am" if hour < 12 else "pm"), hour % 12 or 12
    korean = "오전" if hour < 12 else "오후"
    forms = [f"{hour:02}:{minute:02}", f"{twelve}:{minute:02}{half}", f"{twelve}:{minute:02} {half.upper()}"]
    forms += [f"{korean} {twelve}시 {minute}분", f"{korean} {twelve}:{minute:02}"]
    return forms + (
        [f"{twelve}{half}", f"{twelve} {half[0]}.m.", f"{korean} {twelve}시"] if minute == 0 else []
    )


@settings(max_examples=150, deadline=None)
@given(
    st.data(),
    st.sampled_from(
        ["Asia/Seoul", "Europe/Berlin", "America/New_York", "Asia/Kolkata", "Africa/Cairo", "UTC"]
    ),
    st.integers(0, 23),
    st.sampled_from([0, 0, 5, 30, 59]),
    st.sampled_from(["none", "weekday", "date", "tomorrow"]),
    st.booleans(),
)
def test_every_time_that_is_understood_is_the_one_that_the_clocks_show(
    data: st.DataObject, name: str, hour: int, minute: int, kind: str, day_first: bool
) -> None:
    base = data.draw(st.sampled_from([NOW, *NIGHTS]))
    around = timedelta(days=400 if base is NOW else 2)
    now = base + data.draw(st.timedeltas(-around, around))
    theirs = ZoneInfo(name)
    names_zone = data.draw(st.booleans())
    own = SEOUL if names_zone else theirs
    today = now.astimezone(theirs).date()
    day, weekday, said = None, None, ""
    if kind == "weekday":
        weekday = data.draw(st.integers(0, 6))
        said = data.draw(st.sampled_from([DAYS[weekday], DAYS[weekday][:3].upper(), f"on {DAYS[weekday]}"]))
        if day_first:
            said = data.draw(st.sampled_from([said, KOREAN_DAYS[weekday], f"{KOREAN_DAYS[weekday]}요일"]))
    elif kind == "date":
        day = today + timedelta(days=data.draw(st.integers(1, 8)))
        said = day.isoformat()
    elif kind == "tomorrow":
        day, said = today + timedelta(days=1), data.draw(st.sampled_from(["tomorrow", "내일"]))
    clock = data.draw(st.sampled_from(clock_forms(hour, minute)))
    zone = f" {name}" if names_zone else ""
    text = f"{said} {clock}{zone}" if day_first else f"{clock}{zone} {said}"
    try:
        span = read_span(f"until {text} incident", now=now, zone=own)
    except (NoSuchLocalTime, DayUnclear) as refused:
        if isinstance(refused, NoSuchLocalTime):
            # It was skipped on the day that comes first.
            return
        assert now.astimezone(theirs).date() != now.astimezone(own).date()
        return
    assert span.reason == "incident"
    assert span.end == found_by_search(now, theirs, hour=hour, minute=minute, weekday=weekday, day=day), text


WORDS = """
18:00 6 6pm 6:00 pm am fri friday tomorrow today tonight utc kst cst 2h 30m hours minutes 2026-12-24 12/24 on at next
the of and until from for noon midnight 오후 6시 18시 내일 월 월요일 2시간 30분 까지 기준 payment incident release
- ( ) , +09:00 +9 Z
"""
TIME_WORDS = frozenset(
    "tonight cst 12/24 6 30m minutes hours pm am utc kst tomorrow today friday 18:00 6pm noon".split()  # noqa: SIM905
)


@settings(max_examples=600, deadline=None)
@given(st.lists(st.sampled_from(WORDS.split()), min_size=1, max_size=7))
def test_no_word_of_a_time_is_left_at_the_beginning_of_a_reason(words: list[str]) -> None:
    try:
        span = read_span("until " + " ".join(words), now=NOW, zone=SEOUL)
    except InvalidTime:
        return
    first = span.reason.split()[:1]
    assert not TIME_WORDS & set(first), (words, span)
