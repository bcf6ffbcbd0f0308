"""The keys of `[policy]` about reminders, checked and put together."""

import re
from datetime import time, timedelta
from typing import TYPE_CHECKING, Final, Protocol
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from app.config.values import Wrong
from app.gate.reminders import QuietHours, ReminderSettings

if TYPE_CHECKING:
    from app.config.policy import PolicyTable
    from app.config.schema import File, Problem

_QUIET: Final = re.compile(r"([01]\d|2[0-3]):([0-5]\d)\s*-\s*([01]\d|2[0-3]):([0-5]\d)\s+(\S+)")
_TARGET: Final = re.compile(r"[UWSCG][A-Z0-9]{2,}")
MOST_REMINDERS: Final = 5

WITHOUT_EFFECT: Final = (
    "is without effect, because nobody is named who would be called",
    'Add escalate_to = "S0LEADS", or leave the line out.',
)


class MannersTable(Protocol):
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
    """Raises `Wrong`."""
    if len(minutes) > MOST_REMINDERS or len(set(minutes)) < len(minutes):
        raise Wrong(
            f"holds {len(minutes)} reminders, some of them twice or more than anybody reads",
            f"Write at most {MOST_REMINDERS} different numbers of minutes: [15, 5].",
        )
    for one in minutes:
        if not 1 <= one <= 58:
            raise Wrong(f"holds {one}, which is no minute before a deadline", "Write numbers from 1 to 58.")
    return minutes


def quiet_hours(text: str) -> str:
    """Raises `Wrong`."""
    read_quiet_hours(text)
    return text


def read_quiet_hours(text: str) -> QuietHours:
    """`22:00-07:00 Asia/Seoul`. Raises `Wrong`."""
    found = _QUIET.fullmatch(text.strip())
    if found is None:
        raise Wrong(f'is "{text}"', 'Write a span of the day and a time zone: "22:00-07:00 Asia/Seoul".')
    since, until = time(int(found[1]), int(found[2])), time(int(found[3]), int(found[4]))
    if since == until:
        raise Wrong(f'is "{text}": the whole day', "Write two different times, or leave the line out.")
    try:
        zone = ZoneInfo(found[5])
    except (ZoneInfoNotFoundError, ValueError):
        raise Wrong(
            f'names the time zone "{found[5]}", which is none', 'Write one such as "Asia/Seoul" or "UTC".'
        ) from None
    return QuietHours(since=since, until=until, zone=zone)


def escalation_target(id_: str) -> str:
    """Raises `Wrong`."""
    if _TARGET.fullmatch(id_) is None:
        raise Wrong(
            f'is "{id_}", which is no Slack id',
            "Write the id of a user (U…), a user group (S…) or a channel (C…).",
        )
    return id_


def manners_of(table: MannersTable) -> ReminderSettings:
    """The policy's reminders."""
    return ReminderSettings(
        at_half=table.remind_at_half,
        before=tuple(timedelta(minutes=one) for one in table.remind_before_minutes),
        quiet=read_quiet_hours(table.quiet_hours) if table.quiet_hours else None,
        escalate_to=table.escalate_to,
        escalate_before=timedelta(minutes=table.escalate_before_minutes),
    )


def manners_problems(found: "File") -> "list[Problem]":
    """When to call somebody, where nobody is to be called. What [policy] says is also said of the domains."""
    if found.policy is None or found.policy.escalate_to is not None:
        return []
    silent = [name for name, table in found.domains.items() if table.escalate_to is None]
    keys = [["domains", name] for name in silent if _says_when(found.domains[name])]
    if _says_when(found.policy) and len(silent) == len(found.domains):
        keys.insert(0, ["policy"])
    return [found.problem([*key, "escalate_before_minutes"], *WITHOUT_EFFECT) for key in keys]


def _says_when(table: "PolicyTable") -> bool:
    return "escalate_before_minutes" in table.model_fields_set
