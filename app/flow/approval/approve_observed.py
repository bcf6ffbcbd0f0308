"""Approves waiting gates of domains in observe mode, and records the rules that would have held them."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final, Protocol

from app.flow.approval.approval_context import ApprovalContext, approval_context_of, lock_exclusivity
from app.flow.audit_events import SWITCHGATE, Event, Kind
from app.flow.ports.database import GateRepository, HeldGate, Quarantine
from app.flow.ports.rules import Rules
from app.flow.read_models import GateView
from app.gate.decision import Approval, Verdict
from app.gate.ids import DomainName, GateId
from app.gate.rules.denials import Denial
from app.gate.rules.permits import is_auto_rollback
from app.gate.rules.violations import rule_key

MAX_GATES_PER_RUN: Final = 50

EVIDENCE_WAIT: Final = timedelta(seconds=15)
"""After so long a gate passes without evidence, which is only read while it waits, for its card."""


class ObservedGates(Protocol):
    async def to_observe(
        self, domains: Sequence[DomainName], *, opened_before: datetime, limit: int, skip: Sequence[GateId]
    ) -> Sequence[GateId]:
        """Verified waiting gates of these domains that opened in observe mode and have no rejection; they have
        evidence, or were opened before."""
        ...


async def approve_observed(
    *, repository: GateRepository, gates: ObservedGates, rules: Rules, quarantine: Quarantine, now: datetime
) -> int:
    """Approves them, each in a transaction of its own; gives how many."""
    domains = rules.observed()
    if not domains:
        return 0
    found = await gates.to_observe(
        domains, opened_before=now - EVIDENCE_WAIT, limit=MAX_GATES_PER_RUN, skip=quarantine.keys()
    )
    approved = 0
    for gate in found:
        with quarantine.guard(gate):
            approved += await _approve(gate, repository=repository, rules=rules, now=now)
    return approved


async def _approve(gate: GateId, *, repository: GateRepository, rules: Rules, now: datetime) -> bool:
    async with repository.hold(gate, skip_locked=True) as held:
        if held is None:
            return False
        if not await _is_observed(held, rules=rules):
            return False
        await lock_exclusivity(held, rules=rules)
        found = _approval(held.view, rules=rules, now=now)
        if found is None:
            return False
        context, approval = found
        context.gate.decide(approval)
        await held.save(vote=None, decision=approval, events=[_event(held, approval, now)], now=now)
        return True


async def _is_observed(held: HeldGate, *, rules: Rules) -> bool:
    """Only what opened in observe mode, while that is in force. A rollback passes its own gate, on its own basis."""
    view = held.view
    if not view.observed or is_auto_rollback(view.switch.creator):
        return False
    return view.switch.domain in rules.observed() and not await held.is_made_by_an_undo()


def _approval(view: GateView, *, rules: Rules, now: datetime) -> tuple[ApprovalContext, Approval] | None:
    try:
        context = approval_context_of(view, rules=rules)
    except Denial:
        return None
    approval = context.gate.approve_by_observing(
        policy=context.domain.policy, roster=rules.roster(), rule_inputs=context.rule_inputs, now=now
    )
    return (context, approval) if approval else None


def _event(held: HeldGate, approval: Approval, now: datetime) -> Event:
    permit = approval.permit
    return Event(
        at=now,
        kind=Kind.GATE_DECIDED,
        switch=held.view.switch.key,
        actor=SWITCHGATE,
        domain=held.view.switch.domain,
        gate=held.view.id,
        detail={
            "verdict": Verdict.APPROVED,
            "basis": permit.basis,
            "overridden_rules": "; ".join(map(rule_key, permit.overridden_rules)),
        },
    )
