"""Whether a hook is ours to hold: whose deployment it is, and which lifecycle event waits for an answer.

CodeDeploy's event names neither. Its reads are eventually consistent: right after the hook they may not know the
deployment, or show an earlier lifecycle event. So they are asked again before anything is decided by them.
"""

import asyncio
from collections.abc import Awaitable
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from app.flow.ports.codedeploy import (
    CodeDeployUnavailable,
    DeploymentFacts,
    Deployments,
    NoSuchDeployment,
    Target,
)
from app.flow.ports.database import Verification
from app.flow.ports.rules import Rules
from app.flow.undo.execute_intervention import UNDO_TAG
from app.gate.deployer import deployer_claims
from app.gate.ids import SwitchKey
from app.gate.rules.permits import AUTO_ROLLBACK_CREATORS

GATED_EVENT: Final = "BeforeAllowTraffic"
"""The lifecycle event that is gated: production traffic has not moved yet and moves right after it."""

HOOKABLE: Final = frozenset(
    {"BeforeInstall", "AfterInstall", "AfterAllowTestTraffic", GATED_EVENT, "AfterAllowTraffic"}
)
CONFIRM_TIMEOUT_SECONDS: Final = 4.0
"""How long a hook may wait for CodeDeploy's confirmation; the Lambda gives up on us after 5."""

EVENT_TIMEOUT_SECONDS: Final = 3.0
"""How much of it may be spent until the lifecycle event shows."""

ROLLBACK_EVENT_TIMEOUT_SECONDS: Final = 0.5
"""The same for an automatic rollback, which passes whichever event it is."""

FIRST_PAUSE_SECONDS: Final = 0.1
MAX_PAUSE_SECONDS: Final = 0.8


class DeploymentNotManaged(Exception):
    """CodeDeploy knows this hook as one that we must not hold. The message says why."""


class WrongEvent(DeploymentNotManaged):
    """The function is named as the hook of another lifecycle event than the one that is gated."""

    def __init__(self, event: str) -> None:
        super().__init__(
            f"the hook was called at {event}, but only {GATED_EVENT} is gated: remove the function from {event} in"
            f" the Hooks of the AppSpec and leave it at {GATED_EVENT}"
        )
        self.event = event


@dataclass(frozen=True, kw_only=True, slots=True)
class Confirmation:
    """What CodeDeploy confirmed. `verification` is None while it could not be asked.

    `hook_name` is the lifecycle event that waits, as far as that is known; `started_at`: when it began. `passes`: it
    is a rollback or calls itself an undo, which pass at whatever event.
    """

    verification: Verification | None
    hook_name: str
    started_at: datetime | None = None
    passes: bool = False


async def confirm_hook(
    key: SwitchKey, *, hook_name: str, deployments: Deployments, rules: Rules
) -> Confirmation:
    """Asks CodeDeploy, for a few seconds at most. Raises `DeploymentNotManaged`."""
    began = asyncio.get_running_loop().time()
    target = asyncio.create_task(_target(key, deployments))
    try:
        facts = await _facts(key, deployments, until=began + CONFIRM_TIMEOUT_SECONDS)
        if facts is None:
            return Confirmation(verification=None, hook_name=hook_name)
        if facts.creator in AUTO_ROLLBACK_CREATORS:
            return await _rollback(facts, target, hook_name=hook_name, rules=rules)
        check_managed(facts, rules=rules)
        if hook_name != GATED_EVENT and not _is_undo(facts):
            raise WrongEvent(hook_name)
        seen = await _wait_for_event(key, target, deployments, until=began + EVENT_TIMEOUT_SECONDS)
        return _confirmed(facts, seen, hook_name=hook_name, rules=rules)
    finally:
        target.cancel()


def verify_facts(facts: DeploymentFacts, target: Target | None, *, rules: Rules) -> Verification | None:
    """The deployment as one of our domains', under way on ECS; None while its platform is not known.

    An automatic rollback is taken whatever it is of: it must never wait. Raises `DeploymentNotManaged`.
    """
    domain = rules.domain_of(application=facts.application, deployment_group=facts.deployment_group)
    if facts.creator not in AUTO_ROLLBACK_CREATORS:
        check_managed(facts, rules=rules)
        # The platform is optional in GetDeployment; the target's type shows it as well.
        platform = facts.platform or (target.platform if target else "")
        if not platform:
            return None
        if platform != "ECS":
            raise DeploymentNotManaged(f"the compute platform is {platform}, not ECS")
    elif facts.over:
        raise DeploymentNotManaged(f"the deployment is over: {facts.status}")
    claims = deployer_claims(description=facts.description, creator=facts.creator)
    named = {person for name in claims.names if (person := rules.slack_person(name))}
    return Verification(
        domain=domain.name if domain else None,
        listener_port=domain.listener_port if domain else None,
        facts=facts,
        deployed_by=claims.shown,
        named_deployers=tuple(sorted(named)),
        observed=domain is not None and domain.policy.observe,
    )


def check_managed(facts: DeploymentFacts, *, rules: Rules) -> None:
    """Raises `DeploymentNotManaged` where GetDeployment alone says so."""
    if rules.domain_of(application=facts.application, deployment_group=facts.deployment_group) is None:
        raise DeploymentNotManaged(f"{facts.application}/{facts.deployment_group} is not a configured domain")
    if facts.platform not in {"ECS", ""}:
        raise DeploymentNotManaged(f"the compute platform is {facts.platform}, not ECS")
    if facts.over:
        raise DeploymentNotManaged(f"the deployment is over: {facts.status}")


def check_event(facts: DeploymentFacts, target: Target | None) -> None:
    """Raises `WrongEvent` where the target shows that another hook waits than the gated one."""
    waiting = waiting_hook(target) if target is not None else None
    if (
        waiting not in {None, GATED_EVENT}
        and facts.creator not in AUTO_ROLLBACK_CREATORS
        and not _is_undo(facts)
    ):
        raise WrongEvent(str(waiting))


async def _rollback(
    facts: DeploymentFacts, target: Awaitable[Target | None], *, hook_name: str, rules: Rules
) -> Confirmation:
    """Its event is looked for, so that a lost answer can be read again, but not waited for."""
    seen = None
    try:
        async with asyncio.timeout(ROLLBACK_EVENT_TIMEOUT_SECONDS):
            seen = await target
    except (CodeDeployUnavailable, TimeoutError):
        pass
    return _confirmed(facts, seen, hook_name=hook_name, rules=rules)


def _confirmed(
    facts: DeploymentFacts, target: Target | None, *, hook_name: str, rules: Rules
) -> Confirmation:
    verification = verify_facts(facts, target, rules=rules)
    passes = facts.creator in AUTO_ROLLBACK_CREATORS or _is_undo(facts)
    waiting = waiting_hook(target) if target is not None else None
    if target is None or waiting is None:
        gated = target.events.get(GATED_EVENT) if target is not None else None
        if gated is not None and gated.over and not passes:
            raise DeploymentNotManaged(f"{GATED_EVENT} has been answered already: {gated.status}")
        return Confirmation(verification=verification, hook_name=hook_name, passes=passes)
    if waiting != GATED_EVENT and not passes:
        raise WrongEvent(waiting)
    started_at = target.events[waiting].started_at
    return Confirmation(verification=verification, hook_name=waiting, started_at=started_at, passes=passes)


def waiting_hook(target: Target) -> str | None:
    """The lifecycle event that may wait for a hook's answer, the gated one first."""
    running = [name for name in target.running if name in HOOKABLE]
    return GATED_EVENT if GATED_EVENT in running else next(iter(running), None)


def _is_undo(facts: DeploymentFacts) -> bool:
    """Whether its description says so. That opens a gate and no more: the record alone lets an undo pass."""
    return UNDO_TAG in facts.description


async def _facts(key: SwitchKey, deployments: Deployments, *, until: float) -> DeploymentFacts | None:
    """None when CodeDeploy cannot be asked in time. Raises `DeploymentNotManaged` where it has no such deployment."""
    pause = FIRST_PAUSE_SECONDS * 2
    try:
        async with asyncio.timeout_at(until):
            while True:
                try:
                    return await deployments.deployment(key)
                except NoSuchDeployment as exc:
                    if not exc.may_appear or pause > MAX_PAUSE_SECONDS:
                        raise DeploymentNotManaged(
                            f"CodeDeploy has no deployment {key.deployment} in {key.region}"
                        ) from None
                await asyncio.sleep(pause)
                pause *= 2
    except (CodeDeployUnavailable, TimeoutError):
        return None


async def _target(key: SwitchKey, deployments: Deployments) -> Target | None:
    return await deployments.target(key)


async def _wait_for_event(
    key: SwitchKey, first: Awaitable[Target | None], deployments: Deployments, *, until: float
) -> Target | None:
    """The target once the gated event has begun, or as it was read last."""
    target, pause = None, FIRST_PAUSE_SECONDS
    try:
        async with asyncio.timeout_at(until):
            target = await first
            while target is None or not _has_begun(target):
                await asyncio.sleep(pause)
                pause = min(2 * pause, MAX_PAUSE_SECONDS)
                target = await deployments.target(key)
    except (CodeDeployUnavailable, TimeoutError):
        pass
    return target


def _has_begun(target: Target) -> bool:
    gated = target.events.get(GATED_EVENT)
    return gated is not None and (gated.over or gated.status == "InProgress")
