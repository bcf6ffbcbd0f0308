"""The timeline text of an audit event. Internal kinds have none."""

from collections.abc import Callable, Mapping
from datetime import datetime

from app.flow.audit_events import ActorKind, Detail, Event, Kind
from app.flow.notify.post_timeline import Message, TimelineEntry
from app.flow.ports.rules import Rules
from app.flow.read_models import GateView
from app.flow.undo.intervention import InterventionProblem, problem_of_event
from app.gate.reminders import ReminderKind
from app.gate.state_machine import Awaiting
from app.i18n.catalog import Texts
from app.slack.blocks import clock, mention
from app.slack.publishers.timeline_keys import timeline_key
from app.slack.text.escape import inline
from app.slack.text.switch import failure_text


class Timeline:
    """The lines of one language."""

    def __init__(self, *, texts: Texts, rules: Rules, workspace_url: Callable[[], str | None]) -> None:
        self._texts = texts
        self._rules = rules
        self._workspace_url = workspace_url

    def line(self, view: GateView, entry: TimelineEntry) -> Message | None:
        """The message of one event; None if it has none."""
        event = entry.event
        if event.kind is Kind.REMINDED:
            return self._reminder(view, entry)
        key = timeline_key(view, event)
        if key is None:
            return None
        text = self._texts(key, **self._fields(view, event))
        return Message(seq=entry.seq, text=f"{clock(_happened_at(event))}  {text}")

    def _fields(self, view: GateView, event: Event) -> dict[str, str]:
        detail = event.detail
        return {
            "who": _actor(event),
            "name": _detail_text(detail, "name"),
            "summary": _detail_text(detail, "summary"),
            "deployer": ", ".join(map(mention, str(detail.get("deployer") or "").split())),
            "deadline": clock(view.deadline_at),
            "reason": _detail_text(detail, "reason"),
            "why": failure_text(_problem(detail), self._texts),
            "answer": _detail_text(detail, "codedeploy", "answer"),
            "percent": _detail_text(detail, "percent"),
            "deployment": _detail_text(detail, "deployment"),
            "until": _until(detail),
            "seconds": _detail_text(detail, "seconds"),
        }

    def _reminder(self, view: GateView, entry: TimelineEntry) -> Message | None:
        """None if the gate was decided before the reminder was posted."""
        domain = self._rules.domain(view.switch.domain) if view.switch.domain else None
        if not isinstance(view.gate, Awaiting) or domain is None:
            return None
        event, policy = entry.event, domain.policy
        minutes = int(str(event.detail.get("minutes", "0")))
        to = policy.reminder_settings.escalate_to
        if event.detail.get("reminder") == ReminderKind.ESCALATION and to is not None:
            channel = to if to.startswith(("C", "G")) else None
            who = ", ".join(map(mention, policy.voters)) if channel else mention(to)
            key = "reminder.escalation_elsewhere" if channel else "reminder.escalation"
        else:
            who, channel, key = ", ".join(map(mention, policy.voters)), None, "reminder.left"
        text = self._texts.plural(
            key,
            count=minutes,
            who=who,
            domain=domain.name,
            deadline=clock(view.deadline_at),
            deployment=inline(view.switch.key.deployment),
        )
        return Message(seq=entry.seq, text=text, channel=channel)


def _problem(detail: Mapping[str, Detail]) -> InterventionProblem:
    """What went wrong: of an intervention, else as CodeDeploy or the event says it."""
    problem = problem_of_event(detail)
    return problem or InterventionProblem(detail=_first_detail(detail, "codedeploy", "end_reason", "reason"))


def _actor(event: Event) -> str:
    who = event.actor
    is_person = who.kind is ActorKind.PERSON and who.id
    return mention(who.id) if is_person and who.id else inline(who.name or "Switchgate")


def _detail_text(detail: Mapping[str, Detail], *names: str) -> str:
    found = _first_detail(detail, *names)
    return inline(found) if found else ""


def _first_detail(detail: Mapping[str, Detail], *names: str) -> str:
    """The first of these that is not empty."""
    return str(next((detail[name] for name in names if detail.get(name) not in (None, "")), ""))


def _happened_at(event: Event) -> datetime:
    """CodeDeploy's own time of what was seen later, where it has one."""
    at = event.detail.get("switched_at")
    return datetime.fromisoformat(at) if isinstance(at, str) and at else event.at


def _until(detail: Mapping[str, Detail]) -> str:
    until = detail.get("blue_until")
    return clock(datetime.fromisoformat(until)) if isinstance(until, str) and until else "—"
