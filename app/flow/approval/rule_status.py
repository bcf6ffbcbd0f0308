"""The rule status of a waiting gate, as cards and lists show it."""

from dataclasses import dataclass
from datetime import datetime

from app.flow.approval.approval_context import approval_context_of, evaluation_context_of
from app.flow.ports.rules import Rules
from app.flow.read_models import GateView
from app.gate.ids import DomainName, UserId
from app.gate.rules.denials import Denial
from app.gate.rules.evaluation import (
    approvals_required,
    blockers_of,
    discounted_voters,
    missing_approvals,
    unreachable_approvals,
)
from app.gate.rules.exclusivity import PredecessorFailed, failed_predecessors, queued_ahead
from app.gate.rules.policy import Policy, ReasonFor
from app.gate.rules.violations import (
    ApprovalsRequired,
    Blocker,
    MissingApproval,
    SecondApproverRequired,
    Violation,
)


@dataclass(frozen=True, kw_only=True, slots=True)
class RuleStatus:
    """The rule status of a waiting gate now.

    `variants`: the names of those that apply. `approvals_required`: the number of approvals in all. `stale_groups`: the
    user groups whose members were not read from Slack lately, and when they last were. `queued_ahead`: the domains that
    have waited longer. `failed_predecessors`: the domains that had to switch first, and failed.
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

    @property
    def opens_form(self) -> bool:
        """Approve opens a form: for a reason, for questions, or both."""
        return self.asks_reason or bool(self.policy.questions)


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
