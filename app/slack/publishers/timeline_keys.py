"""The text key of an audit event in a timeline."""

from collections.abc import Mapping
from typing import Final

from app.flow.audit_events import ActorKind, Detail, Event, Kind
from app.flow.read_models import GateView
from app.flow.switch_progress import ended_as_decided, was_stopped_here
from app.flow.undo.intervention import problem_of_event
from app.gate.rules.permits import Basis

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
    Kind.ROLLBACK_DONE: "timeline.rolled_back.by_codedeploy",
    Kind.ROLLBACK_FAILED: "timeline.rolled_back.failed",
    Kind.SWITCH_ENDED: "timeline.ended",
    Kind.UNDO_REQUESTED: "timeline.undo_asked",
    Kind.UNDO_SENT: "timeline.undo_sent",
    Kind.UNDO_DONE: "timeline.rolled_back.done",
    Kind.UNDO_FAILED: "timeline.undo_failed",
    Kind.FINISH_REQUESTED: "timeline.finish_asked",
    Kind.FINISH_FAILED: "timeline.finish_failed",
}

AUTO_ROLLBACK_KEYS: Final[Mapping[str | None, str | None]] = {
    "timeline.opened": None,
    "timeline.moved": None,
    "timeline.switched": "timeline.rescued",
    "timeline.switched_untimed": "timeline.rescued",
    "timeline.finished": "timeline.rescue_finished",
}
"""Keys replaced, or omitted (None), for a rollback."""

UNDO_KEYS: Final[Mapping[str | None, str | None]] = {
    "timeline.opened": None,
    "timeline.moved": "timeline.undo_moved",
    "timeline.switched": "timeline.rescued",
    "timeline.switched_untimed": "timeline.rescued",
    "timeline.finished": "timeline.undo_finished",
}
"""The same for the deployment of an undo."""

KEYS_BY_BASIS: Final = {Basis.AUTO_ROLLBACK: AUTO_ROLLBACK_KEYS, Basis.UNDO: UNDO_KEYS}

TOLD_IN_ANOTHER_THREAD: Final = frozenset(
    {
        Kind.REPORT_CONFLICT,
        Kind.REPORT_UNDELIVERABLE,
        Kind.ROLLBACK_SEEN,
        Kind.UNDO_REQUESTED,
        Kind.UNDO_SENT,
        Kind.UNDO_DONE,
        Kind.UNDO_FAILED,
    }
)
"""Of a rollback that another gate's card shows. That gate's own events tell how it goes."""

RETURN_KEYS: Final[Mapping[str, str]] = {
    "timeline.undo_asked": "timeline.returned.asked",
    "timeline.undo_sent": "timeline.returned.sent",
    "timeline.rolled_back.under_way": "timeline.returned.under_way",
    "timeline.rolled_back.under_way_warned": "timeline.returned.under_way_warned",
    "timeline.rolled_back.done": "timeline.returned.done",
    "timeline.undo_failed": "timeline.returned.failed",
}
"""Keys replaced where a rollback is rolled back, which brings the newer version back."""

BASIS_SUFFIXES: Final[Mapping[Detail, str]] = {
    "rescue": "auto_rollback",  # as earlier releases stored it
    **{basis.value: basis.value for basis in Basis if basis is not Basis.VOTES},
}
"""Key suffixes of the bases that have their own text."""


WITHDRAWN_BY: Final = {ActorKind.PERSON: "_by", ActorKind.API: "_for_build"}


def timeline_key(view: GateView, event: Event) -> str | None:
    """None if the event has no text."""
    key = _key(view, event)
    if view.shown_by is not None:
        if event.kind not in TOLD_IN_ANOTHER_THREAD or key is None:
            return None
        return key if view.returns else RETURN_KEYS.get(key, key)
    return KEYS_BY_BASIS[view.basis].get(key, key) if view.basis in KEYS_BY_BASIS else key


def _key(view: GateView, event: Event) -> str | None:
    key, detail = KEYS_BY_KIND.get(event.kind), event.detail
    match event.kind:
        case Kind.VOTE_CAST:
            key = _vote_key(event)
        case Kind.CHECK_REPORTED:
            key = f"{key}_{detail['state']}" if detail.get("state") in {"passed", "failed"} else None
        case Kind.UNDO_SENT if detail.get("deployment"):
            key = f"timeline.rolled_back.under_way{'_warned' if problem_of_event(detail) else ''}"
        case Kind.GATE_DECIDED:
            key = f"{key}.{BASIS_SUFFIXES.get(detail.get('basis')) or detail.get('verdict')}"
        case Kind.SWITCH_ENDED:
            succeeded = str(detail.get("end_reason", "")).startswith("Succeeded")
            key = "timeline.finished" if succeeded else _ended_key(view)
        case _:
            key = f"{key}{_suffix(event)}" if key else None
    return key


def _suffix(event: Event) -> str:
    """The key's suffix by the event's detail; else empty."""
    if event.kind is Kind.GATE_WITHDRAWN and event.actor.kind in WITHDRAWN_BY:
        return WITHDRAWN_BY[event.actor.kind]
    if event.kind is Kind.GATE_WITHDRAWN and event.detail.get("codedeploy"):
        return "_elsewhere"
    if event.kind is Kind.DEPLOYER_RESOLVED and event.detail.get("certain") is False:
        return "_named"
    if event.kind is Kind.SWITCHED and not event.detail.get("blue_until"):
        return "_untimed"
    unfit = event.kind is Kind.EVIDENCE_COLLECTED and event.detail.get("healthy") is False
    return "_unfit" if unfit else ""


def _ended_key(view: GateView) -> str | None:
    """An unverified deployment gets no line: it may go on without us."""
    if not view.switch.verified:
        return None
    if was_stopped_here(view):
        return "timeline.stopped"
    return "timeline.rolled_back.ended" if ended_as_decided(view) else "timeline.ended"


def _vote_key(event: Event) -> str | None:
    """A rejection that decides the gate is covered by the decision's line."""
    if event.detail.get("choice") == "approve":
        return "timeline.vote_approve"
    return "timeline.vote_reject" if event.detail.get("left_open") else None
