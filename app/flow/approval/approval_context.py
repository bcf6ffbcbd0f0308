"""What a waiting gate asks, and by what an answer is judged: read under the gate's lock, or to be shown."""

from dataclasses import dataclass
from datetime import datetime

from app.flow.approval.related_switches import queue_position_of
from app.flow.ports.rules import OwnedDomain, Rules
from app.flow.read_models import GateView
from app.gate.ids import DomainName, UserId
from app.gate.people import Person
from app.gate.rules.denials import Denial
from app.gate.rules.evaluation import (
    EvaluationContext,
    RuleInputs,
    approvals_required,
    blockers_of,
    discounted_voters,
    missing_approvals,
    rejections_missing,
    unreachable_approvals,
)
from app.gate.rules.exclusivity import PredecessorFailed, failed_predecessors, queued_ahead
from app.gate.rules.permits import rules_to_override
from app.gate.rules.policy import Policy, ReasonFor
from app.gate.rules.violations import (
    ApprovalsRequired,
    Blocker,
    MissingApproval,
    SecondApproverRequired,
    Violation,
)
from app.gate.state_machine import AlreadyDecided, Awaiting, NotVerified


class NoSuchGate(Denial):
    """The button names a gate that the record does not hold."""


class Unconfigured(Denial):
    """The gate's domain has left the configuration: no rule says who may decide, so nobody may."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ApprovalContext:
    """A gate that waits for people, under its domain's rules."""

    gate: Awaiting
    domain: OwnedDomain
    rule_inputs: RuleInputs


def approval_context_of(view: GateView, *, rules: Rules) -> ApprovalContext:
    """Raises the `Denial` that applies where nobody can answer."""
    if not isinstance(view.gate, Awaiting):
        raise AlreadyDecided
    if view.switch.domain is None:
        raise NotVerified
    domain = rules.domain(view.switch.domain)
    if domain is None:
        raise Unconfigured
    return ApprovalContext(
        gate=view.gate, domain=domain, rule_inputs=rule_inputs_of(view, domain=domain, rules=rules)
    )


def rule_inputs_of(view: GateView, *, domain: OwnedDomain, rules: Rules) -> RuleInputs:
    """What the rules look at beside people: the record's side and the configuration's."""
    traffic = view.switch.traffic
    return RuleInputs(
        shift=traffic.shift if traffic else None,
        checks={check.name: check.state for check in view.checks},
        freezes=(*rules.freezes(domain.name), *view.freezes),
        queue=queue_position_of(view, domain=domain, rules=rules),
        guard=view.guard,
    )


def evaluation_context_of(context: ApprovalContext, *, rules: Rules, now: datetime) -> EvaluationContext:
    """Everything that an answer at `now` is judged by."""
    return context.gate.evaluation_context(
        policy=context.domain.policy,
        roster=rules.roster(),
        rule_inputs=context.rule_inputs,
        now=now,
    )


@dataclass(frozen=True, kw_only=True, slots=True)
class RuleStatus:
    """What the rules of the moment say of a waiting gate.

    `variants` are the names of those in force; `approvals_required` is how many approvals are asked in all;
    `stale_groups` are the groups whose members Slack has not told lately, and when it last did. `queued_ahead` are the
    domains that have waited longer, `failed_predecessors` those that were to go first and did not come through.
    """

    policy: Policy
    variants: tuple[str, ...]
    unmet: tuple[Violation, ...]
    approvals_required: int
    stale_groups: tuple[tuple[str, datetime | None], ...] = ()
    queued_ahead: tuple[DomainName, ...] = ()
    failed_predecessors: tuple[PredecessorFailed, ...] = ()
    discounted_voters: frozenset[UserId] = frozenset()
    """Whose votes do not count any more."""
    unreachable_approvals: tuple[MissingApproval, ...] = ()
    """Approvals that nobody is left to give: by the rules as they stand, nobody can approve this."""

    @property
    def is_held(self) -> bool:
        """Nobody's approval would be taken now."""
        return any(isinstance(rule, Blocker) for rule in self.unmet)

    @property
    def one_is_enough(self) -> bool:
        """The next approval that counts settles it: nothing is missing but one."""
        return (
            sum(
                r.missing if isinstance(r, ApprovalsRequired | SecondApproverRequired) else 2
                for r in self.unmet
            )
            <= 1
        )

    @property
    def asks_reason(self) -> bool:
        """Approvals have to say why."""
        return self.policy.reason is ReasonFor.ALWAYS


def rule_status_of(view: GateView, *, rules: Rules, now: datetime) -> RuleStatus | None:
    """None where nobody can answer now."""
    try:
        context = evaluation_context_of(approval_context_of(view, rules=rules), rules=rules, now=now)
    except Denial:
        return None
    unmet = (*blockers_of(context), *missing_approvals(context))
    return RuleStatus(
        policy=context.policy,
        variants=context.rules.variants,
        unmet=unmet,
        approvals_required=approvals_required(context),
        stale_groups=tuple(rules.stale_groups(context.policy.voters)),
        queued_ahead=queued_ahead(context.policy.exclusivity, context.rule_inputs.queue),
        failed_predecessors=failed_predecessors(context.policy.exclusivity, context.rule_inputs.queue),
        discounted_voters=discounted_voters(context),
        unreachable_approvals=unreachable_approvals(context),
    )


def rejections_after(view: GateView, *, person: Person, rules: Rules, now: datetime) -> int:
    """How many more people would have to reject after this person; 0: theirs ends it, or nobody can answer."""
    try:
        context = evaluation_context_of(approval_context_of(view, rules=rules), rules=rules, now=now)
    except Denial:
        return 0
    return rejections_missing(context.rejected_also_by(person.user))


def violations_for(
    view: GateView, *, rules: Rules, now: datetime, person: Person | None = None
) -> tuple[Violation, ...]:
    """The rules that stand in the way now; for `person`, were they to approve. Empty where nobody can answer."""
    try:
        context = evaluation_context_of(approval_context_of(view, rules=rules), rules=rules, now=now)
    except Denial:
        return ()
    return (
        (*blockers_of(context), *missing_approvals(context))
        if person is None
        else rules_to_override(context, person)
    )
