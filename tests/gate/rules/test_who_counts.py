"""Whose votes count: only of those who may decide now."""

from dataclasses import replace

import pytest

from app.flow.approval.rule_status import RuleStatus
from app.gate.rules.evaluation import (
    discounted_voters,
    missing_approvals,
    rejections_missing,
    unreachable_approvals,
)
from app.gate.rules.policy import (
    ApproverSource,
    PolicyOverride,
    RejectBy,
    UnknownDeployer,
    Variant,
    everyone_named,
)
from app.gate.rules.violations import ApprovalsRequired, Outvoted, SecondApproverRequired, Violation
from app.gate.votes import Choice
from tests.gate.rules.cases import ANA, BEN, CHO, DAN, EVE, POLICY, Scene

TWO = replace(POLICY, approvals=2)


def test_the_vote_of_somebody_who_may_not_decide_is_owed_all_the_same() -> None:
    scene = Scene(policy=TWO, approved=(EVE, BEN))
    assert missing_approvals(scene.case(scene.gate)) == (ApprovalsRequired(people=("SONCALL",), missing=1),)
    assert discounted_voters(scene.case(scene.gate)) == {EVE}
    assert scene.press(ANA).came_of_it == "approved"


def test_two_different_people_are_two_who_may_decide() -> None:
    policy = replace(POLICY, unknown_deployer=UnknownDeployer.ASK_TWO)
    scene = Scene(policy=policy, approved=(EVE,))
    assert SecondApproverRequired(missing=2) in missing_approvals(scene.case(scene.gate))
    assert scene.press(ANA).came_of_it == "counted"


def test_who_may_not_decide_outvotes_nobody_and_saves_nobody_from_it() -> None:
    scene = Scene(policy=replace(POLICY, approvals=1), rejected=(BEN,), approved=(EVE, ANA))
    assert Outvoted(against=1) in missing_approvals(scene.case(scene.gate))
    scene = Scene(policy=POLICY, rejected=(DAN,), approved=(ANA,))
    assert missing_approvals(scene.case(scene.gate)) == ()


def test_a_gate_is_out_of_reach_once_too_few_are_left() -> None:
    everyone_named = Scene(policy=replace(POLICY, approvals=3))
    assert unreachable_approvals(everyone_named.case(everyone_named.gate)) == ()
    own = replace(everyone_named, deployer=ANA)
    assert unreachable_approvals(own.case(own.gate)) == (ApprovalsRequired(people=("SONCALL",), missing=1),)
    lonely = Scene(
        policy=replace(POLICY, require=(ApproverSource(people=("UNOBODY", "SEMPTY"), approvals=2),))
    )
    assert unreachable_approvals(lonely.case(lonely.gate)) == (
        ApprovalsRequired(people=("UNOBODY", "SEMPTY"), missing=1),
    )
    two = Scene(policy=replace(POLICY, approvers=(CHO,), unknown_deployer=UnknownDeployer.ASK_TWO))
    assert unreachable_approvals(two.case(two.gate)) == (SecondApproverRequired(missing=1),)


def test_a_second_approver_is_no_obstacle_while_two_people_can_approve() -> None:
    """Two approvers are left where the deployer is unknown; one is enough where the deployer is known."""
    pair = replace(POLICY, approvers=(CHO, DAN), unknown_deployer=UnknownDeployer.ASK_TWO)
    scene = Scene(policy=pair)
    assert unreachable_approvals(scene.case(scene.gate)) == ()
    one = Scene(policy=replace(pair, approvers=(CHO,)), deployer=DAN)
    assert unreachable_approvals(one.case(one.gate)) == ()


def test_a_gate_is_within_reach_where_passed_checks_approve_it() -> None:
    """Only where they do: a domain that merely requires a check still needs its approvers."""
    nobody = replace(POLICY, approvers=("SEMPTY",), required_checks=("smoke",))
    scene = Scene(policy=nobody)
    assert unreachable_approvals(scene.case(scene.gate)) == (
        ApprovalsRequired(people=("SEMPTY",), missing=1),
    )
    by_checks = Scene(policy=replace(nobody, approve_when_checks_pass=True))
    assert unreachable_approvals(by_checks.case(by_checks.gate)) == ()


def test_the_next_rejection_ends_a_gate_that_more_people_have_rejected_than_the_policy_asks() -> None:
    """Rejections stand under a majority rule until the policy changes."""
    scene = Scene(policy=POLICY, rejected=(BEN, CHO))
    assert rejections_missing(scene.case(scene.gate)) == 0
    assert scene.press(ANA, Choice.REJECT, reason="errors").came_of_it == "rejected"


def test_one_rejection_is_asked_where_one_ends_the_gate() -> None:
    scene = Scene(policy=TWO)
    assert scene.press(ANA).rejections_missing == 1
    majority = replace(POLICY, approvals=3, reject=RejectBy.MAJORITY)
    assert Scene(policy=majority).press(ANA).rejections_missing == 2


def test_everybody_includes_those_whom_only_a_variant_names() -> None:
    nights = Variant(name="nights", changes=PolicyOverride(approvers=("SDBA",)))
    assert everyone_named(replace(POLICY, variants=(nights,))) == {"SONCALL", "SDBA"}


@pytest.mark.parametrize(
    ("unmet", "enough"),
    [
        ((), True),
        ((ApprovalsRequired(people=("SONCALL",), missing=1),), True),
        ((SecondApproverRequired(missing=1),), True),
        ((ApprovalsRequired(people=("SONCALL",), missing=2),), False),
        (
            (
                ApprovalsRequired(people=("SONCALL",), missing=1),
                ApprovalsRequired(people=("SDBA",), missing=1),
            ),
            False,
        ),
        ((Outvoted(against=1),), False),
    ],
)
def test_one_approval_is_enough_where_only_one_is_missing(unmet: tuple[Violation, ...], enough: bool) -> None:
    rule_status = RuleStatus(policy=POLICY, variants=(), unmet=unmet, approvals_required=1)
    assert rule_status.one_is_enough is enough
