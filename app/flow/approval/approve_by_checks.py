"""Approves waiting gates of domains that approve automatically, once the checks have passed and no rule blocks."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final, Protocol

from app.flow.approval.approval_context import (
    ApprovalContext,
    approval_context_of,
    lock_exclusivity,
    with_related_switches,
)
from app.flow.approval.live_traffic import (
    NOT_READ,
    LiveReading,
    LiveTraffic,
    StaleEvidence,
    is_stale,
)
from app.flow.audit_events import SWITCHGATE, Event, Kind
from app.flow.ports.database import GateRepository, HeldGate, Quarantine
from app.flow.ports.rules import Rules
from app.flow.read_models import GateView
from app.gate.decision import Approval, Verdict
from app.gate.ids import DomainName, GateId
from app.gate.rules.denials import Denial
from app.gate.rules.permits import Basis

MAX_GATES_PER_RUN: Final = 50


class CheckedGates(Protocol):
    async def with_a_passed_check(
        self, domains: Sequence[DomainName], *, limit: int, skip: Sequence[GateId]
    ) -> Sequence[GateView]:
        """Waiting gates of these domains of which some check has passed."""
        ...


async def approve_by_checks(
    *,
    repository: GateRepository,
    gates: CheckedGates,
    rules: Rules,
    quarantine: Quarantine,
    now: datetime,
    traffic: LiveTraffic | None = None,
) -> int:
    """Approves what may approve itself, each gate in a transaction of its own; gives how many."""
    domains = rules.self_approving()
    if not domains:
        return 0
    views = await gates.with_a_passed_check(domains, limit=MAX_GATES_PER_RUN, skip=quarantine.keys())
    # Most are not ripe: the lock is taken only where the answer would be yes.
    candidates = await with_related_switches(views, repository=repository, rules=rules)
    likely = [view for view in candidates if _approval(view, rules=rules, now=now)]
    approved = 0
    for view in likely:
        with quarantine.guard(view.id):
            approved += await _approve(view, repository=repository, rules=rules, traffic=traffic, now=now)
    return approved


async def _approve(
    view: GateView, *, repository: GateRepository, rules: Rules, traffic: LiveTraffic | None, now: datetime
) -> bool:
    if traffic is None:
        return await _decide(view, NOT_READ, repository=repository, rules=rules, now=now)
    try:
        return await _decide(view, None, repository=repository, rules=rules, now=now)
    except StaleEvidence:  # the transaction is over, and its locks are released
        reading = await traffic.read(view.id, now=now)
    return await _decide(view, reading, repository=repository, rules=rules, now=now)


async def _decide(
    view: GateView, reading: LiveReading | None, *, repository: GateRepository, rules: Rules, now: datetime
) -> bool:
    async with repository.hold(view.id, skip_locked=True) as held:
        if held is None:
            return False
        await lock_exclusivity(held, rules=rules)
        if reading is not None:
            await reading.put_into(held, now=now)
        found = _approval(held.view, rules=rules, now=now)
        if found is None:
            return False
        context, approval = found
        if reading is None and is_stale(held.view, now=now):
            raise StaleEvidence
        context.gate.decide(approval)
        await held.save(vote=None, decision=approval, events=[_event(held, now)], now=now)
        return True


def _approval(view: GateView, *, rules: Rules, now: datetime) -> tuple[ApprovalContext, Approval] | None:
    try:
        context = approval_context_of(view, rules=rules)
    except Denial:
        return None
    approval = context.gate.approve_by_checks_passed(
        policy=context.domain.policy,
        roster=rules.roster(),
        rule_inputs=context.rule_inputs,
        now=now,
    )
    return (context, approval) if approval else None


def _event(held: HeldGate, now: datetime) -> Event:
    return Event(
        at=now,
        kind=Kind.GATE_DECIDED,
        switch=held.view.switch.key,
        actor=SWITCHGATE,
        domain=held.view.switch.domain,
        gate=held.view.id,
        detail={"verdict": Verdict.APPROVED, "basis": Basis.CHECKS},
    )
