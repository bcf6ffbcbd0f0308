"""Who may vote, and when a gate may be approved. Only this module creates a `Permit`."""

from collections.abc import Iterable
from dataclasses import replace
from enum import StrEnum
from typing import Final

from app.gate.ids import GateId, UserId
from app.gate.people import AccountStatus, Person
from app.gate.rules.denials import (
    AlreadyApproved,
    AlreadyRejected,
    ApprovalBlocked,
    NotAMember,
    NotAnAdmin,
    NotAnApprover,
    NothingToBreak,
    NotTheDeployer,
    OwnDeployment,
    QuestionsUnanswered,
    ReasonMissing,
    RulesChanged,
)
from app.gate.rules.evaluation import Ballot, EvaluationContext, blockers_of, missing_approvals
from app.gate.rules.policy import ApprovalQuestion, ReasonFor, Roster, UnknownDeployer
from app.gate.rules.violations import NotNamed, OwnSwitch, Violation, rule_fingerprint
from app.gate.votes import FormAnswers

_MINT: Final = object()


class Basis(StrEnum):
    """Why a gate was approved."""

    VOTES = "votes"
    AUTO_ROLLBACK = "auto_rollback"
    UNDO = "undo"
    CHECKS = "checks"
    BREAK_GLASS = "break_glass"
    OBSERVE = "observe"


class Permit:
    """Proof that this gate may be approved. Only this module makes one. `overridden_rules` are the rules that an
    admin overrode, for `reason`, or that would have held it outside observe mode; empty for every other basis."""

    __slots__ = ("basis", "by", "gate", "name", "overridden_rules", "reason")

    def __init__(
        self,
        *,
        gate: GateId,
        by: UserId | None,
        name: str,
        basis: Basis,
        mint: object,
        overridden_rules: tuple[Violation, ...] = (),
        reason: str | None = None,
    ) -> None:
        if mint is not _MINT:
            raise TypeError("a Permit is made by the policy alone")
        self.gate, self.by, self.name, self.basis = gate, by, name, basis
        self.overridden_rules, self.reason = overridden_rules, reason


def check_approval(
    context: EvaluationContext, *, person: Person, reason: str, form: FormAnswers | None = None
) -> None:
    """Raises the `Denial` that applies to this approval; returns when it may be counted."""
    _check_may_vote(context, person)
    if context.is_own(person.user):
        raise OwnDeployment
    blockers = blockers_of(context)
    if blockers:
        raise ApprovalBlocked(blockers)
    again = person.user in context.ballot.approved_by
    if again and missing_approvals(context):
        raise AlreadyApproved
    if again:
        return
    if unanswered := unanswered_questions(context.policy.questions, form):
        raise QuestionsUnanswered(unanswered)
    if context.policy.reason is ReasonFor.ALWAYS and not reason.strip():
        raise ReasonMissing


def unanswered_questions(
    questions: Iterable[ApprovalQuestion], form: FormAnswers | None
) -> tuple[ApprovalQuestion, ...]:
    """The questions that the form did not ask, and the required ones that are not ticked."""
    if form is None:
        return tuple(questions)
    return tuple(
        question
        for question in questions
        if question.id not in form.asked or (question.required and question.id not in form.ticked)
    )


def check_rejection(context: EvaluationContext, *, person: Person, reason: str) -> None:
    """Raises the `Denial` that applies to this rejection; returns when it counts.

    Rejecting one's own deployment is allowed, and no rule blocks a rejection: it can only stop traffic from moving.
    """
    _check_may_vote(context, person)
    if person.user in context.ballot.rejected_by:
        raise AlreadyRejected
    if context.policy.reason is not ReasonFor.NEVER and not reason.strip():
        raise ReasonMissing


def check_withdrawal(ballot: Ballot, *, person: Person, roster: Roster) -> None:
    """Raises the `Denial` that applies to this withdrawal; returns when it counts.

    Whom the deployment itself names as its deployer may withdraw it: the same people whose approval would be one of
    their own. No other rule is asked, because a withdrawal can only stop traffic from moving.
    """
    _check_is_member(person)
    if not ballot.is_deployer(roster.ids(person.user)):
        raise NotTheDeployer


def permit_by_votes(gate: GateId, context: EvaluationContext, *, last: Person) -> Permit | None:
    """The permit, once nothing blocks the gate and no approval is missing. `last` voted last."""
    if blockers_of(context) or missing_approvals(context):
        return None
    return Permit(gate=gate, by=last.user, name=last.name, basis=Basis.VOTES, mint=_MINT)


def permit_by_checks(gate: GateId, context: EvaluationContext) -> Permit | None:
    """The permit of a domain that approves itself when its checks pass.

    The checks replace the approvals of `approvers`. The approvals in `require` are still required. A rejection disables
    automatic approval, and so do questions, which only people answer.
    """
    policy = context.policy
    if not policy.approve_when_checks_pass or not policy.required_checks:
        return None
    if context.ballot.rejected_by or policy.questions:
        return None
    others = context.with_policy(replace(policy, approvals=0, unknown_deployer=UnknownDeployer.ALLOW))
    if blockers_of(others) or missing_approvals(others):
        return None
    return Permit(gate=gate, by=None, name="checks", basis=Basis.CHECKS, mint=_MINT)


def permit_by_observing(gate: GateId, context: EvaluationContext) -> Permit | None:
    """The permit of a domain in observe mode: no rule holds it, and the permit names those that would have. None once
    somebody has rejected it."""
    if not context.policy.observe or context.ballot.rejected_by:
        return None
    would_hold = (*blockers_of(context), *missing_approvals(context))
    return Permit(
        gate=gate, by=None, name="observe", basis=Basis.OBSERVE, overridden_rules=would_hold, mint=_MINT
    )


def rules_to_override(context: EvaluationContext, person: Person) -> tuple[Violation, ...]:
    """Every rule that an approval by this person alone, now, would override."""
    own: list[Violation] = []
    if not context.may_vote(person.user):
        own.append(NotNamed())
    elif context.is_own(person.user):
        own.append(OwnSwitch())
    return (*blockers_of(context), *own, *missing_approvals(context.approved_also_by(person.user)))


def permit_by_break_glass(
    gate: GateId,
    context: EvaluationContext,
    *,
    person: Person,
    admins: tuple[str, ...],
    named: frozenset[str],
    reason: str,
) -> Permit:
    """The permit of an admin who overrides rules. Raises a `Denial`. `named`: the fingerprints of the violated
    rules that the admin was shown."""
    _check_is_member(person)
    if not context.roster.includes(person.user, approvers=admins):
        raise NotAnAdmin
    overridden_rules = rules_to_override(context, person)
    if not overridden_rules:
        raise NothingToBreak
    if not {rule_fingerprint(rule) for rule in overridden_rules} <= named:
        raise RulesChanged(overridden_rules)
    if not reason.strip():
        raise ReasonMissing
    return Permit(
        gate=gate,
        by=person.user,
        name=person.name,
        basis=Basis.BREAK_GLASS,
        overridden_rules=overridden_rules,
        reason=reason.strip(),
        mint=_MINT,
    )


def permit_for_undo(gate: GateId, *, by: UserId, name: str) -> Permit:
    """The permit of an undo's own deployment, which passes its gate on behalf of the person who requested the undo."""
    return Permit(gate=gate, by=by, name=name, basis=Basis.UNDO, mint=_MINT)


AUTO_ROLLBACK_CREATORS: Final = frozenset({"codeDeployRollback", "CloudFormationRollback"})
"""Values of CodeDeploy's `creator` for an automatic rollback."""


def is_auto_rollback(creator: str | None) -> bool:
    """Whether CodeDeploy's `creator` is that of an automatic rollback."""
    return creator in AUTO_ROLLBACK_CREATORS


def permit_for_auto_rollback(gate: GateId, *, creator: str) -> Permit | None:
    """The permit of an automatic rollback, which needs no approval; None for any other deployment."""
    if not is_auto_rollback(creator):
        return None
    return Permit(gate=gate, by=None, name=creator, basis=Basis.AUTO_ROLLBACK, mint=_MINT)


def _check_is_member(person: Person) -> None:
    if person.account_status is not AccountStatus.MEMBER:
        raise NotAMember(person.account_status)


def _check_may_vote(context: EvaluationContext, person: Person) -> None:
    _check_is_member(person)
    if not context.may_vote(person.user):
        raise NotAnApprover
