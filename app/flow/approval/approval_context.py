"""What a waiting gate asks, and by what an answer is judged: read under the gate's lock, or to be shown."""

from dataclasses import dataclass
from datetime import datetime

from app.flow.approval.related_switches import queue_position_of
from app.flow.ports.rules import OwnedDomain, Rules
from app.flow.read_models import GateView
from app.gate.ids import DomainName, UserId
from app.gate.rules.evaluation import (
    Case,
    Circumstances,
    asked,
    discounted,
    held_by,
    out_of_reach,
    owing,
    rejections_owed,
)
from app.gate.rules.exclusivity import NotFollowed, ahead, not_followed
from app.gate.rules.permits import Person, Refusal, broken_by
from app.gate.rules.policy import Policy, ReasonFor
from app.gate.rules.violations import Holding, Owed, Owing, TwoOwed, Unmet
from app.gate.state_machine import AlreadyDecided, Awaiting, NotVerified


class NoSuchGate(Refusal):
    """The button names a gate that the record does not hold."""


class Unconfigured(Refusal):
    """The gate's domain has left the configuration: no rule says who may decide, so nobody may."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ApprovalContext:
    """A gate that waits for people, under its domain's rules."""

    gate: Awaiting
    domain: OwnedDomain
    circumstances: Circumstances


def approval_context_of(view: GateView, *, rules: Rules) -> ApprovalContext:
    """Raises the `Refusal` that applies where nobody can answer."""
    if not isinstance(view.gate, Awaiting):
        raise AlreadyDecided
    if view.switch.domain is None:
        raise NotVerified
    domain = rules.domain(view.switch.domain)
    if domain is None:
        raise Unconfigured
    return ApprovalContext(
        gate=view.gate, domain=domain, circumstances=rule_inputs_of(view, domain=domain, rules=rules)
    )


def rule_inputs_of(view: GateView, *, domain: OwnedDomain, rules: Rules) -> Circumstances:
    """What the rules look at beside people: the record's side and the configuration's."""
    traffic = view.switch.traffic
    return Circumstances(
        shift=traffic.shift if traffic else None,
        checks={check.name: check.state for check in view.checks},
        freezes=(*rules.freezes(domain.name), *view.freezes),
        line=queue_position_of(view, domain=domain, rules=rules),
        guard=view.guard,
    )


def evaluation_context_of(question: ApprovalContext, *, rules: Rules, now: datetime) -> Case:
    """Everything that an answer at `now` is judged by."""
    return question.gate.case(
        policy=question.domain.policy,
        roster=rules.roster(),
        circumstances=question.circumstances,
        now=now,
    )


@dataclass(frozen=True, kw_only=True, slots=True)
class RuleStatus:
    """What the rules of the moment say of a waiting gate.

    `variants` are the names of those in force; `asked` is how many approvals are asked in all; `unheard` are
    the groups whose members Slack has not told lately, and when it last did. `ahead` are the domains that have
    waited for a turn for longer, `not_followed` those that were to go first and did not come through.
    """

    policy: Policy
    variants: tuple[str, ...]
    unmet: tuple[Unmet, ...]
    asked: int
    unheard: tuple[tuple[str, datetime | None], ...] = ()
    ahead: tuple[DomainName, ...] = ()
    not_followed: tuple[NotFollowed, ...] = ()
    discounted: frozenset[UserId] = frozenset()
    """Whose votes do not count any more."""
    out_of_reach: tuple[Owing, ...] = ()
    """Approvals that nobody is left to give: by the rules as they stand, nobody can approve this."""

    @property
    def is_held(self) -> bool:
        """Nobody's approval would be taken now."""
        return any(isinstance(rule, Holding) for rule in self.unmet)

    @property
    def one_is_enough(self) -> bool:
        """The next approval that counts settles it: nothing is missing but one."""
        return sum(r.missing if isinstance(r, Owed | TwoOwed) else 2 for r in self.unmet) <= 1

    @property
    def asks_reason(self) -> bool:
        """Approvals have to say why."""
        return self.policy.reason is ReasonFor.ALWAYS


def rule_status_of(view: GateView, *, rules: Rules, now: datetime) -> RuleStatus | None:
    """None where nobody can answer now."""
    try:
        case = evaluation_context_of(approval_context_of(view, rules=rules), rules=rules, now=now)
    except Refusal:
        return None
    unmet = (*held_by(case), *owing(case))
    return RuleStatus(
        policy=case.policy,
        variants=case.rules.variants,
        unmet=unmet,
        asked=asked(case),
        unheard=tuple(rules.unheard(case.policy.voters)),
        ahead=ahead(case.policy.turns, case.circumstances.line),
        not_followed=not_followed(case.policy.turns, case.circumstances.line),
        discounted=discounted(case),
        out_of_reach=out_of_reach(case),
    )


def rejections_after(view: GateView, *, person: Person, rules: Rules, now: datetime) -> int:
    """How many more people would have to reject after this person; 0: theirs ends it, or nobody can answer."""
    try:
        case = evaluation_context_of(approval_context_of(view, rules=rules), rules=rules, now=now)
    except Refusal:
        return 0
    return rejections_owed(case.rejected_also_by(person.user))


def violations_for(
    view: GateView, *, rules: Rules, now: datetime, person: Person | None = None
) -> tuple[Unmet, ...]:
    """The rules that stand in the way now; for `person`, were they to approve. Empty where nobody can answer."""
    try:
        case = evaluation_context_of(approval_context_of(view, rules=rules), rules=rules, now=now)
    except Refusal:
        return ()
    return (*held_by(case), *owing(case)) if person is None else broken_by(case, person)
