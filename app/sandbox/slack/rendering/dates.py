"""`<!date^…>` as its reader sees it: https://docs.slack.dev/messaging/formatting-message-text#date-formatting."""

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Final

from babel.dates import format_date, format_time, format_timedelta

from app.sandbox.slack.rendering.viewer import Viewer

_TOKEN: Final = re.compile(r"\{(\w+)\}")
_NEAR: Final = {
    "en": {-1: "yesterday", 0: "today", 1: "tomorrow"},
    "ko": {-1: "어제", 0: "오늘", 1: "내일"},
}

_CLOCK: Final = {"ko": {"short": "aaaa h:mm", "medium": "aaaa h:mm:ss"}}
"""Where Babel's own patterns read otherwise than Slack's client: 오후, not PM."""


def format_moment(unix: str, pattern: str, *, fallback: str, viewer: Viewer) -> str:
    """The pattern with its tokens filled in; the fallback if the time or a token is invalid."""
    try:
        moment = datetime.fromtimestamp(int(unix), UTC).astimezone(viewer.zone)
        return _TOKEN.sub(lambda token: _TOKENS[token[1]](moment, viewer), pattern)
    except (ValueError, OverflowError, OSError, KeyError):
        return fallback


def short_time(moment: datetime, viewer: Viewer) -> str:
    """Hours and minutes, as the viewer's language writes them."""
    return _time("short")(moment.astimezone(viewer.zone), viewer)


def _plain(text: str) -> str:
    """Babel uses narrow no-break spaces; Slack plain ones."""
    return text.replace("\u202f", " ").replace("\xa0", " ")


def _time(width: str) -> Callable[[datetime, Viewer], str]:
    def written(moment: datetime, viewer: Viewer) -> str:
        pattern = _CLOCK.get(viewer.locale, {}).get(width, width)
        return _plain(format_time(moment, pattern, tzinfo=viewer.zone, locale=viewer.locale))

    return written


def _date(width: str, *, near: bool = False) -> Callable[[datetime, Viewer], str]:
    def written(moment: datetime, viewer: Viewer) -> str:
        days = (moment.date() - viewer.now.astimezone(viewer.zone).date()).days
        word = _NEAR.get(viewer.locale, _NEAR["en"]).get(days) if near else None
        return word or _plain(format_date(moment.date(), width, locale=viewer.locale))

    return written


def _numbers(moment: datetime, _viewer: Viewer) -> str:
    return f"{moment:%Y-%m-%d}"


def _ago(moment: datetime, viewer: Viewer) -> str:
    passed: timedelta = moment - viewer.now
    return format_timedelta(passed, add_direction=True, locale=viewer.locale)


_TOKENS: Final[dict[str, Callable[[datetime, Viewer], str]]] = {
    "date_num": _numbers,
    "date": _date("long"),
    "date_short": _date("medium"),
    "date_long": _date("full"),
    "date_pretty": _date("long", near=True),
    "date_short_pretty": _date("medium", near=True),
    "date_long_pretty": _date("full", near=True),
    "time": _time("short"),
    "time_secs": _time("medium"),
    "ago": _ago,
}
