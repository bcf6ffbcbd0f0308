"""`[[freeze]]`: what it becomes, and how each mistake in it is reported."""

from datetime import UTC, datetime, time
from zoneinfo import ZoneInfo

import pytest

from app.config.times import moment
from app.gate.rules.freeze import Span, Weekly, WeekTime
from tests.config.test_loader import SMALL, loaded, told


def freeze(lines: str) -> str:
    return SMALL + f'[[freeze]]\nreason = "weekend"\n{lines}\n'


def test_a_weekly_freeze_and_a_holiday() -> None:
    config = loaded(
        freeze('weekly = "fri 18:00 - mon 09:00"\ntime_zone = "Asia/Seoul"')
        + '[[freeze]]\nreason = "holidays"\ndomains = ["order"]\nfrom = 2026-12-24\nuntil = "2026-12-26"\n'
        'time_zone = "Asia/Seoul"\n'
        '[[freeze]]\nreason = "audit"\nfrom = 2026-12-01T09:00:00Z\nuntil = 2026-12-01T18:00:00Z\ntime_zone = "UTC"\n'
    )
    weekend, holidays, audit = config.freezes
    assert weekend.domains is None
    assert weekend.freeze.when == Weekly(
        start=WeekTime(day=4, at=time(18)), end=WeekTime(day=0, at=time(9)), zone=ZoneInfo("Asia/Seoul")
    )
    assert set(holidays.domains or ()) == {"order"}
    # Until a date means to the end of that day.
    assert holidays.freeze.when == Span(
        start=datetime(2026, 12, 23, 15, tzinfo=UTC), end=datetime(2026, 12, 26, 15, tzinfo=UTC)
    )
    assert [each.zone.key for each in config.freezes] == ["Asia/Seoul", "Asia/Seoul", "UTC"]
    assert audit.freeze.when == Span(
        start=datetime(2026, 12, 1, 9, tzinfo=UTC), end=datetime(2026, 12, 1, 18, tzinfo=UTC)
    )


def test_freezes_may_overlap() -> None:
    twice = 'weekly = "fri 18:00 - mon 09:00"\ntime_zone = "UTC"'
    later = '[[freeze]]\nreason = "night"\nweekly = "sat 22:00 - sun 24:00"\ntime_zone = "UTC"\n'
    config = loaded(freeze(twice) + later)
    assert len(config.freezes) == 2
    night = config.freezes[1].freeze.when
    assert isinstance(night, Weekly)
    assert night.end == WeekTime(day=0, at=time())


@pytest.mark.parametrize(
    ("start", "until", "expected"),
    [
        # Berlin: 02:30 comes twice on 31 October 2027.
        ("2027-10-31 02:30", "2027-10-31 04:00", ("00:30", "03:00")),
        ("2027-10-31 01:00", "2027-10-31 02:30", ("23:00", "01:30")),
        ("2027-03-28 02:30+01:00", "2027-03-28 03:30", ("01:30", "01:30")),
        # However a date is written, as an end it is to the end of that day.
        ("20271224", "20271224", ("23:00", "23:00")),
        ("2027-W51-5", "2027-W51-5", ("23:00", "23:00")),
    ],
)
def test_a_freeze_is_never_shorter_than_it_was_written(
    start: str, until: str, expected: tuple[str, str]
) -> None:
    zone = ZoneInfo("Europe/Berlin")
    begins, ends = moment(start, zone=zone, is_end=False), moment(until, zone=zone, is_end=True)
    assert (f"{begins:%H:%M}", f"{ends:%H:%M}") == expected


def test_a_date_whose_midnight_is_skipped_begins_with_the_first_moment_of_its_day() -> None:
    """On 24 April 2026 Cairo goes from 00:00 to 01:00."""
    cairo, begin = ZoneInfo("Africa/Cairo"), datetime(2026, 4, 23, 22, 0, tzinfo=UTC)
    assert moment("2026-04-24", zone=cairo, is_end=False) == begin
    assert moment("2026-04-23", zone=cairo, is_end=True) == begin


@pytest.mark.parametrize(
    ("text", "key", "said"),
    [
        (
            freeze('weekly = "fri 18:00 - mon 25:00"\ntime_zone = "UTC"'),
            "freeze#1",
            '"25:00" is no time of day',
        ),
        (freeze('weekly = "fri 18:00"\ntime_zone = "UTC"'), "freeze#1", "is no span of the week"),
        (freeze('weekly = "friday 18:00 - mon 09:00"\ntime_zone = "UTC"'), "freeze#1", '"friday" is no day'),
        (freeze('weekly = "fri 18:00 - fri 18:00"\ntime_zone = "UTC"'), "freeze#1", "ends when it begins"),
        (freeze('weekly = "fri - mon"\ntime_zone = "UTC"'), "freeze#1", "names no day and time"),
        (freeze('weekly = "fri 18:00 - mon 09:00"'), "freeze#1", "without a time zone"),
        (freeze('weekly = "fri 18:00 - mon 09:00"\ntime_zone = "KST"'), "freeze#1", '"KST" is no time zone'),
        (freeze('time_zone = "UTC"'), "freeze#1", "says not when"),
        (freeze('from = "2026-12-24"\ntime_zone = "UTC"'), "freeze#1", "says not when"),
        (
            freeze('from = "2026-12-26"\nuntil = "2026-12-24"\ntime_zone = "UTC"'),
            "freeze#1",
            "before it begins",
        ),
        (freeze('from = "soon"\nuntil = "2026-12-24"\ntime_zone = "UTC"'), "freeze#1", '"soon" is no date'),
        (
            freeze('from = "2027-03-27"\nuntil = "2027-03-28 02:30"\ntime_zone = "Europe/Berlin"'),
            "freeze#1",
            '"2027-03-28 02:30" is no time in Europe/Berlin',
        ),
        (
            freeze('from = 2027-03-28T02:30:00\nuntil = "2027-03-29"\ntime_zone = "Europe/Berlin"'),
            "freeze#1",
            "is no time in Europe/Berlin",
        ),
        (
            freeze('from = 2026-12-24\nuntil = "9999-12-31"\ntime_zone = "UTC"'),
            "freeze#1",
            '"9999-12-31" is no date',
        ),
        (
            freeze('from = "0001-01-01"\nuntil = 2026-12-24\ntime_zone = "Asia/Seoul"'),
            "freeze#1",
            '"0001-01-01" is no date',
        ),
        (
            freeze('from = 2026-12-24\nuntil = "9999-12-31T23:30Z"\ntime_zone = "Asia/Seoul"'),
            "freeze#1",
            '"9999-12-31T23:30Z" is no date',
        ),
        (
            freeze(
                'weekly = "fri 18:00 - mon 09:00"\nfrom = "2026-12-24"\nuntil = "2026-12-26"\ntime_zone = "UTC"'
            ),
            "freeze#1",
            "or says it twice",
        ),
        (
            freeze('domains = ["ordr"]\nweekly = "fri 18:00 - mon 09:00"\ntime_zone = "UTC"'),
            "freeze#1.domains",
            "Did you mean order?",
        ),
        (
            freeze('domains = []\nweekly = "fri 18:00 - mon 09:00"\ntime_zone = "UTC"'),
            "freeze#1.domains",
            "is empty",
        ),
        (SMALL + '[[freeze]]\nweekly = "x"\n', "freeze#1.reason", 'Add reason = "weekend".'),
        (
            SMALL + '[[freeze]]\nreason = " "\nweekly = "fri 18:00 - mon 09:00"\ntime_zone = "UTC"\n',
            "freeze#1.reason",
            "is empty",
        ),
        (SMALL + '[freeze]\nreason = "x"\n', "freeze", "Write [[freeze]]"),
    ],
)
def test_a_mistake_in_a_freeze_is_told_with_its_key_and_a_remedy(text: str, key: str, said: str) -> None:
    problems = told(text)
    assert list(problems) == [key]
    assert said in problems[key]
