"""The keys of `[policy]` about reminders."""

import re
from datetime import time, timedelta
from typing import Final, Protocol
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from app.config.values import InvalidValue
from app.gate.reminders import QuietHours, ReminderSettings

_QUIET: Final = re.compile(r"([01]\d|2[0-3]):([0-5]\d)\s*-\s*([01]\d|2[0-3]):([0-5]\d)\s+(\S+)")
_TARGET: Final = re.compile(r"[UWSCG][A-Z0-9]{2,}")
MAX_REMINDERS: Final = 5


class ReminderKeys(Protocol):
    """The keys that are read here."""

    @property
    def remind_at_half(self) -> bool: ...

    @property
    def remind_before_minutes(self) -> list[int]: ...

    @property
    def quiet_hours(self) -> str | None: ...

    @property
    def escalate_to(self) -> str | None: ...

    @property
    def escalate_before_minutes(self) -> int: ...


def reminder_minutes(minutes: list[int]) -> list[int]:
    """Raises `InvalidValue`."""
    if len(minutes) > MAX_REMINDERS or len(set(minutes)) < len(minutes):
        raise InvalidValue(
            f"holds {len(minutes)} reminders, some of them twice or more than anybody reads",
            f"Write at most {MAX_REMINDERS} different numbers of minutes: [15, 5].",
        )
    for one in minutes:
        if not 1 <= one <= 58:
            raise InvalidValue(
                f"holds {one}, which is no minute before a deadline", "Write numbers from 1 to 58."
            )
    return minutes


def quiet_hours(text: str) -> str:
    """Raises `InvalidValue`."""
    read_quiet_hours(text)
    return text


def read_quiet_hours(text: str) -> QuietHours:
    """`22:00-07:00 Asia/Seoul`. Raises `InvalidValue`."""
    found = _QUIET.fullmatch(text.strip())
    if found is None:
        raise InvalidValue(
            f'is "{text}"', 'Write a span of the day and a time zone: "22:00-07:00 Asia/Seoul".'
        )
    since, until = time(int(found[1]), int(found[2])), time(int(found[3]), int(found[4]))
    if since == until:
        raise InvalidValue(f'is "{text}": the whole day', "Write two different times, or leave the line out.")
    try:
        zone = ZoneInfo(found[5])
    except (ZoneInfoNotFoundError, ValueError):
        raise InvalidValue(
            f'names the time zone "{found[5]}", which is none', 'Write one such as "Asia/Seoul" or "UTC".'
        ) from None
    return QuietHours(since=since, until=until, zone=zone)


def escalation_target(id_: str) -> str:
    """Raises `InvalidValue`."""
    if _TARGET.fullmatch(id_) is None:
        raise InvalidValue(
            f'is "{id_}", which is no Slack id',
            "Write the id of a user (U…), a user group (S…) or a channel (C…).",
        )
    return id_


def reminders_from(table: ReminderKeys) -> ReminderSettings:
    """The policy's reminders."""
    return ReminderSettings(
        at_half=table.remind_at_half,
        before=tuple(timedelta(minutes=one) for one in table.remind_before_minutes),
        quiet=read_quiet_hours(table.quiet_hours) if table.quiet_hours else None,
        escalate_to=table.escalate_to,
        escalate_before=timedelta(minutes=table.escalate_before_minutes),
    )
