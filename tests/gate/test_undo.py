"""Which way back there is, and why there is none."""

import pytest

from app.gate.ids import UserId
from app.gate.policy import Refusal
from app.gate.undo import (
    Course,
    Deed,
    NoPreviousRevision,
    NothingToUndo,
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
    previous: str | None = "order:41",
    under_way: UnderWay | None = None,
) -> Standpoint:
    return Standpoint(
        course=course,
        is_rescue=is_rescue,
        superseded=superseded,
        previous_revision=previous,
        under_way=under_way,
    )


@pytest.mark.parametrize(
    ("at", "way"),
    [
        (standing(Course.SHIFTING), Deed.STOP),
        (standing(Course.SWITCHED), Deed.STOP),
        (standing(Course.SWITCHED, previous=None), Deed.STOP),
        (standing(Course.FINISHED), Deed.REDEPLOY),
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
        (standing(Course.FINISHED, previous=None), NoPreviousRevision),
        (standing(Course.FINISHED, superseded=True), Superseded),
        (standing(Course.SWITCHED, under_way=UnderWay(by=UserId("U1"), name="Ana")), UnderWay),
    ],
)
def test_where_there_is_no_way_back_the_reason_has_a_name(at: Standpoint, refusal: type[Refusal]) -> None:
    with pytest.raises(refusal):
        way_back(at)
