"""Evaluates a domain's rules: which variants apply now, and which rules are violated."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from app.gate.ids import UserId
from app.gate.rules.checks import CheckState
from app.gate.rules.exclusivity import QueuePosition, exclusivity_blockers
from app.gate.rules.freeze import Freeze
from app.gate.rules.policy import Policy, RejectBy, Roster, Shift, UnknownDeployer
from app.gate.rules.traffic_guard import TrafficGuard
from app.gate.rules.violations import (
    ApprovalsRequired,
    Blocker,
    CheckNotPassed,
    Frozen,
    MissingApproval,
    Outvoted,
    SecondApproverRequired,
    ShiftUnknown,
)


@dataclass(frozen=True, kw_only=True, slots=True)
class EffectivePolicy:
    """The rules that apply now. `depends_on_shift`: they depend on how traffic will move, which is not known yet."""

    policy: Policy
    variants: tuple[str, ...]
    depends_on_shift: bool


def effective_policy(policy: Policy, *, now: datetime, shift: Shift | None) -> EffectivePolicy:
    """The policy with the variants that apply at `now` and for `shift`; a later one overrides an earlier one."""
    if not policy.variants:
        return EffectivePolicy(policy=policy, variants=(), depends_on_shift=False)
    at_this_hour = [each for each in policy.variants if each.hours is None or each.hours.covers(now)]
    applying = [each for each in at_this_hour if not each.shifts or shift in each.shifts]
    result = replace(policy, variants=())
    for variant in applying:
        result = replace(result, **variant.changes.given())
    return EffectivePolicy(
        policy=result,
        variants=tuple(each.name for each in applying),
        depends_on_shift=shift is None and any(each.shifts for each in at_this_hour),
    )


@dataclass(frozen=True, kw_only=True, slots=True)
class RuleInputs:
    """The inputs of the rules apart from people. `freezes`: those of the domain, in force or not. `queue`: the switches
    of other domains, where there are any to wait for."""

    shift: Shift | None
    checks: Mapping[str, CheckState]
    freezes: tuple[Freeze, ...]
    queue: QueuePosition | None = None
    guard: TrafficGuard | None = None
    """The traffic guard of the latest evidence; None: no evidence yet."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Ballot:
    """Who has voted, and who deployed (None: unknown). `named`: whom any source names as the deployer."""

    deployer: UserId | None
    approved_by: frozenset[UserId]
    rejected_by: frozenset[UserId]
    named: frozenset[UserId] = frozenset()

    def is_deployer(self, ids: frozenset[UserId]) -> bool:
        """Whether any source names this person, by one of their ids, as the deployer."""
        return self.deployer in ids or bool(ids & self.named)

    def approved_also_by(self, user: UserId) -> "Ballot":
        return replace(self, approved_by=self.approved_by | {user}, rejected_by=self.rejected_by - {user})

    def rejected_also_by(self, user: UserId) -> "Ballot":
        return replace(self, approved_by=self.approved_by - {user}, rejected_by=self.rejected_by | {user})


@dataclass(frozen=True, kw_only=True, slots=True)
class EvaluationContext:
    """Everything that a vote is evaluated against, at `now`."""

    rules: EffectivePolicy
    roster: Roster
    ballot: Ballot
    rule_inputs: RuleInputs
    now: datetime

    @property
    def policy(self) -> Policy:
        return self.rules.policy

    def may_vote(self, user: UserId) -> bool:
        return self.roster.includes(user, approvers=self.policy.voters)

    def is_own(self, user: UserId) -> bool:
        """Whether `user` deployed this, as far as any source says, and may not approve it for that."""
        return not self.policy.own_deployment and self.ballot.is_deployer(self.roster.ids(user))

    def with_policy(self, policy: Policy) -> "EvaluationContext":
        """The same context with another policy."""
        return replace(self, rules=replace(self.rules, policy=policy))

    def approved_also_by(self, user: UserId) -> "EvaluationContext":
        """The same context after this person's approval."""
        return replace(self, ballot=self.ballot.approved_also_by(user))

    def rejected_also_by(self, user: UserId) -> "EvaluationContext":
        """The same context after this person's rejection."""
        return replace(self, ballot=self.ballot.rejected_also_by(user))


def active_freezes(freezes: Iterable[Freeze], *, now: datetime) -> list[Frozen]:
    """The freezes in force, that which ends last first."""
    frozen = [
        Frozen(reason=freeze.reason, until=span.end, by=freeze.by)
        for freeze in freezes
        if (span := freeze.around(now)) is not None
    ]
    return sorted(frozen, key=lambda each: each.until, reverse=True)


def blockers_of(context: EvaluationContext) -> tuple[Blocker, ...]:
    """What blocks every approval now."""
    inputs = context.rule_inputs
    checks = [
        CheckNotPassed(name=name, state=inputs.checks.get(name))
        for name in context.policy.required_checks
        if inputs.checks.get(name) is not CheckState.PASSED
    ]
    unknown = [ShiftUnknown()] if context.rules.depends_on_shift else []
    blocking = exclusivity_blockers(context.policy.exclusivity, inputs.queue, now=context.now)
    guard = inputs.guard.holding(context.now) if inputs.guard else ()
    return (*active_freezes(inputs.freezes, now=context.now), *guard, *blocking, *unknown, *checks)


def discounted_voters(context: EvaluationContext) -> frozenset[UserId]:
    """The voters whose votes do not count now: people who may not decide any more, and approvers of their own
    deployment."""
    ballot = context.ballot
    left = {user for user in ballot.approved_by | ballot.rejected_by if not context.may_vote(user)}
    return frozenset(left | {user for user in ballot.approved_by if context.is_own(user)})


def unreachable_approvals(context: EvaluationContext) -> tuple[MissingApproval, ...]:
    """The required approvals that nobody can give: a source has too few people, or all of them deployed this."""
    policy = context.policy
    if policy.approve_when_checks_pass and policy.required_checks:
        return ()
    unreachable: list[MissingApproval] = []
    everybody: set[UserId] = set()
    for source in policy.sources:
        able = {user for user in context.roster.eligible(source.people) if not context.is_own(user)}
        everybody |= able
        if len(able) < source.approvals:
            unreachable.append(ApprovalsRequired(people=source.people, missing=source.approvals - len(able)))
    if requires_second_approver(context) and len(everybody) < 2 and not unreachable:
        unreachable.append(SecondApproverRequired(missing=2 - len(everybody)))
    return tuple(unreachable)


def missing_approvals(context: EvaluationContext) -> tuple[MissingApproval, ...]:
    """Which approvals are missing.

    Only people who may decide now count: an approver who has left the group does not, and neither does an approval of
    one's own deployment, even if the deployer became known after it. Somebody who is in two sources counts in both.
    """
    approvers = context.ballot.approved_by - discounted_voters(context)
    missing: list[MissingApproval] = []
    for source in context.policy.sources:
        have = sum(context.roster.includes(user, approvers=source.people) for user in approvers)
        if have < source.approvals:
            missing.append(ApprovalsRequired(people=source.people, missing=source.approvals - have))
    if requires_second_approver(context) and len(approvers) < 2:
        missing.append(SecondApproverRequired(missing=2 - len(approvers)))
    against = _rejections(context)
    if against and against >= len(approvers):
        missing.append(Outvoted(against=against))
    return tuple(missing)


def rejections_missing(context: EvaluationContext) -> int:
    """How many more people have to reject before the gate ends; 0: it is rejected."""
    needed = 1 if context.policy.reject is RejectBy.ONE else approvals_required(context) // 2 + 1
    return max(needed - _rejections(context), 0)


def approvals_required(context: EvaluationContext) -> int:
    """The number of required approvals in all; a majority is more than half of it."""
    total = sum(source.approvals for source in context.policy.sources)
    return max(total, 2) if requires_second_approver(context) else total


def requires_second_approver(context: EvaluationContext) -> bool:
    """The deployer is unknown, and the policy then requires two different people."""
    unknown = context.ballot.deployer is None and not context.policy.own_deployment
    return unknown and context.policy.unknown_deployer is UnknownDeployer.ASK_TWO


def _rejections(context: EvaluationContext) -> int:
    return sum(context.may_vote(user) for user in context.ballot.rejected_by)
