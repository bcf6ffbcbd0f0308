"""What one poll of CodeDeploy shows of a switch, and what of it changed."""

import asyncio
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from app.flow.ports.codedeploy import (
    CodeDeployUnavailable,
    DeploymentFacts,
    Deployments,
    NoSuchDeployment,
    Target,
)
from app.flow.ports.switches import DuePoll, SwitchUpdate
from app.flow.read_models import Switch, Traffic
from app.gate.decision import Answer
from app.gate.previous_revision import PreviousRevision

PREVIOUS_REVISION_TIMEOUT_SECONDS: Final = 3.0
"""Seconds. The end of a deployment is told without it where AWS is slow."""

NOT_BEGUN: Final = frozenset({"Pending", "Skipped"})


@dataclass(frozen=True, kw_only=True, slots=True)
class Observation:
    """`facts` is None when CodeDeploy has no such deployment; parts that were not read are None.

    `unread`: why a part could not be read. The other parts are used all the same.
    """

    facts: DeploymentFacts | None
    target: Target | None = None
    traffic: Traffic | None = None
    previous: PreviousRevision | None = None
    unread: CodeDeployUnavailable | None = None
    may_appear: bool = False
    """CodeDeploy may know the deployment a moment later."""


async def observe(due: DuePoll, *, deployments: Deployments) -> Observation:
    """Looks. The target costs calls of its own, so it is asked for only where it can tell something new."""
    key = due.switch.key
    try:
        facts = await deployments.deployment(key)
    except NoSuchDeployment as exc:
        return Observation(facts=None, may_appear=exc.may_appear)
    target = traffic = previous = unread = None
    try:
        if _asks_for_target(due, facts):
            target = await deployments.target(key)
    except CodeDeployUnavailable as exc:
        unread = exc
    if due.switch.traffic is None:
        with suppress(CodeDeployUnavailable):  # only the card's description of the shift waits for it
            traffic = await deployments.traffic(key, config_name=facts.config_name)
    if _asks_for_previous(due, facts):
        with suppress(CodeDeployUnavailable, NoSuchDeployment, TimeoutError):  # an undo reads it again
            async with asyncio.timeout(PREVIOUS_REVISION_TIMEOUT_SECONDS):
                previous = await deployments.previous_revision(key, blue=due.blue)
    return Observation(facts=facts, target=target, traffic=traffic, previous=previous, unread=unread)


def _asks_for_target(due: DuePoll, facts: DeploymentFacts) -> bool:
    if due.answer_unread or due.succeeded_elsewhere or _ended_badly(due, facts) or is_untimed(due.switch):
        return True
    if facts.over:
        return lacks_last_reading(due.switch)
    return _waits_for_start(due) or is_moving(due)


def is_untimed(switch: Switch) -> bool:
    """Whether all traffic was seen on green, but not yet when CodeDeploy had moved it there."""
    return switch.switched_at is not None and switch.shift_ended_at is None and switch.ended_at is None


def lacks_last_reading(switch: Switch) -> bool:
    """Whether the deployment ended badly and its traffic could not be read since."""
    return switch.ended_at is not None and switch.traffic_unknown and switch.status != "Succeeded"


def _ended_badly(due: DuePoll, facts: DeploymentFacts) -> bool:
    """The deployment failed or was stopped just now: where did the traffic stay? Somebody may have let it through past
    us, so it is read whatever was decided here."""
    bad = facts.over and facts.status != "Succeeded" and due.switch.ended_at is None
    return bad and due.switch.verified


def _asks_for_previous(due: DuePoll, facts: DeploymentFacts) -> bool:
    """Once beforehand, when it is known what blue runs, and once at the end. A rollback has no undo."""
    switch = due.switch
    if not switch.verified or switch.rollback_of is not None or switch.ended_at is not None:
        return False
    return facts.over or (known_previous(switch) is None and due.blue is not None)


def known_previous(switch: Switch) -> PreviousRevision | None:
    """What is recorded of the revision that served before."""
    name, obstacle = switch.previous_revision, switch.previous_obstacle
    return PreviousRevision(name=name, obstacle=obstacle) if name or obstacle else None


def is_moving(due: DuePoll) -> bool:
    """Whether traffic has been let through and has not all arrived yet."""
    switch = due.switch
    return due.moving_since is not None and switch.switched_at is None and switch.ended_at is None


def shows_succeeded(due: DuePoll, observation: Observation) -> bool:
    """Whether this poll is the first to show that the gate's lifecycle event succeeded."""
    hook = observation.target.events.get(due.hook_name or "") if observation.target else None
    return due.moving_since is None and hook is not None and hook.status == Answer.SUCCEEDED


def _waits_for_start(due: DuePoll) -> bool:
    return due.hook_name is not None and due.switch.hook_started_at is None


def hook_started(due: DuePoll, observation: Observation) -> datetime | None:
    """When the gate's hook began, if this poll shows it."""
    if observation.target is None or due.hook_name is None:
        return None
    hook = observation.target.events.get(due.hook_name)
    return hook.started_at if hook else None


def update_of(
    due: DuePoll, observation: Observation, facts: DeploymentFacts, *, now: datetime
) -> SwitchUpdate:
    """What is to be stored."""
    switched = due.switch.switched_at is None and _all_on_green(due, observation, facts)
    ended_at = _shift_ended(due.switch, observation.target, switched=switched, now=now)
    read = share_read(due, observation)
    lost = read is None and not switched and _ended_badly(due, facts)
    return SwitchUpdate(
        status=facts.status,
        hook_started_at=hook_started(due, observation),
        traffic=observation.traffic,
        green_percent=100 if switched else read,
        traffic_moved_at=_moved_at(due.switch, observation, read or 0, now=now),
        traffic_read_at=now if read is not None or switched else None,
        traffic_unknown=True if lost else False if read is not None or switched else None,
        share_returns=share_returns(due, observation),
        green_unknown=lost and not due.switch.green_percent,
        switched_at=ended_at or (now if switched else None),
        shift_ended_at=ended_at,
        blue_until=ended_at + facts.keeps_blue if ended_at and facts.keeps_blue is not None else None,
        rollback_id=facts.rollback_id,
        previous=observation.previous,
        auto_rollback=facts.auto_rollback,
    )


def _moved_at(switch: Switch, observation: Observation, percent: int, *, now: datetime) -> datetime:
    """When traffic had come to this share: by CodeDeploy's time of AllowTraffic's start and its steps, not by when it
    was looked at. The first step is taken at the start."""
    shift = observation.target.events.get("AllowTraffic") if observation.target else None
    traffic = switch.traffic or observation.traffic
    if shift is None or shift.started_at is None or traffic is None:
        return now
    steps = max(percent // max(traffic.percent, 1) - 1, 0)
    return min(shift.started_at + steps * timedelta(minutes=traffic.minutes), now)


def _shift_ended(switch: Switch, target: Target | None, *, switched: bool, now: datetime) -> datetime | None:
    """When CodeDeploy had moved all traffic, by its own time, if this poll is the first to show it.

    An event that has been seen is over, whatever the clocks of CodeDeploy and of this machine differ by.
    """
    moved = target.events.get("AllowTraffic") if target else None
    if not (switched or is_untimed(switch)) or moved is None or moved.status != "Succeeded":
        return None
    return min(moved.ended_at or now, now)


def share_read(due: DuePoll, observation: Observation) -> int | None:
    """The share of traffic on green that this poll read; None: none."""
    target = observation.target
    if target is None:
        return None
    moved = target.events.get("AllowTraffic")
    begun = moved is None or moved.status not in NOT_BEGUN
    # A rollback begins with all or some of the traffic on its green.
    if target.green_percent is None and not begun and due.switch.rollback_of is None:
        return 0
    return target.green_percent


def share_returns(due: DuePoll, observation: Observation) -> bool:
    """Whether the share of traffic is known by this poll and was not before it."""
    if share_read(due, observation) is None:
        return False
    switch, since = due.switch, due.moving_since
    if switch.traffic_unknown:
        return True
    return is_moving(due) and (
        switch.traffic_read_at is None or (since is not None and switch.traffic_read_at < since)
    )


def _all_on_green(due: DuePoll, observation: Observation, facts: DeploymentFacts) -> bool:
    if facts.status == "Succeeded" or facts.keeping_blue:
        return True
    if facts.over or observation.target is None or not is_moving(due):
        return False
    moved = observation.target.events.get("AllowTraffic")
    return observation.target.green_percent == 100 or (moved is not None and moved.status == "Succeeded")


def has_changes(due: DuePoll, observation: Observation, *, now: datetime) -> bool:
    """Whether anything has to be written: an unchanged switch costs a share of one statement a poll."""
    facts, switch = observation.facts, due.switch
    if facts is None:
        return switch.ended_at is None
    if not switch.verified or (facts.over and switch.ended_at is None):
        return True
    if shows_succeeded(due, observation) or share_returns(due, observation):
        return True
    # Whoever was to approve an automatic rollback may have been cut off before that.
    if due.auto_approval_pending or (due.answer_unread and observation.target is not None):
        return True
    if observation.previous is not None and observation.previous != known_previous(switch):
        return True
    return _learned(switch, update_of(due, observation, facts, now=now)) != _known(switch)


def _known(switch: Switch) -> tuple[object, ...]:
    return (
        switch.status,
        switch.hook_started_at,
        switch.traffic,
        switch.green_percent,
        switch.switched_at,
        switch.shift_ended_at,
        switch.rollback_id,
        switch.auto_rollback,
    )


def _learned(switch: Switch, update: SwitchUpdate) -> tuple[object, ...]:
    return (
        update.status,
        switch.hook_started_at or update.hook_started_at,
        switch.traffic or update.traffic,
        switch.green_percent if update.green_percent is None else update.green_percent,
        switch.switched_at or update.switched_at,
        switch.shift_ended_at or update.shift_ended_at,
        switch.rollback_id or update.rollback_id,
        update.auto_rollback if switch.auto_rollback is None else switch.auto_rollback,
    )
