"""Who may decide, and when enough people have."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from app.gate.ids import GateId, UserId
from app.gate.people import AccountStatus, Person
from app.gate.rules.denials import (
    AlreadyApproved,
    NotAMember,
    NotAnApprover,
    OwnDeployment,
    QuestionsUnanswered,
    ReasonMissing,
)
from app.gate.rules.evaluation import Ballot, EvaluationContext, RuleInputs, effective_policy
from app.gate.rules.permits import (
    Permit,
    check_approval,
    check_rejection,
    permit_by_votes,
    permit_for_auto_rollback,
)
from app.gate.rules.policy import ApprovalQuestion, Policy, Roster
from app.gate.votes import Choice, FormAnswers

NOW = datetime(2026, 11, 24, 3, 0, tzinfo=UTC)
GATE = GateId(UUID(int=1))
ANA, BO, CHI = (UserId(user) for user in ("U1", "U2", "U3"))
ROSTER = Roster(groups={"S1": frozenset({ANA, BO}), "S2": frozenset({BO, CHI})})


def policy(approvers: tuple[str, ...] = ("S1",), approvals: int = 1, *, own: bool = False) -> Policy:
    return Policy(
        approvers=approvers, approvals=approvals, own_deployment=own, deadline=timedelta(minutes=55)
    )


def person(user: UserId, account_status: AccountStatus = AccountStatus.MEMBER) -> Person:
    return Person(user=user, name=user.lower(), account_status=account_status)


def case_of(
    rules: Policy, roster: Roster, approved_by: frozenset[UserId], deployer: UserId | None = None
) -> EvaluationContext:
    return EvaluationContext(
        rules=effective_policy(rules, now=NOW, shift=None),
        roster=roster,
        ballot=Ballot(deployer=deployer, approved_by=approved_by, rejected_by=frozenset()),
        rule_inputs=RuleInputs(shift=None, checks={}, freezes=()),
        now=NOW,
    )


def judge(
    user: UserId,
    *,
    rules: Policy,
    choice: Choice = Choice.APPROVE,
    reason: str = "",
    account_status: AccountStatus = AccountStatus.MEMBER,
    deployer: UserId | None = None,
    approved_by: frozenset[UserId] = frozenset(),
) -> None:
    context = case_of(rules, ROSTER, approved_by, deployer)
    judging = check_approval if choice is Choice.APPROVE else check_rejection
    judging(context, person=person(user, account_status), reason=reason)


def permit(rules: Policy, *voters: UserId, roster: Roster = ROSTER) -> Permit | None:
    return permit_by_votes(GATE, case_of(rules, roster, frozenset(voters)), last=person(voters[-1]))


@pytest.mark.parametrize("user", [ANA, BO])
def test_a_groups_members_are_approvers(user: UserId) -> None:
    judge(user, rules=policy())


def test_a_person_may_be_named_together_with_groups() -> None:
    judge(CHI, rules=policy(("S1", CHI)))


def test_nobody_is_in_a_group_by_its_name() -> None:
    with pytest.raises(NotAnApprover):
        judge(UserId("S1"), rules=policy(("U9",)))


def test_an_empty_list_lets_nobody_decide() -> None:
    with pytest.raises(NotAnApprover):
        judge(ANA, rules=policy(()))


def test_a_guest_is_refused_before_anything_of_the_policy_is_shown() -> None:
    with pytest.raises(NotAMember):
        judge(CHI, rules=policy(), account_status=AccountStatus.GUEST)


def test_nobody_but_an_approver_rejects_either() -> None:
    with pytest.raises(NotAnApprover):
        judge(CHI, rules=policy(), choice=Choice.REJECT, reason="I do not like it")


def test_one_who_approved_may_still_reject() -> None:
    judge(
        ANA,
        rules=policy(approvals=2),
        choice=Choice.REJECT,
        reason="I saw it too late",
        approved_by=frozenset({ANA}),
    )


def test_a_rejection_says_why() -> None:
    with pytest.raises(ReasonMissing):
        judge(ANA, rules=policy(), choice=Choice.REJECT, reason=" \n ")


def test_ones_own_deployment_is_approved_where_the_policy_lets_it() -> None:
    with pytest.raises(OwnDeployment):
        judge(ANA, rules=policy(), deployer=ANA)
    judge(ANA, rules=policy(own=True), deployer=ANA)


def test_a_deployment_of_nobody_known_is_nobodys_own() -> None:
    judge(ANA, rules=policy(), deployer=None)


def test_the_same_person_approves_once() -> None:
    with pytest.raises(AlreadyApproved):
        judge(ANA, rules=policy(approvals=2), approved_by=frozenset({ANA}))


def test_somebody_in_two_groups_is_one_person() -> None:
    assert permit(policy(("S1", "S2", BO), approvals=2), BO) is None


ORDERED = ApprovalQuestion(text="Was a test order placed on green?")
MIGRATED = ApprovalQuestion(text="Does the old version run on the new schema?", required=False)


@pytest.mark.parametrize(
    ("asked", "ticked", "missing"),
    [
        (None, (), (ORDERED, MIGRATED)),
        ((), (), (ORDERED, MIGRATED)),
        ((ORDERED, MIGRATED), (), (ORDERED,)),
        ((ORDERED, MIGRATED), (MIGRATED,), (ORDERED,)),
        ((ORDERED,), (ORDERED,), (MIGRATED,)),
        ((ORDERED, MIGRATED), (ORDERED,), ()),
    ],
)
def test_an_approval_answers_what_the_policy_asks(
    asked: tuple[ApprovalQuestion, ...] | None,
    ticked: tuple[ApprovalQuestion, ...],
    missing: tuple[ApprovalQuestion, ...],
) -> None:
    """None: no form. What is optional has to be asked, and need not be ticked."""
    context = case_of(replace(policy(), questions=(ORDERED, MIGRATED)), ROSTER, frozenset())
    form = None if asked is None else FormAnswers(asked=ids(asked), ticked=ids(ticked))
    if not missing:
        check_approval(context, person=person(ANA), reason="", form=form)
        return
    with pytest.raises(QuestionsUnanswered) as denied:
        check_approval(context, person=person(ANA), reason="", form=form)
    assert denied.value.questions == missing


def ids(questions: tuple[ApprovalQuestion, ...]) -> frozenset[str]:
    return frozenset(question.id for question in questions)


def test_a_rejection_answers_nothing() -> None:
    judge(ANA, rules=replace(policy(), questions=(ORDERED,)), choice=Choice.REJECT, reason="broken")


def test_the_permit_names_who_completed_it() -> None:
    made = permit(policy(("S1", "S2"), approvals=2), ANA, CHI)
    assert made is not None
    assert (made.gate, made.by, made.name) == (GATE, CHI, "u3")


def test_votes_of_people_who_may_no_longer_decide_are_not_counted() -> None:
    assert permit(policy(approvals=2), ANA, CHI) is None
    without_groups = Roster()
    assert permit(policy(approvals=1), ANA, roster=without_groups) is None


@pytest.mark.parametrize("creator", ["user", "autoscaling", "", "CODEDEPLOYROLLBACK", "codeDeployRollback "])
def test_only_codedeploys_own_rollbacks_are_auto_rollbacks(creator: str) -> None:
    assert permit_for_auto_rollback(GATE, creator=creator) is None


def test_an_auto_rollbacks_permit_names_nobody() -> None:
    made = permit_for_auto_rollback(GATE, creator="CloudFormationRollback")
    assert made is not None
    assert (made.by, made.name) == (None, "CloudFormationRollback")
