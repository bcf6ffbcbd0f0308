"""Where traffic stayed when a deployment ended badly, and which way back there is, in words."""

from app.flow.read_models import GateView, may_be_on_green, undo_context_of
from app.gate.evidence.model import Missing
from app.gate.previous_revision import Obstacle
from app.gate.rules.permits import Denial
from app.gate.undo import InterventionKind, NoPreviousRevision, Progress, available_undo
from app.i18n.catalog import Texts
from app.slack.text.escape import inline


def undo_kind(view: GateView) -> InterventionKind | None:
    """How the switch can be taken back now, if at all."""
    try:
        return available_undo(undo_context_of(view))
    except Denial:
        return None


def previous_text(view: GateView, texts: Texts) -> str:
    """What served before, by the best name that is known."""
    name = view.switch.previous_revision
    return inline(name) if name else texts("undo.what_served_before")


def traffic_left(view: GateView, texts: Texts) -> list[str]:
    """After a deployment that was let through, ended badly and that nobody rolls back."""
    at = undo_context_of(view)
    if at.course is not Progress.ENDED or at.rolling_back:
        return []
    if not may_be_on_green(view):
        return [] if view.rollback is not None else [texts("course.left.none")]
    percent = view.switch.green_percent
    return [texts("course.left.unknown") if percent is None else texts("course.left.some", percent=percent)]


def redeployment_lines(view: GateView, texts: Texts) -> list[str]:
    """What Undo does once the deployment is over, or why there is none."""
    try:
        deed = available_undo(undo_context_of(view))
    except NoPreviousRevision as none:
        return [no_undo_text(view, none.obstacle, texts)]
    except Denial:
        return []
    told = texts("course.undo_redeploys", previous=previous_text(view, texts))
    return [told] if deed is InterventionKind.REDEPLOY else []


def no_undo_text(view: GateView, obstacle: Obstacle, texts: Texts) -> str:
    """Why there is no redeployment that would take the switch back."""
    return texts(f"course.no_way_back.{obstacle}", previous=previous_text(view, texts))


def undo_warnings(view: GateView, texts: Texts) -> list[str]:
    """On a card that asks: that there is no way back once blue is gone."""
    evidence = view.evidence
    blue = evidence.blue.revision if evidence is not None else None
    obstacle, previous = view.switch.previous_obstacle, previous_text(view, texts)
    if blue is not None and not isinstance(blue, Missing) and not blue.active:
        obstacle, previous = Obstacle.INACTIVE, inline(blue.name)
    if obstacle is None:
        return []
    why = texts(f"course.no_way_back.{obstacle}", previous=previous)
    return [texts("card.no_way_back", why=why)]
