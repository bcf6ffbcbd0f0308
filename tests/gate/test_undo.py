"""Which way back there is, and why there is none."""

import pytest

from app.gate.ids import UserId
from app.gate.previous_revision import Obstacle
from app.gate.rules.permits import Refusal
from app.gate.undo import (
    Course,
    Deed,
    NoPreviousRevision,
    NothingToUndo,
    RollingBack,
    Standpoint,
    Superseded,
    UnderWay,
    way_back,
)


def standing(
    course: Course,
    *,
    is_rescue: bool = False,
    superseded: bool = False,
    obstacle: Obstacle | None = None,
    under_way: UnderWay | None = None,
    on_green: bool = False,
    rolling_back: bool = False,
) -> Standpoint:
    return Standpoint(
        course=course,
        is_rescue=is_rescue,
        superseded=superseded,
        obstacle=obstacle,
        under_way=under_way,
        on_green=on_green,
        rolling_back=rolling_back,
    )


@pytest.mark.parametrize(
    ("at", "way"),
    [
        (standing(Course.SHIFTING), Deed.STOP),
        (standing(Course.SWITCHED), Deed.STOP),
        (standing(Course.SWITCHED, obstacle=Obstacle.ABSENT), Deed.STOP),
        (standing(Course.FINISHED), Deed.REDEPLOY),
        (standing(Course.ENDED, on_green=True), Deed.REDEPLOY),
    ],
)
def test_while_blue_runs_a_stop_takes_it_back_and_after_that_a_redeployment(
    at: Standpoint, way: Deed
) -> None:
    assert way_back(at) is way


@pytest.mark.parametrize(
    ("at", "refusal"),
    [
        (standing(Course.HELD), NothingToUndo),
        (standing(Course.ENDED), NothingToUndo),
        (standing(Course.SWITCHED, is_rescue=True), NothingToUndo),
        (standing(Course.ENDED, on_green=True, rolling_back=True), RollingBack),
        (standing(Course.ENDED, on_green=True, superseded=True), Superseded),
        *(
            (standing(course, on_green=True, obstacle=obstacle), NoPreviousRevision)
            for course in (Course.FINISHED, Course.ENDED)
            for obstacle in Obstacle
        ),
        (standing(Course.FINISHED, superseded=True), Superseded),
        (standing(Course.SWITCHED, under_way=UnderWay(by=UserId("U1"), name="Ana")), UnderWay),
    ],
)
def test_where_there_is_no_way_back_the_reason_has_a_name(at: Standpoint, refusal: type[Refusal]) -> None:
    with pytest.raises(refusal):
        way_back(at)
