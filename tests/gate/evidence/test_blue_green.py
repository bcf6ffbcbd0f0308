"""Green is found, whatever AWS leaves out: right after a swap, without labels, on a service's first switch."""

from datetime import timedelta

import pytest

from app.gate.evidence.blue_green import Pair, TargetSet, TaskSet, pair_of
from app.gate.evidence.model import Tasks
from tests.gate.seen import AT

TASKS = Tasks(desired=2, running=2, pending=0, steady=True)
DEPLOYMENT = "d-NOW"


def ecs(id_: str, status: str, external_id: str | None = None, *, minutes: int = 0) -> TaskSet:
    return TaskSet(
        id=id_,
        external_id=external_id,
        status=status,
        task_definition=f"order:{id_}",
        tasks=TASKS,
        target_groups=(),
        created_at=AT + timedelta(minutes=minutes),
    )


def codedeploy(id_: str, status: str, label: str | None = None) -> TargetSet:
    return TargetSet(id=id_, label=label, status=status, weight=None, target_group=None, tasks=TASKS)


BLUE_GREEN = Pair(blue="b", green="g")

SEEN = {
    "the common case": (
        [ecs("b", "PRIMARY", "d-BEFORE"), ecs("g", "ACTIVE", DEPLOYMENT)],
        [codedeploy("b", "PRIMARY", "Blue"), codedeploy("g", "ACTIVE", "Green")],
        False,
        BLUE_GREEN,
    ),
    "the first switch of a service, without labels": (
        [ecs("b", "PRIMARY"), ecs("g", "ACTIVE", DEPLOYMENT)],
        [codedeploy("b", "PRIMARY"), codedeploy("g", "ACTIVE")],
        False,
        BLUE_GREEN,
    ),
    "right after the swap green is PRIMARY": (
        [ecs("b", "ACTIVE", "d-BEFORE"), ecs("g", "PRIMARY", DEPLOYMENT)],
        [],
        True,
        BLUE_GREEN,
    ),
    "after the swap, without any name": (
        [],
        [codedeploy("b", "ACTIVE"), codedeploy("g", "PRIMARY")],
        True,
        BLUE_GREEN,
    ),
    "ECS alone": ([ecs("g", "ACTIVE", DEPLOYMENT), ecs("b", "PRIMARY", "d-BEFORE")], [], False, BLUE_GREEN),
    "CodeDeploy alone": (
        [],
        [codedeploy("b", "PRIMARY", "Blue"), codedeploy("g", "ACTIVE", "Green")],
        False,
        BLUE_GREEN,
    ),
    "CodeDeploy alone, without labels": (
        [],
        [codedeploy("b", "PRIMARY"), codedeploy("g", "ACTIVE")],
        False,
        BLUE_GREEN,
    ),
    "ECS does not say whose a set is": (
        [ecs("b", "PRIMARY"), ecs("g", "ACTIVE")],
        [],
        False,
        BLUE_GREEN,
    ),
    "an older set still drains": (
        [ecs("old", "DRAINING", "d-OLD"), ecs("b", "PRIMARY"), ecs("g", "ACTIVE", minutes=2)],
        [],
        False,
        BLUE_GREEN,
    ),
    "two candidates: the newest": (
        [ecs("b", "PRIMARY"), ecs("older", "ACTIVE", "d-OLD", minutes=1), ecs("g", "ACTIVE", minutes=2)],
        [],
        False,
        BLUE_GREEN,
    ),
    "a rollback goes to the set that served before, which another deployment made": (
        [ecs("g", "ACTIVE", "d-BEFORE"), ecs("b", "PRIMARY", "d-FAILED")],
        [codedeploy("b", "PRIMARY", "Blue"), codedeploy("g", "ACTIVE", "Green")],
        False,
        BLUE_GREEN,
    ),
    "the id wins over a label": (
        [ecs("b", "PRIMARY", "d-BEFORE"), ecs("g", "ACTIVE", DEPLOYMENT)],
        [codedeploy("g", "ACTIVE", "Blue"), codedeploy("b", "PRIMARY", "Green")],
        False,
        BLUE_GREEN,
    ),
    "green is not there yet": ([ecs("b", "PRIMARY")], [], False, Pair(blue="b", green=None)),
    "blue has gone": ([ecs("g", "PRIMARY", DEPLOYMENT)], [], True, Pair(blue=None, green="g")),
    "nothing is known": ([], [], False, Pair(blue=None, green=None)),
}


@pytest.mark.parametrize(("task_sets", "target_sets", "shifted", "expected"), SEEN.values(), ids=SEEN)
def test_blue_and_green_are_found(
    task_sets: list[TaskSet], target_sets: list[TargetSet], shifted: bool, expected: Pair
) -> None:
    assert pair_of(DEPLOYMENT, task_sets=task_sets, target_sets=target_sets, shifted=shifted) == expected
