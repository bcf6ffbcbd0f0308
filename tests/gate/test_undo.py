"""Which way back there is, and why there is none."""

import pytest

from app.gate.ids import UserId
from app.gate.previous_revision import Obstacle
from app.gate.rules.denials import Denial
from app.gate.undo import (
    InterventionKind,
    NoPreviousRevision,
    NothingToUndo,
    Progress,
    RollingBack,
    Superseded,
    UnderWay,
    UndoContext,
    available_undo,
)


def undo_context(
    progress: Progress,
    *,
    is_auto_rollback: bool = False,
    superseded: bool = False,
    obstacle: Obstacle | None = None,
    under_way: UnderWay | None = None,
    on_green: bool = False,
    rolling_back: bool = False,
) -> UndoContext:
    return UndoContext(
        progress=progress,
        is_auto_rollback=is_auto_rollback,
        superseded=superseded,
        obstacle=obstacle,
        under_way=under_way,
        on_green=on_green,
        rolling_back=rolling_back,
    )


@pytest.mark.parametrize(
    ("at", "way"),
    [
        (undo_context(Progress.SHIFTING), InterventionKind.STOP),
        (undo_context(Progress.SWITCHED), InterventionKind.STOP),
        (undo_context(Progress.SWITCHED, obstacle=Obstacle.ABSENT), InterventionKind.STOP),
        (undo_context(Progress.FINISHED), InterventionKind.REDEPLOY),
        (undo_context(Progress.ENDED, on_green=True), InterventionKind.REDEPLOY),
    ],
)
def test_while_blue_runs_a_stop_takes_it_back_and_after_that_a_redeployment(
    at: UndoContext, way: InterventionKind
) -> None:
    assert available_undo(at) is way


@pytest.mark.parametrize(
    ("at", "refusal"),
    [
        (undo_context(Progress.HELD), NothingToUndo),
        (undo_context(Progress.ENDED), NothingToUndo),
        (undo_context(Progress.SWITCHED, is_auto_rollback=True), NothingToUndo),
        (undo_context(Progress.ENDED, on_green=True, rolling_back=True), RollingBack),
        (undo_context(Progress.ENDED, on_green=True, superseded=True), Superseded),
        *(
            (undo_context(progress, on_green=True, obstacle=obstacle), NoPreviousRevision)
            for progress in (Progress.FINISHED, Progress.ENDED)
            for obstacle in Obstacle
        ),
        (undo_context(Progress.FINISHED, superseded=True), Superseded),
        (undo_context(Progress.SWITCHED, under_way=UnderWay(by=UserId("U1"), name="Ana")), UnderWay),
    ],
)
def test_where_there_is_no_way_back_the_reason_has_a_name(at: UndoContext, refusal: type[Denial]) -> None:
    with pytest.raises(refusal):
        available_undo(at)
