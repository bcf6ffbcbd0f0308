"""The vocabulary of times that people write, in English and Korean, as patterns over normalized text."""

import re
from collections.abc import Iterable
from difflib import get_close_matches
from functools import cache
from typing import Final
from zoneinfo import available_timezones

from app.config.reserved_words import STARTS

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

_LONG_NAMES: Final = (
    *(name for name in (*WEEKDAYS, *RELATIVE_DAYS, *UNITS, *MIDNIGHT) if name.isascii() and len(name) > 4),
    *("january", "february", "march", "april", "august", "september", "october", "november", "december"),
    *("tonight", "yesterday", "morning", "afternoon", "evening", "overnight", "weekend", "fortnight"),
    *("months", "quarter", "years", "christmas", "thanksgiving"),
)
"""Recognized with a typing error, too."""

_TIME_WORD: Final = _pattern(
    rf"{_any_of(name for name in (*WEEKDAYS, *RELATIVE_DAYS, *NOON, *ZONES, *UNITS) if len(name) > 1)}"
    r"|(?:week|month|year|hour|quarter)[a-z]*|days?|daily|seconds|secs?|nights?|(?:to)?nite|half|am|pm|end|next|later|until|till?"
    r"|jan|feb|mar|apr|may|june?|july?|aug|sept?|oct|nov|dec|xmas|wknd|tm[orw]w?|tmrw|moro|(?:eo|co)[bdmpqwy]"
    r"|one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|dozen|couple|few|[a-z]+teen|(?:twen|thir|for|fif|six|seven|eigh|nine)ty|time|o?clock"
    r"|local|sharp|[a-z][sd]t|(?:ac|ae|ak|br|nz|sa)[sd]t|[ce]est|[cew]et|awst|[cw]at|ict|wib|pht|pkt|[bt]rt|sgt|hkt|msk"
    r"|[월화수목금토일주달날낼분반밤낮한두세네열십](?:에|날)?|[이삼사오육]십분?|(?:[한두세네]|다섯|여섯|일곱|여덟|아홉|열|열한|열두)시?"
    r"|.*(?:시간|요일|[월화수목금토일]욜|내일|오늘|모레|글피|어제|[익명당말]일|[주월연]말|다음|담달|(?:이번|담|매|차|금|내)주|주일|개월"
    r"|이틀|사흘|나흘|닷새|열흘|보름|하루|나절|새벽|아침|점심|저녁|오전|오후|정오|자정|한밤|까지|부터|동안|이내|이후|[한두세]달"
    r"|설날|추석|성탄|크리스마스|기준|현지|표준시|동부|서부|태평양).*"
)
_UPPERCASE_ZONE: Final = re.compile(r"(?<![A-Za-z])(?:[A-Z]{2,4}|[ACEMP])T(?![A-Za-z])")
_MERIDIEM_APART: Final = _pattern(r"(?<![a-z])[ap]\W{1,2}m(?![a-z])")


def begins_time(word: str) -> bool:
    """Whether the times of a freeze begin with this word."""
    return word.lower() in STARTS or word[:1].isdigit() or looks_like_time(word)


def looks_like_time(text: str) -> bool:
    """Whether a word of it could be a day, a clock, a length or a zone."""
    return any(map(_is_time_word, set(re.findall("[a-z]+|[가-힣]+", text.lower())))) or any(
        map(bool, (at.search(text) for at in (_UPPERCASE_ZONE, _MERIDIEM_APART, _zone_places())))
    )


def _is_time_word(word: str) -> bool:
    return bool(
        _TIME_WORD.fullmatch(word) or (len(word) > 4 and get_close_matches(word, _LONG_NAMES, 1, 0.83))
    )


@cache
def _zone_places() -> re.Pattern[str]:
    """`Seoul`, `New York`, `Pacific`, `Zulu`: what the time zone database names its zones by."""
    names = {name.rpartition("/")[2].replace("_", " ").lower() for name in available_timezones()}
    names -= {"center", "east", "factory", "general", "north", "south", "universal", "west"}
    return _pattern(rf"(?<![a-z])(?:{_any_of(names)})(?![a-z])")
