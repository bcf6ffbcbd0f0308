"""The vocabulary of times that people write, in English and Korean, as patterns over normalized text."""

import re
from collections.abc import Iterable
from typing import Final

WEEKDAYS: Final = {
    name: day
    for day, names in enumerate(
        (
            ("mon", "monday", "월", "월요일"),
            ("tue", "tues", "tuesday", "화", "화요일"),
            ("wed", "wednesday", "수", "수요일"),
            ("thu", "thur", "thurs", "thursday", "목", "목요일"),
            ("fri", "friday", "금", "금요일"),
            ("sat", "saturday", "토", "토요일"),
            ("sun", "sunday", "일", "일요일"),
        )
    )
    for name in names
}
RELATIVE_DAYS: Final = {"today": 0, "오늘": 0, "tomorrow": 1, "내일": 1, "모레": 2}
ZONES: Final = {"utc": "UTC", "gmt": "UTC", "z": "UTC", "kst": "Asia/Seoul", "jst": "Asia/Tokyo"}
"""Abbreviations of one zone only. CST and IST mean several, so they are refused."""

NOON: Final = ("noon", "midday", "정오")
MIDNIGHT: Final = ("midnight", "자정")
PARTICLES: Final = {"until": "까지", "from": "부터", "for": "동안|간"}
UNITS: Final = {
    name: minutes
    for minutes, names in (
        (7 * 24 * 60, ("w", "wk", "wks", "week", "weeks", "주")),
        (24 * 60, ("d", "day", "days", "일")),
        (60, ("h", "hr", "hrs", "hour", "hours", "시간")),
        (1, ("m", "min", "mins", "minute", "minutes", "분")),
    )
    for name in names
}
"""Each unit in minutes; a day has 24 hours."""


def _any_of(names: Iterable[str]) -> str:
    return "|".join(sorted(map(re.escape, names), key=len, reverse=True))


def _pattern(text: str) -> re.Pattern[str]:
    return re.compile(text, re.IGNORECASE)


_ANY_PARTICLE: Final = "에|까지|부터|동안|간"
_END: Final = rf"(?=(?:{_ANY_PARTICLE})?(?:\W|_|$))"
"""The word ends here, or with a Korean particle."""

_MERIDIEM: Final = r"a\.m\.?|p\.m\.?|am|pm|오전|오후"
_OFFSET: Final = r"(?:(?:utc|gmt) ?[+-]\d{1,2}(?::?\d{2})?|[+-]\d{2}:?\d{2})"

ISO: Final = _pattern(r"(?P<date>\d{4}-\d{2}-\d{2})T(?P<hour>\d{2}):(?P<minute>\d{2})(?::00)?(?![:.]?\d)")
DATE: Final = _pattern(rf"(?P<date>\d{{4}}-\d{{2}}-\d{{2}})(?![-/.:]\d){_END}")
CLOCK: Final = _pattern(
    rf"(?:(?P<before>{_MERIDIEM}) ?)?"
    r"(?P<hour>\d{1,2})(?::(?P<minute>\d{2})|(?P<hangul>시)(?: ?(?P<hangul_minute>\d{1,2})분)?)?(?![:.]?\d)"
    rf"(?: ?(?P<after>{_MERIDIEM}){_END})?"
)
NAMED_CLOCK: Final = _pattern(rf"(?P<name>{_any_of((*NOON, *MIDNIGHT))}){_END}")
DAY: Final = _pattern(rf"(?P<name>{_any_of((*WEEKDAYS, *RELATIVE_DAYS))}){_END}")
ZONE: Final = _pattern(
    rf"(?P<offset>{_OFFSET}){_END}"
    rf"|(?P<name>{_any_of(ZONES)}){_END}(?! ?[+-]\d)"
    rf"|(?P<iana>[a-z]+(?:/[a-z0-9_+-]+){{1,2}}){_END}"
)
CONNECTOR: Final = _pattern(r"(?:on|at) (?=\S)")
LENGTH: Final = _pattern(
    rf"(?P<count>\d{{1,5}}) ?(?P<unit>{_any_of(UNITS)})(?=(?:{_ANY_PARTICLE})?(?:\d|\W|_|$))"
)
SEPARATOR: Final = _pattern(r",? ?(?:and )?")

_FILLING: Final = (
    r"(?:[\s,;:.()\[\]{}~/+–—-]|(?:on|at|in|the|of|and|or|to|till?|a|an|about|around|by|this|next|coming|following|last"
    r"|every|then|for|from|until|one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|couple|few|이번|다음|약|쯤)(?=\W|$))*"
)
_MONTHS: Final = "jan|feb|mar|apr|may|jun|jul|aug|sept?|oct|nov|dec"
_ABBREVIATIONS: Final = (
    "[ecmp][sd]?t|cest|cet|bst|ist|msk|sgt|hkt|aest|aedt|awst|nzst|nzdt|west|eest|eet|ict|wib|pht|akst|hst"
)
_AMOUNTS: Final = (
    rf"\d{{1,2}}(?=\W|$)|(?:[01]\d|2[0-3])[0-5]\d(?=\W|$)|20\d\d(?=\W|$)|\d{{1,2}}[:.h]\d{{2}}|\d{{1,4}}[-/.]\d{{1,2}}"
    rf"|\d{{1,2}}(?:st|nd|rd|th)(?=\W|$)|[+-]\d{{1,2}}(?::?\d{{2}})?(?=\W|$)"
    rf"|\d+(?:[.,]\d+)? ?(?:{_any_of(UNITS)}|{_MERIDIEM}|[ap]|시|월|년|초|s|secs?|seconds?|months?|years?){_END}"
    rf"|(?:{_MONTHS})[a-z]*\.? \d{{1,2}}|(?:january|february|september|october|november|december)(?=\W|$)"
)
_NAMES: Final = (
    rf"(?:{_any_of((*WEEKDAYS, *RELATIVE_DAYS, *NOON, *MIDNIGHT, *ZONES))}|{_MERIDIEM}){_END}"
    rf"|(?:{_ABBREVIATIONS})(?=\W|$)|(?:{'|'.join(name for name in WEEKDAYS if name.endswith('day'))})s(?=\W|$)"
    r"|(?:tonight|tmrw?|tomorow|yesterday|morning|afternoon|evening|night|eo[dw]|cob"
    r"|days?|weeks?|months?|years?|hours?|hrs?|minutes?|mins?|half|quarter|noonish|o'?clock|o’clock"
    r"|sharp|local|time|daily|weekly|today's|tomorrow's)(?=\W|$)"
    r"|(?:오전|오후|오늘|내일|모레|글피|어제|새벽|정오|자정|[월화수목금토일]요일|한국 ?시간|서울 ?시간|현지)"
    r"|(?:아침|저녁|점심|밤|낮|반|주|시|분|까지|부터|동안|이내|이후|이전|기준|시간|사이|경)(?=\W|$)"
)
NEXT_TO_TIME: Final = _pattern(rf"{_FILLING}(?P<word>{_AMOUNTS}|{_NAMES}|[a-z]+/[a-z]+_[a-z_]+)")
"""What right after a time could still belong to it, behind words that join."""

LATER_DAY: Final = _pattern(
    rf"(?<!\w)(?P<word>\d{{4}}-\d{{2}}-\d{{2}}|tonight|(?:{_any_of(RELATIVE_DAYS)}|"
    rf"{_any_of(name for name in WEEKDAYS if len(name) > 3 or name.endswith('요일'))}){_END})"
)
LATER_CLOCK: Final = _pattern(
    rf"(?<!\w)(?P<word>\d{{1,2}}:\d{{2}}(?!\d)|\d{{1,2}} ?(?:{_MERIDIEM}){_END}"
    r"|(?:오전|오후) ?\d{1,2}시|\d{1,2}시(?=\W|$))"
)
LATER_ZONE: Final = _pattern(r"(?<!\w)(?P<word>(?:utc|gmt|kst|jst)(?:[+-]\d+)?)(?=\W|$)")
LATER_START: Final = _pattern(r"(?<!\w)(?P<word>(?:from|starting|beginning)) ")
