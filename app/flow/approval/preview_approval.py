"""What an approval by one person would do now, evaluated as their vote would be; saves nothing."""

from dataclasses import dataclass, replace
from datetime import datetime

from app.flow.approval.approval_context import approval_context_of, evaluation_context_of
from app.flow.ports.rules import Rules
from app.flow.read_models import GateView
from app.gate.ids import DomainName
from app.gate.people import AccountStatus, Person
from app.gate.rules.denials import ApprovalBlocked, Denial
from app.gate.rules.evaluation import effective_policy
from app.gate.rules.permits import rules_to_override
from app.gate.rules.policy import ApprovalQuestion, ReasonFor, Shift
from app.gate.rules.violations import Violation
from app.gate.votes import NO_REASON, Choice, FormAnswers, Vote


@dataclass(frozen=True, kw_only=True, slots=True)
class ApprovalPreview:
    """`denial`: why the approval would not count; None: it would. `unmet`: the rules that it would still meet
    unmet; where some hold it back, only those. `may_decide`: the policy names this person, whether or not an
    approval counts at the moment."""

    may_decide: bool
    denial: Denial | None
    unmet: tuple[Violation, ...]
    asks_reason: bool
    questions: tuple[ApprovalQuestion, ...] = ()
    """What the approve form asks."""
    voted: bool = False
    """A vote of this person stands."""

    @property
    def asks(self) -> bool:
        """Approve opens a form."""
        return self.asks_reason or bool(self.questions)

    @property
    def counts(self) -> bool:
        """The approval would be taken, once its reason is given where one is asked."""
        return self.denial is None


def preview_approval(view: GateView, *, person: Person, rules: Rules, now: datetime) -> ApprovalPreview:
    """Judges an approval by this person as `cast_vote` would at `now`."""
    try:
        context = approval_context_of(view, rules=rules)
    except Denial as exc:
        return ApprovalPreview(may_decide=False, denial=exc, unmet=(), asks_reason=False)
    case = evaluation_context_of(context, rules=rules, now=now)
    roster = rules.roster()
    person = replace(person, user=roster.id_among(person.user, context.gate.voters))
    ids = frozenset(question.id for question in case.policy.questions)
    vote = Vote(
        person=person,
        choice=Choice.APPROVE,
        reason=NO_REASON,
        at=now,
        form=FormAnswers(asked=ids, ticked=ids),
    )
    denied: Denial | None = None
    try:
        context.gate.vote(
            vote,
            prompt_version=view.prompt_version,
            policy=context.domain.policy,
            roster=roster,
            rule_inputs=context.rule_inputs,
        )
    except Denial as exc:
        denied = exc
    return ApprovalPreview(
        may_decide=person.account_status is AccountStatus.MEMBER and case.may_vote(person.user),
        denial=denied,
        unmet=denied.blockers if isinstance(denied, ApprovalBlocked) else rules_to_override(case, person),
        asks_reason=case.policy.reason is ReasonFor.ALWAYS,
        questions=case.policy.questions,
        voted=person.user in context.gate.voters,
    )


def is_named(
    person: Person, *, domain: DomainName | None, shift: Shift | None, rules: Rules, now: datetime
) -> bool:
    """Whether the rules of the moment let this person decide about the domain at all."""
    owned = rules.domain(domain) if domain else None
    if owned is None or person.account_status is not AccountStatus.MEMBER:
        return False
    policy = effective_policy(owned.policy, now=now, shift=shift).policy
    return rules.roster().includes(person.user, approvers=policy.voters)
