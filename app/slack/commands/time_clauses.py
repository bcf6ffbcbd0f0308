"""Parses one clause of a freeze's times: `fri 6pm`, `18:00 UTC`, `2h 30m`, as it follows `from`, `until` or `for`, or
stands before a Korean particle: `18:00까지`, `내일 09:00부터`, `2시간 동안`.

An element that repeats or contradicts another is rejected.
"""

import re
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, timedelta, timezone, tzinfo
from zoneinfo import ZoneInfo

from app.config.reserved_words import FOR, FROM, UNTIL
from app.slack.commands import time_words as words
from app.slack.commands.local_times import Clock, Day, RelativeDay, Weekday, zone_named
from app.slack.commands.time_errors import NotATime


@dataclass(kw_only=True, slots=True)
class Clause:
    """What follows `from`, `until` or `for`. `text` is all of it, as it was written."""

    text: str = ""
    day: Day | None = None
    clock: Clock | None = None
    zone: tzinfo | None = None
    length: timedelta | None = None
    is_midnight: bool = False
    has_particle: bool = False
    """Whether it ends with the Korean particle of its keyword: `18:00까지`, `내일부터`, `2시간 동안`."""


def read_length(text: str, keyword: str) -> tuple[Clause, str]:
    minutes, place, last = 0, 0, 0
    while found := words.LENGTH.match(text, _after_separator(text, place) if place else 0):
        unit = words.UNITS[found["unit"].lower()]
        if last and unit >= last:
            raise NotATime(text[: found.end()])
        minutes, place, last = minutes + int(found["count"]) * unit, found.end(), unit
    if not minutes:
        raise NotATime(_first_words(text))
    try:
        length = timedelta(minutes=minutes)
    except OverflowError:
        raise NotATime(text[:place]) from None
    rest, marked = _without_particle(text, place, keyword)
    return Clause(text=text[:place], length=length, has_particle=marked), rest


def read_bare(text: str, *, is_first: bool) -> tuple[str, Clause, str] | None:
    """A clause without `from`, `until` or `for`, with the keyword that it stands for: `18:00까지`, `2시간 동안`.

    Only the first clause may lack the particle, too: a length (`2시간`), or a day or a time, as which the keyword is
    empty.
    """
    for keyword in (UNTIL, FROM, FOR):
        read = read_length if keyword == FOR else read_moment
        with suppress(NotATime):
            clause, rest = read(text, keyword)
            # `3일` without a particle may be the third of the month.
            is_length = keyword == FOR and is_first and not clause.text.endswith("일")
            if clause.has_particle or is_length:
                return keyword, clause, rest
    with suppress(NotATime):
        return ("", *read_moment(text, UNTIL)) if is_first else None
    return None


def _after_separator(text: str, place: int) -> int:
    found = words.SEPARATOR.match(text, place)
    return found.end() if found else place


def read_moment(text: str, keyword: str) -> tuple[Clause, str]:
    clause, place = Clause(), 0
    while True:
        at = _next_element(text, place)
        end = _take(clause, text, at)
        if end is None and (joined := words.CONNECTOR.match(text, at)):
            end = _take(clause, text, joined.end())
        if end is None:
            break
        rest, clause.has_particle = _without_particle(text, end, keyword)
        place = len(text) - len(rest)
        clause.text = text[:end]
        if clause.has_particle:
            break
    if not place or (place < len(text) and text[place].isalnum() and text[place - 1].isalnum()):
        raise NotATime(_first_words(text))
    if clause.is_midnight and clause.day is not None:
        raise NotATime(clause.text)
    return clause, text[place:]


def _next_element(text: str, place: int) -> int:
    return len(text) - len(text[place:].lstrip(" ,")) if place else 0


def _without_particle(text: str, place: int, keyword: str) -> tuple[str, bool]:
    """The rest, and whether a particle stood there that says what the clause is (`에` does not)."""
    found = re.match(rf" ?(?:에|(?P<own>{words.PARTICLES[keyword]}))(?!\w)", text[place:])
    return (text[place + found.end() :], found["own"] is not None) if found else (text[place:], False)


def _take(clause: Clause, text: str, place: int) -> int | None:
    """Adds the element that stands there to the clause; gives where it ends, None where none stands there."""
    if found := words.ISO.match(text, place):
        _set_day(clause, _date(found["date"]), found)
        _set_clock(clause, int(found["hour"]), int(found["minute"]), found)
    elif found := words.DATE.match(text, place):
        _set_day(clause, _date(found["date"]), found)
    elif (found := words.CLOCK.match(text, place)) and _is_clock(found):
        _set_clock(clause, *_hour_and_minute(found), found)
    elif found := words.NAMED_CLOCK.match(text, place):
        clause.is_midnight = found["name"].lower() in words.MIDNIGHT
        _set_clock(clause, 24 if clause.is_midnight else 12, 0, found)
    elif (found := words.DAY.match(text, place)) and _may_be_day(clause, found):
        _set_day(clause, _day(found["name"].lower()), found)
    elif (found := words.ZONE.match(text, place)) and (zone := _zone(found)) is not None:
        if clause.zone is not None:
            raise NotATime(text[: found.end()])
        clause.zone = zone
    else:
        return None
    return found.end()


def _set_day(clause: Clause, day: Day, found: re.Match[str]) -> None:
    if clause.day is not None:
        raise NotATime(found.string[: found.end()])
    clause.day = day


def _set_clock(clause: Clause, hour: int, minute: int, found: re.Match[str]) -> None:
    if clause.clock is not None or minute > 59 or hour > 24 or (hour == 24 and minute):
        raise NotATime(found.string[: found.end()])
    clause.clock = Clock(hour=hour, minute=minute)


def _date(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise NotATime(text) from None


def _day(name: str) -> Day:
    if name in words.WEEKDAYS:
        return Weekday(number=words.WEEKDAYS[name])
    return RelativeDay(days=words.RELATIVE_DAYS[name])


def _may_be_day(clause: Clause, found: re.Match[str]) -> bool:
    """Behind a clock one syllable may begin a reason: `18:00 월 정산` is the monthly settlement, not Monday's."""
    return clause.clock is None or len(found["name"]) > 1


def _is_clock(found: re.Match[str]) -> bool:
    return any(found[part] is not None for part in ("before", "minute", "hangul", "after"))


def _hour_and_minute(found: re.Match[str]) -> tuple[int, int]:
    hour, minute = int(found["hour"]), int(found["minute"] or found["hangul_minute"] or 0)
    half = (found["before"] or found["after"] or "").lower().replace(".", "")
    if not half:
        # `6시` may be the morning's or the evening's.
        if found["hangul"] and 1 <= hour <= 12 and not found["hour"].startswith("0"):
            raise NotATime(found[0])
        return hour, minute
    if (found["before"] and found["after"]) or not 1 <= hour <= 12:
        raise NotATime(found[0].strip())
    return hour % 12 + (12 if half in ("pm", "오후") else 0), minute


def _zone(found: re.Match[str]) -> tzinfo | None:
    if found["name"]:
        return ZoneInfo(words.ZONES[found["name"].lower()])
    if found["iana"]:
        return zone_named(found["iana"])
    sign, hours, minutes = re.findall(r"([+-])(\d\d?):?(\d\d)?$", found["offset"])[0]
    offset = timedelta(hours=int(hours), minutes=int(minutes or 0))
    if offset > timedelta(hours=14) or int(minutes or 0) > 59:
        raise NotATime(found["offset"])
    return timezone(-offset if sign == "-" else offset)


def _first_words(text: str) -> str:
    return " ".join(text.split()[:2])
