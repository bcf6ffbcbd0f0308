"""Reminders at half time and before the deadline: saved as an audit event, which the timeline then posts.

The event is posted once, although a replica may restart in between.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final, Protocol

from app.flow.audit_events import SWITCHGATE, Event, Kind
from app.flow.ports.database import GateRepository, HeldGate, Quarantine
from app.flow.ports.rules import Rules
from app.flow.read_models import GateView
from app.gate.ids import GateId
from app.gate.reminders import Reminder, ReminderKind, ReminderSettings, next_reminder, reminders
from app.gate.state_machine import Awaiting

MAX_GATES_PER_RUN: Final = 50


class ReminderRepository(GateRepository, Protocol):
    async def to_remind(self, *, now: datetime, limit: int, skip: Sequence[GateId]) -> Sequence[GateId]: ...


async def remind(
    *, repository: ReminderRepository, rules: Rules, quarantine: Quarantine, now: datetime
) -> Sequence[Event]:
    """Saves the reminders that are due, each gate in a transaction of its own; returns those that were saved."""
    saved: list[Event] = []
    for gate in await repository.to_remind(now=now, limit=MAX_GATES_PER_RUN, skip=quarantine.keys()):
        with quarantine.guard(gate):
            reminded: Sequence[Event] = ()
            async with repository.hold(gate, skip_locked=True) as held:
                if held is not None and isinstance(held.view.gate, Awaiting):
                    reminded = await _remind(held, rules=rules, now=now)
            saved.extend(reminded)
    return saved


async def _remind(held: HeldGate, *, rules: Rules, now: datetime) -> Sequence[Event]:
    view = held.view
    reminder_settings = _reminder_settings(view, rules=rules)
    since = view.reminded_at or view.opened_at
    planned = reminders(reminder_settings, opened_at=view.opened_at, deadline_at=view.deadline_at)
    come = [one for one in planned if since < one.at <= now]
    following = next_reminder(
        reminder_settings, opened_at=view.opened_at, deadline_at=view.deadline_at, after=now
    )
    events = [_event(view, one, now) for one in _worth_saying(come)] if view.switch.verified else []
    await held.mark_reminded(at=now, following=following.at if following else None, events=events)
    return events


def _worth_saying(come: Sequence[Reminder]) -> Sequence[Reminder]:
    """After a pause several may have come at once: the latest says it all, and whoever is called is called."""
    plain = [one for one in come if one.kind is not ReminderKind.ESCALATION]
    return [*plain[-1:], *(one for one in come if one.kind is ReminderKind.ESCALATION)]


def _reminder_settings(view: GateView, *, rules: Rules) -> ReminderSettings:
    domain = rules.domain(view.switch.domain) if view.switch.domain else None
    return (domain.policy if domain else rules.default_policy).reminder_settings


def _event(view: GateView, reminder: Reminder, now: datetime) -> Event:
    left = max(view.deadline_at - now, timedelta(0))
    return Event(
        at=now,
        kind=Kind.REMINDED,
        switch=view.switch.key,
        actor=SWITCHGATE,
        domain=view.switch.domain,
        gate=view.id,
        detail={"reminder": reminder.kind, "minutes": round(left.total_seconds() / 60)},
    )
