"""The timeline text of an audit event. Internal kinds have none."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Final

from app.flow.audit_events import ActorKind, Detail, Event, Kind
from app.flow.notify.post_timeline import Message, TimelineEntry
from app.flow.ports.rules import Rules
from app.flow.read_models import GateView
from app.flow.switch_progress import was_stopped_here
from app.gate.reminders import ReminderKind
from app.gate.rules.permits import Basis
from app.gate.state_machine import Awaiting
from app.i18n.catalog import Texts
from app.slack.blocks import mention
from app.slack.text.escape import inline
from app.slack.text.switch import failure_text

KEYS_BY_KIND: Final[Mapping[Kind, str]] = {
    Kind.GATE_OPENED: "timeline.opened",
    Kind.GATE_VERIFIED: "timeline.verified",
    Kind.EVIDENCE_COLLECTED: "timeline.evidence",
    Kind.VOTE_CAST: "timeline.vote",
    Kind.VOTE_RETRACTED: "timeline.taken_back",
    Kind.CHECK_REPORTED: "timeline.check",
    Kind.DEPLOYER_RESOLVED: "timeline.deployer",
    Kind.GATE_DECIDED: "timeline.decided",
    Kind.GATE_WITHDRAWN: "timeline.withdrawn",
    Kind.REPORT_ACKNOWLEDGED: "timeline.told",
    Kind.REPORT_CONFLICT: "timeline.contradicted",
    Kind.REPORT_UNDELIVERABLE: "timeline.undeliverable",
    Kind.TRAFFIC_MOVED: "timeline.moved",
    Kind.SWITCHED: "timeline.switched",
    Kind.ROLLBACK_SEEN: "timeline.rollback",
    Kind.SWITCH_ENDED: "timeline.ended",
    Kind.UNDO_REQUESTED: "timeline.undo_asked",
    Kind.UNDO_SENT: "timeline.undo_sent",
    Kind.UNDO_DONE: "timeline.undo_done",
    Kind.UNDO_FAILED: "timeline.undo_failed",
    Kind.FINISH_REQUESTED: "timeline.finish_asked",
    Kind.FINISH_FAILED: "timeline.finish_failed",
}


AUTO_ROLLBACK_KEYS: Final[Mapping[str | None, str | None]] = {
    "timeline.opened": None,
    "timeline.moved": None,
    "timeline.switched": "timeline.rescued",
    "timeline.finished": "timeline.rescue_finished",
}
"""Keys replaced, or omitted (None), for a rollback."""

UNDO_KEYS: Final[Mapping[str | None, str | None]] = {
    "timeline.opened": None,
    "timeline.moved": "timeline.undo_moved",
    "timeline.switched": "timeline.rescued",
    "timeline.finished": "timeline.undo_finished",
}
"""The same for the deployment of an undo."""

KEYS_BY_BASIS: Final = {Basis.AUTO_ROLLBACK: AUTO_ROLLBACK_KEYS, Basis.UNDO: UNDO_KEYS}

BASIS_SUFFIXES: Final[Mapping[Detail, str]] = {
    "rescue": "auto_rollback",  # as earlier releases stored it
    **{basis.value: basis.value for basis in Basis if basis is not Basis.VOTES},
}
"""Key suffixes of the bases that have their own text."""


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
        key = self._key(view, event)
        if view.basis in KEYS_BY_BASIS:
            key = KEYS_BY_BASIS[view.basis].get(key, key)
        if key is None:
            return None
        text = self._texts(key, **self._fields(view, event))
        return Message(seq=entry.seq, text=f"{_clock(event.at)}  {text}")

    def _key(self, view: GateView, event: Event) -> str | None:
        key = KEYS_BY_KIND.get(event.kind)
        if event.kind is Kind.VOTE_CAST:
            return _vote_key(event)
        if event.kind is Kind.CHECK_REPORTED:
            state = event.detail.get("state")
            return f"{key}_{state}" if state in {"passed", "failed"} else None
        if suffix := _variant(event):
            return f"{key}_{suffix}"
        if event.kind is Kind.GATE_DECIDED:
            basis, verdict = event.detail.get("basis"), event.detail.get("verdict")
            return f"timeline.decided.{BASIS_SUFFIXES.get(basis) or verdict}"
        if event.kind is Kind.SWITCH_ENDED:
            succeeded = str(event.detail.get("end_reason", "")).startswith("Succeeded")
            return "timeline.finished" if succeeded else _ended_key(view)
        return key

    def _fields(self, view: GateView, event: Event) -> dict[str, str]:
        detail = event.detail
        return {
            "who": _actor(event),
            "name": _detail_text(detail, "name"),
            "summary": _detail_text(detail, "summary"),
            "deployer": ", ".join(map(mention, str(detail.get("deployer") or "").split())),
            "deadline": _clock(view.deadline_at),
            "reason": _detail_text(detail, "reason"),
            "why": failure_text(
                _first_detail(detail, "problem", "codedeploy", "end_reason", "reason"), self._texts
            ),
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
            deadline=_clock(view.deadline_at),
            deployment=inline(view.switch.key.deployment),
        )
        return Message(seq=entry.seq, text=text, channel=channel)


def _variant(event: Event) -> str:
    """The key's suffix by the event's detail; else empty."""
    if event.kind is Kind.GATE_WITHDRAWN and event.actor.kind in {ActorKind.PERSON, ActorKind.API}:
        return "by"
    if event.kind is Kind.GATE_WITHDRAWN and event.detail.get("codedeploy"):
        return "elsewhere"
    if event.kind is Kind.DEPLOYER_RESOLVED and event.detail.get("certain") is False:
        return "named"
    if event.kind is Kind.EVIDENCE_COLLECTED and event.detail.get("healthy") is False:
        return "unfit"
    return "warned" if event.kind is Kind.UNDO_SENT and event.detail.get("problem") else ""


def _ended_key(view: GateView) -> str | None:
    """An unverified deployment gets no line: it may go on without us."""
    if not view.switch.verified:
        return None
    return "timeline.stopped" if was_stopped_here(view) else "timeline.ended"


def _vote_key(event: Event) -> str | None:
    """A rejection that decides the gate is covered by the decision's line."""
    if event.detail.get("choice") == "approve":
        return "timeline.vote_approve"
    return "timeline.vote_reject" if event.detail.get("left_open") else None


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


def _until(detail: Mapping[str, Detail]) -> str:
    until = detail.get("blue_until")
    return _clock(datetime.fromisoformat(until)) if isinstance(until, str) and until else "—"


def _clock(at: datetime) -> str:
    """The time of day, as each reader's clock shows it."""
    return f"<!date^{int(at.timestamp())}^{{time}}|{at.strftime('%H:%M UTC')}>"
