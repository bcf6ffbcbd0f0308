"""What CodeDeploy shows of a switch at one look, and what of that is news."""

from dataclasses import dataclass
from datetime import datetime

from app.flow.codedeploy_ports import CannotAsk, DeploymentFacts, Deployments, NoSuchDeployment, Target
from app.flow.record_ports import DueLook, News
from app.flow.views import Switch, Traffic


@dataclass(frozen=True, kw_only=True, slots=True)
class Sight:
    """`facts` is None when CodeDeploy has no such deployment; parts that were not looked for are None."""

    facts: DeploymentFacts | None
    target: Target | None
    traffic: Traffic | None


async def see(due: DueLook, *, deployments: Deployments) -> Sight:
    """Looks. The target costs calls of its own, so it is asked for only where it can tell something new."""
    key = due.switch.key
    try:
        facts = await deployments.deployment(key)
    except NoSuchDeployment:
        return Sight(facts=None, target=None, traffic=None)
    target = traffic = None
    if not facts.over and (_waits_for_start(due) or is_moving(due)):
        target = await deployments.target(key)
    if due.switch.traffic is None:
        try:
            traffic = await deployments.traffic(key, config_name=facts.config_name)
        except CannotAsk:
            traffic = None  # only the card's description of the shift waits for it
    return Sight(facts=facts, target=target, traffic=traffic)


def is_moving(due: DueLook) -> bool:
    """Whether traffic has been let through and has not all arrived yet."""
    switch = due.switch
    return due.moving_since is not None and switch.switched_at is None and switch.ended_at is None


def _waits_for_start(due: DueLook) -> bool:
    return due.hook_name is not None and due.switch.hook_started_at is None


def hook_started(due: DueLook, sight: Sight) -> datetime | None:
    """When the gate's hook began, if this look shows it."""
    if sight.target is None or due.hook_name is None:
        return None
    hook = sight.target.events.get(due.hook_name)
    return hook.started_at if hook else None


def news_of(due: DueLook, sight: Sight, facts: DeploymentFacts, *, now: datetime) -> News:
    """What is to be stored. `switched_at` is when it was first seen, by the record's own clock."""
    switched = due.switch.switched_at is None and _all_on_green(due, sight, facts)
    return News(
        status=facts.status,
        hook_started_at=hook_started(due, sight),
        traffic=sight.traffic,
        green_percent=100 if switched else (sight.target.green_percent if sight.target else None),
        switched_at=now if switched else None,
        blue_until=now + facts.keeps_blue if switched and facts.keeps_blue is not None else None,
        rollback_id=facts.rollback_id,
        previous_revision=facts.previous_revision,
        auto_rollback=facts.auto_rollback,
    )


def _all_on_green(due: DueLook, sight: Sight, facts: DeploymentFacts) -> bool:
    if facts.status == "Succeeded" or facts.keeping_blue:
        return True
    if facts.over or sight.target is None or not is_moving(due):
        return False
    moved = sight.target.events.get("AllowTraffic")
    return sight.target.green_percent == 100 or (moved is not None and moved.status == "Succeeded")


def is_news(due: DueLook, sight: Sight, *, now: datetime) -> bool:
    """Whether anything is to be written: a switch at rest costs a share of one statement a look."""
    facts, switch = sight.facts, due.switch
    if facts is None:
        return switch.ended_at is None
    if not switch.verified or (facts.over and switch.ended_at is None):
        return True
    if due.rescue_waits:
        return True  # whoever was to let it pass was cut off before that
    return _learned(switch, news_of(due, sight, facts, now=now)) != _known(switch)


def _known(switch: Switch) -> tuple[object, ...]:
    return (
        switch.status,
        switch.hook_started_at,
        switch.traffic,
        switch.green_percent,
        switch.switched_at,
        switch.rollback_id,
        switch.previous_revision,
        switch.auto_rollback,
    )


def _learned(switch: Switch, news: News) -> tuple[object, ...]:
    return (
        news.status,
        switch.hook_started_at or news.hook_started_at,
        switch.traffic or news.traffic,
        switch.green_percent if news.green_percent is None else news.green_percent,
        switch.switched_at or news.switched_at,
        switch.rollback_id or news.rollback_id,
        switch.previous_revision or news.previous_revision,
        news.auto_rollback if switch.auto_rollback is None else switch.auto_rollback,
    )
