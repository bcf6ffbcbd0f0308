"""Progress after the decision: traffic, end of the deployment, and undo while it is possible."""

from datetime import timedelta
from typing import Final, assert_never

from app.flow.ports.rules import OwnedDomain
from app.flow.read_models import GateView
from app.flow.switch_progress import (
    ends_blue,
    is_being_undone,
    is_let_through,
    is_undone,
    progress_of,
    undo_context_of,
    was_stopped_here,
)
from app.gate.rules.permits import Basis
from app.gate.rules.policy import Shift
from app.gate.state_machine import Awaiting
from app.gate.undo import InterventionKind, Progress
from app.i18n.catalog import Texts
from app.slack.action_value import ActionValue
from app.slack.blocks import Block, actions, button, confirm, section, when
from app.slack.cards.intervention import intervention_lines, rollback_lines
from app.slack.text.switch import ending_text
from app.slack.text.undo_options import redeployment_lines, traffic_left, undo_kind

BAR_SQUARES: Final = 10


def progress_blocks(view: GateView, *, texts: Texts) -> list[Block]:
    """Empty while the gate waits, and after a denial without a rollback."""
    if isinstance(view.gate, Awaiting):
        return []
    progress = _rollback_progress if view.basis in {Basis.AUTO_ROLLBACK, Basis.UNDO} else _progress
    lines = [*progress(view, texts), *intervention_lines(view, texts), *rollback_lines(view, texts)]
    return [section(text) for text in lines]


def progress_buttons(view: GateView, *, texts: Texts, domain: OwnedDomain | None) -> list[Block]:
    """Undo while it is possible; Finish now if the domain allows it."""
    if domain is None or not is_let_through(view):
        return []
    action_value = str(ActionValue(gate=view.id, prompt_version=view.prompt_version))
    buttons = []
    if undo_kind(view) is not None:
        buttons.append(button(texts("button.undo"), action="undo", value=action_value, style="danger"))
    at = undo_context_of(view)
    if (
        domain.policy.finish_now
        and at.progress is Progress.SWITCHED
        and not (at.under_way or at.finishing or at.blue_ends)
    ):
        ask = confirm(
            title=texts("confirm.finish.title", domain=domain.name),
            text=texts("confirm.finish.text", domain=domain.name),
            yes=texts("confirm.finish.yes"),
            no=texts("confirm.finish.no"),
            style="danger",
        )
        buttons.append(button(texts("button.finish"), action="finish", value=action_value, confirm=ask))
    return [actions(f"course.{view.version}", *buttons)] if buttons else []


def _progress(view: GateView, texts: Texts) -> list[str]:
    switch = view.switch
    if not is_let_through(view):
        return []
    match progress_of(view):
        case Progress.HELD:
            return []
        case Progress.SHIFTING:
            return [_shifting(view, texts)]
        case Progress.SWITCHED:
            return [_switched(view, texts)]
        case Progress.FINISHED:
            return [_finished(view, texts)]
        case Progress.ENDED:
            status_text = (
                [] if was_stopped_here(view) else [texts("course.ended", ending=ending_text(switch))]
            )
            return [*status_text, *_after_a_bad_end(view, texts)]
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
    words = "rescue" if view.basis is Basis.AUTO_ROLLBACK else "undo"
    superseded = words == "undo" and progress is Progress.FINISHED and view.superseded
    return [
        texts(
            f"course.{words}.{'superseded' if superseded else progress.value}",
            at=when(at or view.opened_at),
            ending=ending_text(switch),
            percent=switch.green_percent or 0,
            bar=_bar(switch.green_percent or 0),
        )
    ]


def _shifting(view: GateView, texts: Texts) -> str:
    switch = view.switch
    percent = switch.green_percent or 0
    status_text = texts("course.shifting", bar=_bar(percent), percent=percent)
    traffic = switch.traffic
    if not percent or switch.traffic_changed_at is None or traffic is None or not traffic.minutes:
        return status_text
    if is_being_undone(view):
        return status_text
    following = switch.traffic_changed_at + timedelta(minutes=traffic.minutes)
    left = 100 if traffic.shift is Shift.CANARY else min(percent + traffic.percent, 100)
    return f"{status_text}\n{texts('course.next_step', percent=left, at=when(following))}"


def _switched(view: GateView, texts: Texts) -> str:
    switch = view.switch
    status_text = texts("course.switched", bar=_bar(100), at=when(switch.switched_at or view.opened_at))
    if undo_kind(view) is not InterventionKind.STOP or ends_blue(view):
        return status_text
    back = (
        texts("course.undo_until", until=when(switch.blue_until))
        if switch.blue_until
        else texts("course.undo_while_blue")
    )
    return f"{status_text}\n{back}"


def _finished(view: GateView, texts: Texts) -> str:
    status_text = texts("course.finished", at=when(view.switch.ended_at or view.opened_at))
    if is_undone(view) or is_being_undone(view):
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
