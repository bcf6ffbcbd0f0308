"""Polls the deployment of a live switch and stores what changed.

The first poll of an unverified switch verifies it. Later polls store when the hook began, how traffic moves, that all
traffic is on green, and that the deployment has ended.
"""

from contextlib import AbstractAsyncContextManager
from datetime import datetime, timedelta
from typing import Final, Protocol

from app.flow.approval.auto_approve_rollback import auto_approve_rollback
from app.flow.audit_events import Kind, observed_event
from app.flow.backoff import backoff
from app.flow.lifecycle.apply_observation import apply_observation
from app.flow.lifecycle.close_switch import close_switch, reject_switch
from app.flow.lifecycle.compare_answers import close_answered, compare_answers
from app.flow.lifecycle.confirm_hook import DeploymentNotManaged, WrongEvent, check_event, verify_facts
from app.flow.lifecycle.observation import Observation, has_changes, observe, update_of
from app.flow.lifecycle.poll_schedule import (
    MAX_BACKOFF,
    RETRY_AFTER,
    awaits_rollback,
    next_poll,
    reading_of,
)
from app.flow.ports.codedeploy import CodeDeployUnavailable, DeploymentFacts, Deployments, Target
from app.flow.ports.database import GateRepository, Verification
from app.flow.ports.rules import Rules
from app.flow.ports.switches import DuePoll, HeldSwitch, TrafficReading
from app.flow.read_models import GateView
from app.gate.ids import DomainName, GateId
from app.gate.reminders import next_reminder
from app.gate.rules.permits import AUTO_ROLLBACK_CREATORS
from app.gate.state_machine import Awaiting

YOUNG: Final = timedelta(minutes=1)
READS_SETTLED: Final = timedelta(seconds=5)


class PollRepository(Protocol):
    """The switches to poll, under the lease that they were claimed with."""

    def hold_switch(self, due: DuePoll) -> AbstractAsyncContextManager[HeldSwitch | None]: ...

    async def poll_again(
        self,
        due: DuePoll,
        *,
        error: str | None,
        rested: bool,
        due_at: datetime | None,
        reading: TrafficReading,
    ) -> None: ...


async def poll_deployment(
    due: DuePoll,
    *,
    repository: PollRepository,
    gates: GateRepository,
    deployments: Deployments,
    rules: Rules,
    now: datetime,
) -> bool:
    """Polls once, stores what changed and when to poll next; returns whether anything changed."""
    try:
        observation = await observe(due, deployments=deployments)
    except CodeDeployUnavailable as exc:
        again = now + backoff(due.attempts, first=RETRY_AFTER, longest=MAX_BACKOFF)
        reading = reading_of(due, None, now=now)
        await repository.poll_again(due, error=str(exc), rested=False, due_at=again, reading=reading)
        return False
    if observation.facts is None and _may_appear(due, observation, now=now):
        again = now + backoff(due.attempts, first=RETRY_AFTER, longest=MAX_BACKOFF)
        await repository.poll_again(
            due,
            error="CodeDeploy has no such deployment",
            rested=False,
            due_at=again,
            reading=reading_of(due, observation, now=now),
        )
        return False
    # A switch that has ended is polled for its rollback only, and only for a limited time.
    changed = has_changes(due, observation, now=now) or (due.switch.ended_at is not None and due.undoing)
    if changed:
        waiting: list[GateId] = []
        async with repository.hold_switch(due) as held:
            if held is not None:
                waiting = await _store(held, due, observation, rules=rules, now=now)
        for gate in waiting:
            await auto_approve_rollback(gate, repository=gates, now=now)
    due_at, rested = next_poll(due, observation, now=now)
    if observation.unread is not None and due_at is not None:
        due_at, rested = now + backoff(due.attempts, first=RETRY_AFTER, longest=MAX_BACKOFF), False
    error = str(observation.unread) if observation.unread is not None else None
    reading = reading_of(due, observation, now=now)
    await repository.poll_again(due, error=error, rested=rested, due_at=due_at, reading=reading)
    return changed


def _may_appear(due: DuePoll, observation: Observation, *, now: datetime) -> bool:
    """CodeDeploy's reads are eventually consistent: one that is not found is asked for again before it is believed."""
    return observation.may_appear and (now - due.switch.first_seen_at < YOUNG or due.attempts < 3)


async def _store(
    held: HeldSwitch, due: DuePoll, observation: Observation, *, rules: Rules, now: datetime
) -> list[GateId]:
    """Writes what was seen; gives the gates that still wait, some of which may have free passage."""
    facts = observation.facts
    if facts is None:
        await reject_switch(held, f"CodeDeploy has no deployment {held.switch.key.deployment}", now=now)
        return []
    verification = None
    if not held.switch.verified:
        verification = await _verify(held, facts, observation, rules=rules, now=now)
        if verification is None:
            return []
    passes = due.auto_approval_pending or facts.creator in AUTO_ROLLBACK_CREATORS
    await _read_answers(held, observation.target, verification, passes=passes, now=now)
    update = update_of(due, observation, facts, now=now)
    await apply_observation(held, update, now=now)
    if facts.over:
        awaits = awaits_rollback(due, observation, now=now)
        lost = bool(update.traffic_unknown)
        await close_switch(held, facts, rollback_may_come=awaits, share_lost=lost, now=now)
        return []
    for view in held.open_gates:
        if await _is_refused(held, view, observation, facts, now=now):
            continue
        await _refine(held, view, observation, verification=verification, rules=rules, now=now)
    return [view.id for view in held.open_gates if isinstance(view.gate, Awaiting)]


async def _read_answers(
    held: HeldSwitch,
    target: Target | None,
    verification: Verification | None,
    *,
    passes: bool,
    now: datetime,
) -> None:
    """`passes`: an automatic rollback or an undo, which is let through whoever answers first."""
    if target is None:
        return
    await compare_answers(held, target, now=now)
    if not passes:
        domain = verification.domain if verification else held.switch.domain
        await close_answered(held, target, domain=domain, now=now)


async def _verify(
    held: HeldSwitch, facts: DeploymentFacts, observation: Observation, *, rules: Rules, now: datetime
) -> Verification | None:
    """None where the deployment is not ours, or its platform is not known yet."""
    try:
        verification = verify_facts(facts, observation.target, rules=rules)
    except DeploymentNotManaged as exc:
        await reject_switch(held, str(exc), now=now)
        return None
    if verification is not None:
        await held.verify(verification, now=now)
    return verification


async def _is_refused(
    held: HeldSwitch, view: GateView, observation: Observation, facts: DeploymentFacts, *, now: datetime
) -> bool:
    """Whether another hook waits than the gated one, which CodeDeploy did not show when the hook came."""
    # A read may lag behind and still show an earlier hook.
    if not isinstance(view.gate, Awaiting) or now - view.opened_at < READS_SETTLED:
        return False
    try:
        check_event(facts, observation.target)
    except WrongEvent as exc:
        refused = observed_event(
            Kind.HOOK_REFUSED, held.switch, now, gate=view.id, hook=exc.event, reason=str(exc)
        )
        await held.ask(view.gate.with_deadline_now(now=now), remind_at=None, events=[refused], now=now)
        return True
    return False


async def _refine(
    held: HeldSwitch,
    view: GateView,
    observation: Observation,
    *,
    verification: Verification | None,
    rules: Rules,
    now: datetime,
) -> None:
    """A waiting gate learns what it is about and when its hook began."""
    if not isinstance(view.gate, Awaiting):
        return
    domain = rules.domain((verification.domain if verification else view.switch.domain) or DomainName(""))
    policy = domain.policy if domain else rules.default_policy
    gate = view.gate
    if verification is not None:
        gate = gate.verify(named=frozenset(verification.named_deployers), policy=policy)
    hook = observation.target.events.get(view.hook_name) if observation.target else None
    if hook is not None and hook.started_at is not None:
        gate = gate.with_hook_start(hook_started=hook.started_at, policy=policy)
    if gate == view.gate:
        return
    name = verification.domain if verification else None
    events = (
        [observed_event(Kind.GATE_VERIFIED, held.switch, now, gate=view.id, domain=name)]
        if verification
        else []
    )
    reminder = next_reminder(
        policy.reminder_settings, opened_at=gate.opened_at, deadline_at=gate.deadline_at, after=now
    )
    await held.ask(gate, remind_at=reminder.at if reminder else None, events=events, now=now)
