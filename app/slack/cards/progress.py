"""Where the traffic of a decided gate's switch is, and how long rolling back takes."""

from datetime import timedelta
from typing import Final, assert_never

from app.flow.read_models import GateView
from app.flow.switch_progress import (
    ends_blue,
    is_being_undone,
    is_let_through,
    is_undone,
    progress_of,
    was_stopped_here,
)
from app.flow.traffic_share import TrafficShare, share_on_green
from app.gate.rules.permits import Basis
from app.gate.rules.policy import Shift
from app.gate.undo import InterventionKind, Progress
from app.i18n.catalog import Texts
from app.slack.blocks import clock, clock_seconds, when
from app.slack.text.switch import ending_text
from app.slack.text.undo_options import redeployment_lines, traffic_left, undo_kind

BAR_SQUARES: Final = 10


def progress_lines(view: GateView, texts: Texts) -> list[str]:
    """Empty while no traffic has moved, after a rejection, and where an undo says it all."""
    if view.basis in {Basis.AUTO_ROLLBACK, Basis.UNDO}:
        return _rollback_progress(view, texts)
    ended = progress_of(view) is Progress.ENDED
    return _progress(view, texts) if is_let_through(view) and (ended or not is_undone(view)) else []


def _progress(view: GateView, texts: Texts) -> list[str]:
    match progress_of(view):
        case Progress.HELD:
            return []
        case Progress.SHIFTING:
            share = share_on_green(view)
            return [_shifting(view, share, texts)] if share.percent or view.switch.traffic_unknown else []
        case Progress.SWITCHED:
            return [_switched(view, texts)]
        case Progress.FINISHED:
            return [_finished(view, texts)]
        case Progress.ENDED:
            ended = [] if was_stopped_here(view) else [texts("course.ended", ending=ending_text(view.switch))]
            return [*ended, *_after_a_bad_end(view, texts)]
        case _:
            assert_never(progress_of(view))


def _rollback_progress(view: GateView, texts: Texts) -> list[str]:
    """Green of a rollback or an undo runs the previous version, and the text says so."""
    switch, progress = view.switch, progress_of(view)
    if (
        progress is Progress.HELD
        or is_undone(view)
        or (progress is Progress.ENDED and was_stopped_here(view))
    ):
        return []
    at = switch.ended_at if progress is Progress.FINISHED else switch.switched_at
    words = "auto_rollback" if view.basis is Basis.AUTO_ROLLBACK else "undo"
    share = share_on_green(view)
    if words == "undo" and progress is Progress.SHIFTING and share.percent is None:
        return [_unknown(share, texts)] if switch.traffic_unknown else []
    superseded = words == "undo" and progress is Progress.FINISHED and view.superseded
    return [
        texts(
            f"course.{words}.{'superseded' if superseded else progress.value}",
            at=when(at or view.opened_at),
            ending=ending_text(switch),
            percent=share.percent or 0,
            bar=_bar(share.percent or 0),
        )
    ]


def _shifting(view: GateView, share: TrafficShare, texts: Texts) -> str:
    switch, percent = view.switch, share.percent
    if percent is None:
        return _unknown(share, texts)
    status_text = texts("course.shifting", bar=_bar(percent), percent=percent)
    traffic = switch.traffic
    if switch.traffic_changed_at is None or traffic is None or not traffic.minutes:
        return status_text
    if is_being_undone(view):
        return status_text
    following = switch.traffic_changed_at + timedelta(minutes=traffic.minutes)
    left = 100 if traffic.shift is Shift.CANARY else min(percent + traffic.percent, 100)
    return f"{status_text}\n{texts('course.next_step', percent=left, at=clock(following))}"


def _unknown(share: TrafficShare, texts: Texts) -> str:
    if share.read_at is None:
        return texts("course.never_read")
    return texts("course.unknown", at=clock_seconds(share.read_at))


def _switched(view: GateView, texts: Texts) -> str:
    switch = view.switch
    status_text = texts("course.switched", at=when(switch.switched_at or view.opened_at))
    if undo_kind(view) is not InterventionKind.STOP or ends_blue(view):
        return status_text
    back = (
        texts("course.undo_until", until=clock(switch.blue_until))
        if switch.blue_until
        else texts("course.undo_while_blue")
    )
    return f"{status_text}\n{back}"


def _finished(view: GateView, texts: Texts) -> str:
    status_text = texts("course.finished", at=when(view.switch.ended_at or view.opened_at))
    if is_being_undone(view):
        return status_text
    if view.superseded:
        return f"{status_text}\n{texts('course.superseded')}"
    return "\n".join([status_text, *redeployment_lines(view, texts)])


def _after_a_bad_end(view: GateView, texts: Texts) -> list[str]:
    """Where traffic stayed, and how to undo."""
    if is_undone(view) or is_being_undone(view):
        return []
    if view.superseded and view.rollback is None:
        return [texts("course.superseded")]
    lines = [*traffic_left(view, texts), *redeployment_lines(view, texts)]
    return ["\n".join(lines)] if lines else []


def _bar(percent: int) -> str:
    """Ten squares. The caller shows the number, too, so that colour is not needed."""
    green = round(percent * BAR_SQUARES / 100)
    if 0 < percent < 100:
        green = min(max(green, 1), BAR_SQUARES - 1)
    return ":large_green_square:" * green + ":large_blue_square:" * (BAR_SQUARES - green)
