"""Approves gates whose votes became enough when the deployer was resolved, without another vote.

A card has its buttons before green's tags are read. Until then the deployer is unknown and two people have to approve;
one approval is enough once the deployer turns out to be somebody else.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final, Protocol

from app.flow.approval.approval_context import (
    ApprovalContext,
    approval_context_of,
    lock_exclusivity,
    with_related_switches,
)
from app.flow.audit_events import Event, Kind, person_actor
from app.flow.ports.database import GateRepository, HeldGate, Quarantine
from app.flow.ports.rules import Rules
from app.flow.read_models import CastVote, GateView
from app.gate.decision import Approval, Verdict
from app.gate.ids import GateId
from app.gate.people import AccountStatus, Person
from app.gate.rules.denials import Denial
from app.gate.votes import Choice

MAX_GATES_PER_RUN: Final = 50

MAX_VOTE_AGE: Final = timedelta(minutes=1)
"""An older vote decides nothing: its voter no longer watches, and traffic would move unattended."""


class EarlierVotes(Protocol):
    async def with_earlier_approvals(
        self, *, since: datetime, limit: int, skip: Sequence[GateId]
    ) -> Sequence[GateView]:
        """Waiting gates whose deployer is known and that somebody has approved after `since`."""
        ...


async def approve_by_earlier_votes(
    *, repository: GateRepository, votes: EarlierVotes, rules: Rules, quarantine: Quarantine, now: datetime
) -> int:
    """Approves what these votes are enough for, each gate in a transaction of its own; gives how many."""
    views = await votes.with_earlier_approvals(
        since=now - MAX_VOTE_AGE, limit=MAX_GATES_PER_RUN, skip=quarantine.keys()
    )
    if not views:
        return 0
    # Most wait for others: the lock is taken only where the answer would be yes.
    candidates = await with_related_switches(views, repository=repository, rules=rules)
    approved = 0
    for view in [view for view in candidates if _approval(view, rules=rules, now=now)]:
        with quarantine.guard(view.id):
            approved += await _approve(view, repository=repository, rules=rules, now=now)
    return approved


async def _approve(view: GateView, *, repository: GateRepository, rules: Rules, now: datetime) -> bool:
    async with repository.hold(view.id, skip_locked=True) as held:
        if held is None:
            return False
        await lock_exclusivity(held, rules=rules)
        found = _approval(held.view, rules=rules, now=now)
        if found is None:
            return False
        context, approval, vote = found
        context.gate.decide(approval)
        await held.save(vote=None, decision=approval, events=[_event(held, vote, now)], now=now)
        return True


def _approval(
    view: GateView, *, rules: Rules, now: datetime
) -> tuple[ApprovalContext, Approval, CastVote] | None:
    approvals = [
        vote for vote in view.votes if vote.choice is Choice.APPROVE and vote.at > now - MAX_VOTE_AGE
    ]
    if not approvals or view.switch.deployer is None:
        return None
    last = max(approvals, key=lambda vote: vote.at)
    try:
        context = approval_context_of(view, rules=rules)
    except Denial:
        return None
    approval = context.gate.approve_by_earlier_votes(
        # The account was checked when the vote was cast.
        last=Person(user=last.voter, name=last.name, account_status=AccountStatus.MEMBER),
        policy=context.domain.policy,
        roster=rules.roster(),
        rule_inputs=context.rule_inputs,
        now=now,
    )
    return (context, approval, last) if approval else None


def _event(held: HeldGate, vote: CastVote, now: datetime) -> Event:
    return Event(
        at=now,
        kind=Kind.GATE_DECIDED,
        switch=held.view.switch.key,
        actor=person_actor(vote.voter, vote.name),
        domain=held.view.switch.domain,
        gate=held.view.id,
        detail={"verdict": Verdict.APPROVED, "reason": vote.reason, "voted_at": vote.at.isoformat()},
    )
