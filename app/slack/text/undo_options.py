"""The text of undo options: where traffic stayed, and how to undo."""

from app.flow.read_models import GateView
from app.flow.switch_progress import may_be_on_green, undo_context_of
from app.flow.traffic_share import share_on_green
from app.gate.evidence.model import Missing
from app.gate.previous_revision import Obstacle
from app.gate.rules.denials import Denial
from app.gate.undo import InterventionKind, NoPreviousRevision, Progress, available_undo
from app.i18n.catalog import Texts
from app.slack.text.escape import inline
from app.slack.text.versions import versions_in


def undo_kind(view: GateView) -> InterventionKind | None:
    """How the switch can be undone now; None if it cannot."""
    try:
        return available_undo(undo_context_of(view))
    except Denial:
        return None


def previous_text(view: GateView, texts: Texts) -> str:
    """The previous version, by its best known name."""
    name = view.switch.previous_revision
    return inline(name) if name else texts("card.previous_version")


def redeployed_text(view: GateView, texts: Texts) -> str:
    """What a redeployment deploys: the previous revision, with its version where that is known."""
    previous, version = previous_text(view, texts), versions_in(view).before
    blue = view.evidence.blue.revision if view.evidence is not None else None
    if version is None or version in previous or blue is None or isinstance(blue, Missing):
        return previous
    return f"{previous} ({inline(version)})" if blue.name == view.switch.previous_revision else previous


def traffic_left(view: GateView, texts: Texts) -> list[str]:
    """Where traffic stayed after a failed deployment without a rollback; else empty."""
    at = undo_context_of(view)
    if at.progress is not Progress.ENDED or at.rolling_back:
        return []
    if not may_be_on_green(view):
        return [] if view.rollback is not None else [texts("course.left.none")]
    percent = share_on_green(view).percent
    return [texts("course.left.unknown") if percent is None else texts("course.left.some", percent=percent)]


def redeployment_lines(view: GateView, texts: Texts) -> list[str]:
    """What Undo does after the deployment has ended, or why it is impossible."""
    try:
        kind = available_undo(undo_context_of(view))
    except NoPreviousRevision as exc:
        return [no_undo_text(view, exc.obstacle, texts)]
    except Denial:
        return []
    text = texts("course.undo_redeploys", previous=redeployed_text(view, texts))
    return [text] if kind is InterventionKind.REDEPLOY else []


def no_undo_text(view: GateView, obstacle: Obstacle, texts: Texts) -> str:
    """Why no redeployment can undo the switch."""
    return texts(f"course.no_way_back.{obstacle}", previous=previous_text(view, texts))


def undo_warnings(view: GateView, texts: Texts) -> list[str]:
    """On a waiting card: a warning that undo is impossible once blue is gone."""
    evidence = view.evidence
    blue = evidence.blue.revision if evidence is not None else None
    obstacle, previous = view.switch.previous_obstacle, previous_text(view, texts)
    if blue is not None and not isinstance(blue, Missing) and not blue.active:
        obstacle, previous = Obstacle.INACTIVE, inline(blue.name)
    if obstacle is None:
        return []
    why = texts(f"course.no_way_back.{obstacle}", previous=previous)
    return [texts("card.no_way_back", why=why)]
