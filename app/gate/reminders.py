"""When approvers are reminded, and when a gate is escalated."""

from dataclasses import dataclass
from datetime import datetime, time, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo


class ReminderKind(StrEnum):
    HALF = "half"
    """Half of the time is over."""
    LAST = "last"
    """The deadline is near."""
    ESCALATION = "escalation"
    """Somebody else is called."""


@dataclass(frozen=True, kw_only=True, slots=True)
class QuietHours:
    """A daily span in which nobody is reminded; over midnight when `until` is not after `since`."""

    since: time
    until: time
    zone: ZoneInfo

    def hold(self, at: datetime) -> bool:
        """Whether `at` falls into them."""
        local = at.astimezone(self.zone).time()
        if self.since < self.until:
            return self.since <= local < self.until
        return local >= self.since or local < self.until


@dataclass(frozen=True, kw_only=True, slots=True)
class ReminderSettings:
    """A domain's reminders. `escalate_to` is a user, a user group or a channel."""

    at_half: bool = True
    before: tuple[timedelta, ...] = (timedelta(minutes=10),)
    quiet: QuietHours | None = None
    escalate_to: str | None = None
    escalate_before: timedelta = timedelta(minutes=20)


@dataclass(frozen=True, kw_only=True, slots=True)
class Reminder:
    """One reminder: its kind and its time."""

    kind: ReminderKind
    at: datetime


def reminders(
    reminder_settings: ReminderSettings, *, opened_at: datetime, deadline_at: datetime
) -> tuple[Reminder, ...]:
    """All reminders of a gate, in order; those before it began to wait are left out. Quiet hours suppress
    reminders, never an escalation, which was configured by name."""
    planned = [
        Reminder(kind=ReminderKind.LAST, at=deadline_at - before) for before in reminder_settings.before
    ]
    if reminder_settings.at_half:
        planned.append(Reminder(kind=ReminderKind.HALF, at=opened_at + (deadline_at - opened_at) / 2))
    spared = [
        one for one in planned if reminder_settings.quiet is None or not reminder_settings.quiet.hold(one.at)
    ]
    if reminder_settings.escalate_to is not None:
        spared.append(
            Reminder(kind=ReminderKind.ESCALATION, at=deadline_at - reminder_settings.escalate_before)
        )
    kept = [one for one in spared if one.at > opened_at]
    return tuple(sorted(kept, key=lambda one: (one.at, one.kind)))


def next_reminder(
    reminder_settings: ReminderSettings, *, opened_at: datetime, deadline_at: datetime, after: datetime
) -> Reminder | None:
    """The first one later than `after`; None: there is none left."""
    planned = reminders(reminder_settings, opened_at=opened_at, deadline_at=deadline_at)
    return next((one for one in planned if one.at > after), None)
