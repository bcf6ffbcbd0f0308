"""Parses time arguments of the command line and the API: a time with its zone, or an age such as `2h`."""

import re
from datetime import datetime, timedelta
from typing import Final

_AGO: Final = re.compile(r"([0-9]{1,6})([smhd])")
_UNITS: Final = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}


def parse_time_arg(text: str, *, now: datetime) -> datetime:
    """`2h` is two hours before `now`. Raises `ValueError` with what is wrong and what to write."""
    ago = _AGO.fullmatch(text)
    try:
        if ago is not None:
            return now - timedelta(**{_UNITS[ago[2]]: int(ago[1])})
        at = datetime.fromisoformat(text)
    except (ValueError, OverflowError):
        raise ValueError(
            f"{text!r} is no time; write how long ago, for example 30m, 2h or 1d,"
            " or a moment with its zone, for example 2026-11-24T05:05Z"
        ) from None
    if at.tzinfo is None:
        raise ValueError(f"say the zone too, for example {at.isoformat(timespec='minutes')}Z")
    return at
