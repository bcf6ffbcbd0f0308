"""A hook arrived: open its gate, once, if CodeDeploy confirms that the deployment is ours to hold."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import uuid4

from app.flow.codedeploy_ports import CannotAsk, DeploymentFacts, Deployments, NoSuchDeployment
from app.flow.events import Actor, ActorKind, Event, Kind
from app.flow.free_passage import pass_freely
from app.flow.record_ports import GateRecord, Opening, Verification
from app.flow.rules_port import Rules
from app.flow.views import GateView
from app.gate.deadline import deadline_after
from app.gate.deployer import deployer_claims
from app.gate.ids import ExecutionId, GateId, SwitchKey
from app.gate.manners import next_reminder
from app.gate.policy import RESCUERS
from app.gate.rulebook import Policy

ASK_LIMIT: Final = 4.0
"""Seconds that a hook may wait for CodeDeploy's confirmation; the Lambda gives up on us after 10."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Hook:
    """What the Lambda forwards. `hook_name` is the lifecycle event that waits."""

    key: SwitchKey
    execution_id: ExecutionId
    hook_name: str
    sender: str


class NotOurs(Exception):
    """CodeDeploy knows this deployment as one that we must not touch. The message says why."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Opened:
    """A new gate; `verified` is False while CodeDeploy could not be asked."""

    gate: GateId
    verified: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class Known:
    """The same hook came before."""

    view: GateView


async def open_gate(
    hook: Hook, *, record: GateRecord, deployments: Deployments, rules: Rules, now: datetime
) -> Opened | Known:
    """Opens the hook's gate or finds it. Raises `NotOurs`, having recorded the refusal."""
    try:
        verification = await _verification(hook.key, deployments=deployments, rules=rules)
    except NotOurs as refusal:
        known = await record.find(hook.key, execution_digest=hook.execution_id.digest())
        if known is not None:
            return Known(view=known)
        await record.note([_refused(hook, str(refusal), now)])
        raise
    opening = _opening(hook, verification, rules=rules, now=now)
    entry = await record.open(opening, _opened(hook, opening))
    if entry is not None:
        if verification is not None and (entry.undoes or verification.facts.creator in RESCUERS):
            await pass_freely(opening.gate, record=record, now=now)
        return Opened(gate=opening.gate, verified=verification is not None)
    known = await record.find(hook.key, execution_digest=hook.execution_id.digest())
    if known is None:
        raise RuntimeError("the record refused a gate that it does not hold")
    return Known(view=known)


async def _verification(key: SwitchKey, *, deployments: Deployments, rules: Rules) -> Verification | None:
    """What CodeDeploy confirms; None when it cannot be asked. Raises `NotOurs`."""
    try:
        async with asyncio.timeout(ASK_LIMIT):
            facts = await deployments.deployment(key)
    except NoSuchDeployment:
        raise NotOurs(f"CodeDeploy has no deployment {key.deployment} in {key.region}") from None
    except (CannotAsk, TimeoutError):
        return None
    return verify_facts(facts, rules=rules)


def verify_facts(facts: DeploymentFacts, *, rules: Rules) -> Verification:
    """The deployment as one of our domains', under way on ECS. Raises `NotOurs`."""
    domain = rules.domain_of(application=facts.application, deployment_group=facts.deployment_group)
    if domain is None:
        raise NotOurs(f"{facts.application}/{facts.deployment_group} is not a configured domain")
    if facts.platform != "ECS":
        raise NotOurs(f"the compute platform is {facts.platform or 'unknown'}, not ECS")
    if facts.over:
        raise NotOurs(f"the deployment is over: {facts.status}")
    names = deployer_claims(description=facts.description, creator=facts.creator).names
    named = {person for name in names if (person := rules.slack_person(name))}
    return Verification(
        domain=domain.name,
        listener_port=domain.listener_port,
        facts=facts,
        deployed_by=names[0] if names else None,
        named_deployers=tuple(sorted(named)),
    )


def policy_of(verification: Verification | None, *, rules: Rules) -> Policy:
    """The confirmed domain's policy, or the default while nobody has confirmed anything."""
    domain = rules.domain(verification.domain) if verification else None
    return domain.policy if domain else rules.default_policy


def _opening(hook: Hook, verification: Verification | None, *, rules: Rules, now: datetime) -> Opening:
    policy = policy_of(verification, rules=rules)
    deadline_at = deadline_after(now, allowed=policy.deadline)
    reminder = next_reminder(policy.manners, opened_at=now, deadline_at=deadline_at, after=now)
    return Opening(
        gate=GateId(uuid4()),
        key=hook.key,
        execution_id=hook.execution_id,
        hook_name=hook.hook_name,
        verification=verification,
        opened_at=now,
        deadline_at=deadline_at,
        remind_at=reminder.at if reminder else None,
    )


def _opened(hook: Hook, opening: Opening) -> Sequence[Event]:
    verified = opening.verification
    opened = Event(
        at=opening.opened_at,
        kind=Kind.GATE_OPENED,
        switch=hook.key,
        actor=Actor(kind=ActorKind.HOOK, id=hook.sender),
        domain=verified.domain if verified else None,
        gate=opening.gate,
        detail={"hook": hook.hook_name, "verified": verified is not None},
    )
    return [opened]


def _refused(hook: Hook, why: str, now: datetime) -> Event:
    return Event(
        at=now,
        kind=Kind.HOOK_REFUSED,
        switch=hook.key,
        actor=Actor(kind=ActorKind.HOOK, id=hook.sender),
        detail={"hook": hook.hook_name, "why": why},
    )
