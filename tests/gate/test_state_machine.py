"""The life of one gate, state by state."""

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from app.gate.decision import Answer, Approval, Expiry, Rejection, Verdict, Withdrawal, answer_to
from app.gate.ids import GateId, UserId
from app.gate.people import AccountStatus, Person
from app.gate.rules.denials import (
    AlreadyApproved,
    NotAMember,
    NotAnApprover,
    NotTheDeployer,
    OwnDeployment,
    ReasonMissing,
)
from app.gate.rules.evaluation import RuleInputs
from app.gate.rules.permits import Basis, Permit, permit_for_auto_rollback
from app.gate.rules.policy import Policy, Roster
from app.gate.state_machine import (
    Awaiting,
    CardIsOld,
    Decided,
    IllegalTransition,
    NotVerified,
    Outcome,
    TooLate,
)
from app.gate.votes import NO_REASON, Choice, Vote

NOW = datetime(2026, 11, 24, 3, 0, tzinfo=UTC)
ONE = Policy(approvers=("S0ONCALL",), approvals=1, own_deployment=False, deadline=timedelta(minutes=55))
TWO = Policy(approvers=("S0ONCALL", "U9"), approvals=2, own_deployment=False, deadline=timedelta(minutes=55))
ROSTER = Roster(groups={"S0ONCALL": frozenset({UserId("U1"), UserId("U2")})})
CLEAR = RuleInputs(shift=None, checks={}, freezes=())


def awaiting(**changes: object) -> Awaiting:
    facts: dict[str, object] = {
        "id": GateId(uuid4()),
        "opened_at": NOW,
        "deadline_at": NOW + timedelta(minutes=55),
        "prompt_version": 1,
        "verified": True,
        "deployer": None,
        "approved_by": frozenset(),
    }
    return Awaiting(**(facts | changes))  # type: ignore[arg-type]


def person(user: str, account_status: AccountStatus = AccountStatus.MEMBER) -> Person:
    return Person(user=UserId(user), name=user.lower(), account_status=account_status)


def vote(user: str, choice: Choice = Choice.APPROVE, reason: str = "", **changes: object) -> Vote:
    facts: dict[str, object] = {"person": person(user), "choice": choice, "reason": reason, "at": NOW}
    return Vote(**(facts | changes))  # type: ignore[arg-type]


def test_one_approval_is_enough_where_one_is_asked() -> None:
    gate = awaiting()
    _, decision = gate.vote(vote("U1"), prompt_version=1, policy=ONE, roster=ROSTER, rule_inputs=CLEAR)
    assert isinstance(decision, Approval)
    assert (decision.permit.gate, decision.permit.by, decision.permit.basis) == (gate.id, "U1", Basis.VOTES)


def test_two_different_people_are_needed_where_two_are_asked() -> None:
    counted, decision = awaiting().vote(
        vote("U1"), prompt_version=1, policy=TWO, roster=ROSTER, rule_inputs=CLEAR
    )
    assert decision is None
    with pytest.raises(AlreadyApproved):
        counted.vote(vote("U1"), prompt_version=1, policy=TWO, roster=ROSTER, rule_inputs=CLEAR)
    _, decision = counted.vote(vote("U2"), prompt_version=1, policy=TWO, roster=ROSTER, rule_inputs=CLEAR)
    assert isinstance(decision, Approval)


def test_an_approver_who_left_the_group_since_is_not_counted() -> None:
    counted, _ = awaiting().vote(vote("U1"), prompt_version=1, policy=TWO, roster=ROSTER, rule_inputs=CLEAR)
    without = Roster(groups={"S0ONCALL": frozenset({UserId("U2")})})
    _, decision = counted.vote(vote("U2"), prompt_version=1, policy=TWO, roster=without, rule_inputs=CLEAR)
    assert decision is None


def test_one_rejection_ends_the_gate_with_its_reason() -> None:
    _, decision = awaiting().vote(
        vote("U2", Choice.REJECT, "  schema is behind "),
        prompt_version=1,
        policy=TWO,
        roster=ROSTER,
        rule_inputs=CLEAR,
    )
    assert isinstance(decision, Rejection)
    assert decision.reason == "schema is behind"


@pytest.mark.parametrize("reason", ["", "   ", "\n\t"])
def test_a_rejection_without_a_reason_does_not_count(reason: str) -> None:
    with pytest.raises(ReasonMissing):
        awaiting().vote(
            vote("U1", Choice.REJECT, reason), prompt_version=1, policy=ONE, roster=ROSTER, rule_inputs=CLEAR
        )


def test_a_stranger_to_the_policy_does_not_decide() -> None:
    with pytest.raises(NotAnApprover):
        awaiting().vote(vote("U7"), prompt_version=1, policy=ONE, roster=ROSTER, rule_inputs=CLEAR)


def test_a_group_that_was_never_read_from_slack_has_no_members() -> None:
    with pytest.raises(NotAnApprover):
        awaiting().vote(vote("U1"), prompt_version=1, policy=ONE, roster=Roster(), rule_inputs=CLEAR)


@pytest.mark.parametrize(
    "account_status", [each for each in AccountStatus if each is not AccountStatus.MEMBER]
)
def test_only_full_members_decide(account_status: AccountStatus) -> None:
    with pytest.raises(NotAMember):
        awaiting().vote(
            vote("U1", person=person("U1", account_status)),
            prompt_version=1,
            policy=ONE,
            roster=ROSTER,
            rule_inputs=CLEAR,
        )


def test_own_deployment_may_be_rejected_but_not_approved() -> None:
    own = awaiting(deployer=UserId("U1"))
    with pytest.raises(OwnDeployment):
        own.vote(vote("U1"), prompt_version=1, policy=ONE, roster=ROSTER, rule_inputs=CLEAR)
    _, decision = own.vote(
        vote("U1", Choice.REJECT, "mine, and broken"),
        prompt_version=1,
        policy=ONE,
        roster=ROSTER,
        rule_inputs=CLEAR,
    )
    assert isinstance(decision, Rejection)


def test_a_press_at_the_deadline_is_too_late() -> None:
    gate = awaiting()
    with pytest.raises(TooLate):
        gate.vote(
            vote("U1", at=gate.deadline_at), prompt_version=1, policy=ONE, roster=ROSTER, rule_inputs=CLEAR
        )


def test_a_button_of_an_older_prompt_version_does_not_count() -> None:
    verified = awaiting(verified=False).verify(policy=ONE)
    with pytest.raises(CardIsOld):
        verified.vote(vote("U1"), prompt_version=1, policy=ONE, roster=ROSTER, rule_inputs=CLEAR)


def test_nobody_judges_what_codedeploy_has_not_confirmed() -> None:
    with pytest.raises(NotVerified):
        awaiting(verified=False).vote(
            vote("U1"), prompt_version=1, policy=ONE, roster=ROSTER, rule_inputs=CLEAR
        )


def test_a_deadline_moves_nearer_and_never_away() -> None:
    gate = awaiting()
    nearer = gate.with_hook_start(hook_started=NOW - timedelta(minutes=10), policy=ONE)
    assert nearer.deadline_at == NOW + timedelta(minutes=45)
    assert nearer.with_hook_start(hook_started=NOW, policy=ONE).deadline_at == nearer.deadline_at


def test_a_hook_that_would_have_been_over_when_it_came_says_nothing_of_when_it_began() -> None:
    gate = awaiting()
    oldest = NOW - timedelta(hours=1)
    assert gate.with_hook_start(hook_started=oldest - timedelta(seconds=1), policy=ONE) == gate
    assert gate.with_hook_start(hook_started=oldest, policy=ONE).deadline_at == NOW - timedelta(minutes=5)


def test_no_domain_gets_past_59_minutes() -> None:
    long = Policy(approvers=("U1",), approvals=1, own_deployment=True, deadline=timedelta(hours=5))
    fresh = awaiting(verified=False, deadline_at=NOW + timedelta(hours=9))
    assert fresh.verify(policy=long).deadline_at == NOW + timedelta(minutes=59)


def test_a_gate_does_not_expire_early() -> None:
    gate = awaiting()
    with pytest.raises(IllegalTransition):
        gate.expire(now=gate.deadline_at - timedelta(microseconds=1))
    assert gate.expire(now=gate.deadline_at) == Expiry(at=gate.deadline_at)


def test_only_the_policy_makes_a_permit() -> None:
    with pytest.raises(TypeError):
        Permit(gate=GateId(uuid4()), by=UserId("U1"), name="u1", basis=Basis.VOTES, mint=object())


def test_a_permit_opens_its_own_gate_only() -> None:
    other = permit_for_auto_rollback(GateId(uuid4()), creator="codeDeployRollback")
    assert other is not None
    with pytest.raises(IllegalTransition):
        awaiting().decide(Approval(permit=other, at=NOW))


@pytest.mark.parametrize("creator", ["codeDeployRollback", "CloudFormationRollback"])
def test_an_auto_rollback_is_never_blocked(creator: str) -> None:
    approval = awaiting().approve_auto_rollback(creator=creator, now=NOW)
    assert approval is not None
    assert approval.permit.basis is Basis.AUTO_ROLLBACK


@pytest.mark.parametrize("creator", ["user", "autoscaling", "", "codedeployrollback"])
def test_nothing_else_passes_as_an_auto_rollback(creator: str) -> None:
    assert awaiting().approve_auto_rollback(creator=creator, now=NOW) is None


def test_an_unverified_gate_is_not_reported() -> None:
    decided = Decided(id=GateId(uuid4()), verdict=Verdict.EXPIRED, verified=False)
    with pytest.raises(IllegalTransition):
        decided.reported(outcome=Outcome.ACKNOWLEDGED)


def test_codedeploy_is_told_succeeded_only_for_an_approval() -> None:
    told = {verdict: answer_to(verdict) for verdict in Verdict}
    assert told == {
        Verdict.APPROVED: Answer.SUCCEEDED,
        Verdict.REJECTED: Answer.FAILED,
        Verdict.EXPIRED: Answer.FAILED,
        Verdict.WITHDRAWN: Answer.FAILED,
    }


def test_a_gate_whose_deployment_ended_by_itself_has_nothing_to_report() -> None:
    closed = awaiting().ended()
    assert (closed.verdict, closed.outcome) == (Verdict.WITHDRAWN, None)


def withdrawn_by(who: Person, gate: Awaiting, *, roster: Roster = ROSTER, reason: str = "") -> Withdrawal:
    return gate.withdraw(who, reason=reason, roster=roster, now=NOW)


@pytest.mark.parametrize(
    "gate",
    [
        awaiting(deployer=UserId("U7")),
        awaiting(named=frozenset({UserId("U7"), UserId("U8")})),
        awaiting(deployer=UserId("W7")),
    ],
    ids=["known", "named", "by another id"],
)
def test_whom_the_deployment_names_withdraws_it_without_being_an_approver(gate: Awaiting) -> None:
    both = frozenset({UserId("U7"), UserId("W7")})
    roster = Roster(aliases={one: both for one in both})
    withdrawal = withdrawn_by(person("U7"), gate, roster=roster, reason=" wrong build ")
    assert withdrawal == Withdrawal(by=UserId("U7"), name="u7", reason="wrong build", at=NOW)
    decided = gate.decide(withdrawal)
    assert answer_to(decided.verdict) is Answer.FAILED
    assert decided.reported(outcome=Outcome.ACKNOWLEDGED).ended().verdict is Verdict.WITHDRAWN


def test_a_withdrawal_needs_no_reason() -> None:
    assert withdrawn_by(person("U7"), awaiting(deployer=UserId("U7"))).reason == NO_REASON


@pytest.mark.parametrize(
    "gate", [awaiting(), awaiting(deployer=UserId("U1")), awaiting(named=frozenset("U1"))]
)
def test_nobody_else_withdraws_it(gate: Awaiting) -> None:
    """Also no approver: they reject."""
    with pytest.raises(NotTheDeployer):
        withdrawn_by(person("U2"), gate)


@pytest.mark.parametrize("account_status", [one for one in AccountStatus if one is not AccountStatus.MEMBER])
def test_only_a_member_withdraws(account_status: AccountStatus) -> None:
    with pytest.raises(NotAMember):
        withdrawn_by(person("U7", account_status), awaiting(deployer=UserId("U7")))


def test_what_is_not_confirmed_or_over_is_not_withdrawn() -> None:
    own = {"deployer": UserId("U7")}
    with pytest.raises(NotVerified):
        withdrawn_by(person("U7"), awaiting(verified=False, **own))
    with pytest.raises(TooLate):
        withdrawn_by(person("U7"), awaiting(deadline_at=NOW, **own))


def test_a_decision_outlives_its_deployment() -> None:
    decided = Decided(id=GateId(uuid4()), verdict=Verdict.APPROVED, verified=True)
    assert decided.ended().outcome is Outcome.UNDELIVERABLE
    reported = decided.reported(outcome=Outcome.CONFLICT)
    closed = reported.ended()
    assert (reported.verdict, closed.verdict, closed.outcome) == (
        Verdict.APPROVED,
        Verdict.APPROVED,
        Outcome.CONFLICT,
    )


def test_a_refused_vote_leaves_the_gate_as_it_was() -> None:
    gate = awaiting(approved_by=frozenset({UserId("U1")}))
    before = repr(gate)
    with pytest.raises(AlreadyApproved):
        gate.vote(vote("U1"), prompt_version=1, policy=TWO, roster=ROSTER, rule_inputs=CLEAR)
    assert repr(gate) == before


def test_an_unverified_auto_rollback_waits_for_its_confirmation() -> None:
    gate = awaiting(verified=False)
    assert gate.approve_auto_rollback(creator="codeDeployRollback", now=NOW) is None
    verified = gate.verify(policy=ONE)
    assert verified.approve_auto_rollback(creator="codeDeployRollback", now=NOW) is not None


def test_verification_sets_the_domains_own_deadline_and_a_new_prompt_version() -> None:
    quick = Policy(approvers=("U1",), approvals=1, own_deployment=False, deadline=timedelta(minutes=10))
    verified = awaiting(verified=False).verify(named=frozenset({UserId("U4")}), policy=quick)
    assert (verified.prompt_version, verified.named, verified.deadline_at) == (
        2,
        frozenset({UserId("U4")}),
        NOW + timedelta(minutes=10),
    )
