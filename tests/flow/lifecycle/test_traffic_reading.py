"""The share of traffic: when it counts as known, and whose time says that it had all moved."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from app.flow.lifecycle.observation import Observation, update_of
from app.flow.lifecycle.poll_schedule import MIN_STALE_AFTER, reading_of
from app.flow.ports.codedeploy import DeploymentFacts, HookProgress, Target
from app.flow.ports.switches import DuePoll
from app.flow.read_models import GateView, Rollback, Traffic
from app.flow.traffic_share import TrafficShare, share_on_green
from app.gate.decision import Verdict
from app.gate.rules.policy import Shift
from app.gate.state_machine import Decided, Outcome
from tests.slack.sample_gates import APPROVED, GATE, NOON, SWITCH, acknowledged, filled, reported, view

DECIDED_AT = NOON + timedelta(minutes=3)
"""As in `APPROVED`."""

READ = DECIDED_AT + timedelta(seconds=30)
LATER = READ + timedelta(minutes=2)
MOVING = replace(SWITCH, green_percent=10, traffic_read_at=READ)
SWITCHED = replace(MOVING, green_percent=100, switched_at=READ, shift_ended_at=READ)
STOPPED: dict[str, Any] = {"status": "Stopped", "ended_at": LATER, "end_reason": "Stopped: ALARM_ACTIVE"}


def approved(**how: Any) -> GateView:
    return view(
        reported(Verdict.APPROVED, Outcome.ACKNOWLEDGED),
        **{**APPROVED, **acknowledged(Outcome.ACKNOWLEDGED, "Succeeded"), **how},
    )


def back(**how: Any) -> Rollback:
    return Rollback(
        **{"deployment": "d-BACK", "status": "InProgress", "switched_at": None, "ended_at": None, **how}
    )


FAILED_BACK: dict[str, Any] = {"status": "Failed", "ended_at": LATER, "traffic_read_at": LATER}
SHARES = {
    "waiting": (view(), TrafficShare(percent=0)),
    "CodeDeploy is not told": (
        view(Decided(id=GATE, verdict=Verdict.APPROVED, verified=True), **APPROVED),
        TrafficShare(percent=0),
    ),
    "told, not read yet": (approved(), TrafficShare(percent=None)),
    "read before the decision": (
        approved(switch=replace(SWITCH, green_percent=0, traffic_read_at=NOON)),
        TrafficShare(percent=None, read_at=NOON),
    ),
    "read": (approved(switch=MOVING), TrafficShare(percent=10, read_at=READ)),
    "not read again in time": (
        approved(switch=replace(MOVING, traffic_unknown=True)),
        TrafficShare(percent=None, read_at=READ),
    ),
    "all of it, which nothing moves": (
        approved(switch=replace(SWITCHED, traffic_unknown=True)),
        TrafficShare(percent=100),
    ),
    "stopped at ten": (approved(switch=replace(MOVING, **STOPPED)), TrafficShare(percent=10, read_at=READ)),
    "stopped, and not read since": (
        approved(switch=replace(SWITCHED, **STOPPED, traffic_unknown=True)),
        TrafficShare(percent=None, read_at=READ),
    ),
    "being rolled back, not read yet": (
        approved(switch=replace(SWITCHED, **STOPPED), rollback=back()),
        TrafficShare(percent=None, read_at=READ),
    ),
    "rollback failed before it moved anything": (
        approved(switch=replace(SWITCHED, **STOPPED), rollback=back(**FAILED_BACK, green_percent=0)),
        TrafficShare(percent=100, read_at=LATER),
    ),
    "rollback failed, and nobody could read": (
        approved(
            switch=replace(SWITCHED, **STOPPED),
            rollback=back(**FAILED_BACK, green_percent=0, traffic_unknown=True),
        ),
        TrafficShare(percent=None, read_at=LATER),
    ),
    "rolled back": (
        approved(switch=replace(SWITCHED, **STOPPED), rollback=back(switched_at=LATER)),
        TrafficShare(percent=0),
    ),
}


@pytest.mark.parametrize(("shown", "share"), SHARES.values(), ids=SHARES)
def test_the_share_on_green(shown: GateView, share: TrafficShare) -> None:
    assert share_on_green(shown) == share


FACTS = DeploymentFacts(
    application="order-app",
    deployment_group="order-dg",
    platform="ECS",
    status="InProgress",
    creator="user",
    description="",
    config_name="CodeDeployDefault.ECSAllAtOnce",
    created_at=None,
    rollback_of=None,
    error=None,
    keeps_blue=timedelta(minutes=5),
)


def due(switch: Any = SWITCH, **how: Any) -> DuePoll:
    values: dict[str, Any] = {
        "attempts": 1,
        "switch": switch,
        "due_at": READ,
        "moving_since": DECIDED_AT,
        **how,
    }
    return filled(DuePoll, **{"undoing": False, "auto_approval_pending": False, **values})


def target(status: str, percent: int | None, *, ended_at: datetime | None = None) -> Target:
    moved = HookProgress(status=status, started_at=READ, ended_at=ended_at)
    return Target(events={"AllowTraffic": moved}, green_percent=percent)


def seen(found: Target | None, **facts: Any) -> Observation:
    return Observation(facts=replace(FACTS, **facts), target=found)


def test_the_time_of_the_switch_is_codedeploys_own_and_blue_is_kept_from_then() -> None:
    late = READ + timedelta(seconds=55)
    observed = seen(target("Succeeded", 100, ended_at=READ))
    update = update_of(due(), observed, replace(FACTS), now=late)
    assert (update.switched_at, update.shift_ended_at) == (READ, READ)
    assert update.blue_until == READ + timedelta(minutes=5)


def test_until_codedeploy_tells_the_time_nothing_is_said_of_blues_end() -> None:
    update = update_of(due(), seen(target("InProgress", 100)), FACTS, now=LATER)
    assert (update.switched_at, update.shift_ended_at, update.blue_until) == (LATER, None, None)
    untimed = replace(SWITCH, switched_at=LATER, green_percent=100)
    then = update_of(due(untimed), seen(target("Succeeded", 100, ended_at=READ)), FACTS, now=LATER)
    assert (then.switched_at, then.blue_until) == (READ, READ + timedelta(minutes=5))


def test_a_clock_that_is_ahead_of_ours_puts_nothing_into_the_future() -> None:
    ahead = seen(target("Succeeded", 100, ended_at=LATER))
    assert update_of(due(), ahead, FACTS, now=READ).switched_at == READ


@pytest.mark.parametrize(
    ("shift", "percent", "minutes"), [(Shift.CANARY, 10, 0), (Shift.LINEAR, 10, 0), (Shift.LINEAR, 30, 6)]
)
def test_the_time_of_a_step_is_codedeploys_own(shift: Shift, percent: int, minutes: int) -> None:
    stepping = replace(SWITCH, traffic=Traffic(shift=shift, percent=10, minutes=3))
    late = READ + timedelta(minutes=minutes, seconds=55)
    update = update_of(due(stepping), seen(target("InProgress", percent)), FACTS, now=late)
    assert update.traffic_moved_at == READ + timedelta(minutes=minutes)


def test_a_reading_counts_for_three_polls_or_five_seconds() -> None:
    read = seen(target("InProgress", 10))
    soon = DECIDED_AT + timedelta(seconds=4)
    assert reading_of(due(), read, now=soon).stale_at == soon + MIN_STALE_AFTER
    long_after = DECIDED_AT + timedelta(minutes=2)
    assert reading_of(due(), read, now=long_after).stale_at == long_after + timedelta(seconds=18)


@pytest.mark.parametrize("observation", [None, seen(None)], ids=["no answer", "no target"])
def test_a_poll_that_reads_nothing_says_so(observation: Observation | None) -> None:
    reading = reading_of(due(), observation, now=LATER)
    assert reading.read_at is None
    assert reading.stale_at is not None


@pytest.mark.parametrize(
    "still",
    [due(moving_since=None), due(SWITCHED), due(replace(MOVING, **STOPPED))],
    ids=["waiting", "switched", "ended"],
)
def test_traffic_that_cannot_move_needs_no_reading(still: DuePoll) -> None:
    assert reading_of(still, None, now=LATER).stale_at is None


def test_where_traffic_stayed_is_unknown_until_it_is_read_after_a_bad_end() -> None:
    over: dict[str, Any] = {"status": "Stopped", "error": "ALARM_ACTIVE"}
    lost = update_of(due(MOVING), seen(None, **over), replace(FACTS, **over), now=LATER)
    assert (lost.traffic_unknown, lost.green_unknown) == (True, False)
    read = seen(target("Failed", 10), **over)
    known = update_of(due(MOVING), read, replace(FACTS, **over), now=LATER)
    assert (known.traffic_unknown, known.green_percent) == (False, 10)


def test_a_rollback_that_has_not_begun_to_move_says_nothing_of_the_share() -> None:
    rollback = replace(SWITCH, rollback_of="d-OTHER")
    pending = Target(
        events={"AllowTraffic": HookProgress(status="Pending", started_at=None)}, green_percent=None
    )
    assert update_of(due(rollback), seen(pending), FACTS, now=LATER).green_percent is None
    assert update_of(due(), seen(pending), FACTS, now=LATER).green_percent == 0
