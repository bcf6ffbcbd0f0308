"""Opens the gate of a hook, once, unless CodeDeploy shows that the deployment is not ours to hold."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import uuid4

from app.flow.approval.auto_approve_rollback import auto_approve_rollback
from app.flow.audit_events import Actor, ActorKind, Detail, Event, Kind
from app.flow.lifecycle.confirm_hook import Confirmation, DeploymentNotManaged, confirm_hook
from app.flow.ports.codedeploy import Deployments
from app.flow.ports.database import GateRepository, Opening, Verification
from app.flow.ports.rules import Rules
from app.flow.read_models import GateView
from app.flow.undo.execute_intervention import undo_named_in
from app.gate.deadline import HOOK_TIMEOUT, deadline_after
from app.gate.ids import ExecutionId, GateId, SwitchKey
from app.gate.reminders import next_reminder
from app.gate.rules.permits import AUTO_ROLLBACK_CREATORS
from app.gate.rules.policy import Policy


@dataclass(frozen=True, kw_only=True, slots=True)
class Hook:
    """What the Lambda forwards. `hook_name` is the lifecycle event that it says to be the hook of."""

    key: SwitchKey
    execution_id: ExecutionId
    hook_name: str
    sender: str


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
    hook: Hook, *, repository: GateRepository, deployments: Deployments, rules: Rules, now: datetime
) -> Opened | Known:
    """Opens the hook's gate or finds it. Raises `DeploymentNotManaged`, having recorded the refusal."""
    try:
        confirmation = await confirm_hook(
            hook.key, hook_name=hook.hook_name, deployments=deployments, rules=rules
        )
    except DeploymentNotManaged as exc:
        known = await repository.find(hook.key, execution_digest=hook.execution_id.digest())
        if known is not None:
            return Known(view=known)
        await repository.add_audit_events([_refused(hook, str(exc), now)])
        raise
    verification = confirmation.verification
    opening = _opening(hook, confirmation, rules=rules, now=now)
    entry = await repository.open(opening, _opened(hook, opening))
    if entry is not None:
        # What CodeDeploy could not be asked the record may know: a rollback that it follows, an undo that we started.
        if verification is None or entry.undoes or verification.facts.creator in AUTO_ROLLBACK_CREATORS:
            await auto_approve_rollback(opening.gate, repository=repository, now=now)
        return Opened(gate=opening.gate, verified=verification is not None)
    known = await repository.find(hook.key, execution_digest=hook.execution_id.digest())
    if known is None:
        raise RuntimeError("the record refused a gate that it does not hold")
    return Known(view=known)


def policy_of(verification: Verification | None, *, rules: Rules) -> Policy:
    """The confirmed domain's policy, or the default while nobody has confirmed anything."""
    domain = rules.domain(verification.domain) if verification and verification.domain else None
    return domain.policy if domain else rules.default_policy


def _opening(hook: Hook, confirmation: Confirmation, *, rules: Rules, now: datetime) -> Opening:
    policy = policy_of(confirmation.verification, rules=rules)
    began = _plausible(confirmation.started_at, now)
    deadline_at = deadline_after(min(began or now, now), allowed=policy.deadline)
    reminder = next_reminder(policy.reminder_settings, opened_at=now, deadline_at=deadline_at, after=now)
    return Opening(
        gate=GateId(uuid4()),
        key=hook.key,
        execution_id=hook.execution_id,
        hook_name=confirmation.hook_name,
        verification=confirmation.verification,
        hook_started_at=began,
        passes=confirmation.passes,
        undo=undo_named_in(confirmation.verification.facts.description)
        if confirmation.verification
        else None,
        opened_at=now,
        deadline_at=deadline_at,
        remind_at=reminder.at if reminder else None,
    )


def _plausible(started_at: datetime | None, now: datetime) -> datetime | None:
    """A hook that began over an hour before it came here would be over: such a time says nothing."""
    return started_at if started_at is not None and started_at >= now - HOOK_TIMEOUT else None


def _opened(hook: Hook, opening: Opening) -> Sequence[Event]:
    verified = opening.verification
    detail: dict[str, Detail] = {"hook": opening.hook_name, "verified": verified is not None}
    if verified is not None and verified.domain is None:
        detail["group"] = f"{verified.facts.application}/{verified.facts.deployment_group}"
    opened = Event(
        at=opening.opened_at,
        kind=Kind.GATE_OPENED,
        switch=hook.key,
        actor=Actor(kind=ActorKind.HOOK, id=hook.sender),
        domain=verified.domain if verified else None,
        gate=opening.gate,
        detail=detail,
    )
    return [opened]


def _refused(hook: Hook, why: str, now: datetime) -> Event:
    return Event(
        at=now,
        kind=Kind.HOOK_REFUSED,
        switch=hook.key,
        actor=Actor(kind=ActorKind.HOOK, id=hook.sender),
        detail={"hook": hook.hook_name, "reason": why},
    )
