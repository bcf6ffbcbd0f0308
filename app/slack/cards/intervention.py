"""Interventions and rollbacks on a card."""

from typing import assert_never

from app.flow.read_models import GateView
from app.flow.switch_progress import is_let_through
from app.flow.undo.intervention import Intervention, InterventionPhase
from app.gate.state_machine import Outcome
from app.gate.undo import InterventionKind
from app.i18n.catalog import Texts
from app.slack.blocks import mention, when
from app.slack.text.escape import inline, quoted
from app.slack.text.switch import failure_text


def intervention_lines(view: GateView, texts: Texts) -> list[str]:
    """What a person asked for after the decision, and what became of it."""
    asked = view.intervention
    if asked is None:
        return []
    why = failure_text(asked.problem, texts)
    words = texts(
        f"course.{_verb(asked)}.{asked.phase}",
        who=mention(asked.by),
        at=when(asked.requested_at),
        took=_duration(asked, texts),
        deployment=inline(asked.deployment or "—"),
        by=f" ({inline(asked.deployment)})" if asked.deployment else "",
        why=why,
    )
    warning = texts("course.trouble", why=why) if _is_stuck(asked) else ""
    if asked.phase is InterventionPhase.SENT and asked.problem is not None:
        warning = texts("course.may_stop", why=why)
    reason = quoted(asked.reason)
    parts = (reason, words) if asked.phase is InterventionPhase.DONE else (words, reason)
    return [part for part in (*parts, warning) if part]


def _verb(asked: Intervention) -> str:
    match asked.kind:
        case InterventionKind.STOP:
            return "stop"
        case InterventionKind.REDEPLOY:
            return "redeploy"
        case InterventionKind.FINISH:
            return "finish"
        case _:
            assert_never(asked.kind)


def _is_stuck(asked: Intervention) -> bool:
    return asked.phase is InterventionPhase.REQUESTED and asked.problem is not None


def _duration(asked: Intervention, texts: Texts) -> str:
    return texts.duration(asked.finished_at - asked.requested_at) if asked.finished_at else ""


def rollback_lines(view: GateView, texts: Texts) -> list[str]:
    """The deployment that rolls this one back; empty if a person's undo describes it."""
    back = view.rollback
    asked = view.intervention
    if back is None or (asked is not None and asked.kind is InterventionKind.STOP):
        return []
    name = inline(back.deployment)
    if back.switched_at is not None:
        done = "done" if _may_have_moved(view) else "never_left"
        return [texts(f"course.rollback.{done}", deployment=name, at=when(back.switched_at))]
    if back.ended_at is not None:
        return [texts("course.rollback.failed", deployment=name, status=inline(back.status or ""))]
    return [texts("course.rollback.under_way", deployment=name)]


def _may_have_moved(view: GateView) -> bool:
    """Traffic may have moved and returned between two polls."""
    return is_let_through(view) or view.outcome is Outcome.CONFLICT
