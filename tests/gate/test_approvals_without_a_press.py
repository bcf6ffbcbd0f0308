"""Approvals that no press makes: by passed checks, by votes given earlier, of automatic rollbacks and of undos."""

from dataclasses import replace
from datetime import timedelta

import pytest

from app.gate.decision import Approval
from app.gate.ids import UserId
from app.gate.people import AccountStatus, Person
from app.gate.rules.checks import CheckState
from app.gate.rules.permits import AUTO_ROLLBACK_CREATORS, Basis
from app.gate.rules.policy import ApprovalQuestion, ApproverSource, Policy
from app.gate.rules.violations import ApprovalsRequired, CheckNotPassed
from app.gate.state_machine import Awaiting
from tests.gate.rules.cases import ANA, BEN, CHO, EVE, NOW, POLICY, ROSTER, Scene

CHECKED = replace(POLICY, approve_when_checks_pass=True, required_checks=("smoke",))
SMOKE = {"smoke": CheckState.PASSED}
DEADLINE = NOW + timedelta(minutes=55)
JUST_BEFORE = DEADLINE - timedelta(microseconds=1)


def by_checks(scene: Scene, gate: Awaiting | None = None) -> Approval | None:
    return (gate or scene.gate).approve_by_checks_passed(
        policy=scene.policy, roster=ROSTER, rule_inputs=scene.rule_inputs, now=scene.now
    )


def test_passed_checks_approve_until_the_deadline() -> None:
    scene = Scene(policy=CHECKED, checks=SMOKE)
    approval = by_checks(scene)
    assert approval is not None
    assert (approval.permit.gate, approval.permit.basis) == (scene.gate.id, Basis.CHECKS)
    assert by_checks(replace(scene, now=JUST_BEFORE), scene.gate) is not None


@pytest.mark.parametrize(
    "scene",
    [
        Scene(policy=CHECKED),
        Scene(policy=CHECKED, checks={"smoke": CheckState.FAILED}),
        Scene(policy=CHECKED, checks={"smoke": CheckState.PENDING}),
        Scene(policy=CHECKED, checks={"another": CheckState.PASSED}),
        Scene(policy=replace(CHECKED, approve_when_checks_pass=False), checks=SMOKE),
        Scene(
            policy=replace(CHECKED, questions=(ApprovalQuestion(text="Was an order placed?"),)), checks=SMOKE
        ),
        Scene(policy=replace(CHECKED, required_checks=()), checks=SMOKE),
        Scene(
            policy=replace(CHECKED, require=(ApproverSource(people=("SDBA",), approvals=1),)), checks=SMOKE
        ),
        Scene(policy=CHECKED, checks=SMOKE, rejected=(BEN,)),
    ],
    ids=[
        "no result",
        "failed",
        "pending",
        "another check",
        "not allowed",
        "a question",
        "none required",
        "a second source",
        "rejected",
    ],
)
def test_checks_do_not_approve(scene: Scene) -> None:
    assert by_checks(scene) is None


OBSERVED = replace(POLICY, observe=True, required_checks=("smoke",))


def by_observing(scene: Scene, gate: Awaiting | None = None) -> Approval | None:
    return (gate or scene.gate).approve_by_observing(
        policy=scene.policy, roster=ROSTER, rule_inputs=scene.rule_inputs, now=scene.now
    )


def test_observe_mode_approves_and_names_the_rules_that_would_have_held_it() -> None:
    approval = by_observing(Scene(policy=OBSERVED, checks={"smoke": CheckState.FAILED}))
    assert approval is not None
    permit = approval.permit
    assert (permit.basis, permit.by) == (Basis.OBSERVE, None)
    assert [type(rule) for rule in permit.overridden_rules] == [CheckNotPassed, ApprovalsRequired]


def test_observe_mode_does_not_approve_what_is_rejected_unverified_late_or_of_another_domain() -> None:
    scene = Scene(policy=OBSERVED)
    assert by_observing(replace(scene, rejected=(BEN,))) is None
    assert by_observing(scene, replace(scene.gate, verified=False)) is None
    assert by_observing(replace(scene, now=DEADLINE), scene.gate) is None
    assert by_observing(Scene(policy=replace(OBSERVED, observe=False))) is None


def test_checks_do_not_approve_before_the_deployment_is_confirmed_or_after_the_deadline() -> None:
    scene = Scene(policy=CHECKED, checks=SMOKE)
    assert by_checks(scene, replace(scene.gate, verified=False)) is None
    assert by_checks(replace(scene, now=DEADLINE), scene.gate) is None


def by_votes(scene: Scene, last: UserId = ANA, gate: Awaiting | None = None) -> Approval | None:
    return (gate or scene.gate).approve_by_earlier_votes(
        last=Person(user=last, name=last.lower(), account_status=AccountStatus.MEMBER),
        policy=scene.policy,
        roster=ROSTER,
        rule_inputs=scene.rule_inputs,
        now=scene.now,
    )


def test_earlier_votes_that_are_enough_approve_until_the_deadline() -> None:
    scene = Scene(deployer=CHO, approved=(ANA,))
    approval = by_votes(scene)
    assert approval is not None
    assert (approval.permit.by, approval.permit.basis) == (ANA, Basis.VOTES)
    assert by_votes(replace(scene, now=JUST_BEFORE), gate=scene.gate) is not None


TWO: Policy = replace(POLICY, approvals=2)


@pytest.mark.parametrize(
    ("scene", "last"),
    [
        (Scene(policy=TWO, approved=(ANA,)), ANA),
        (Scene(approved=(ANA,)), BEN),
        (Scene(approved=(ANA,), rejected=(BEN,)), ANA),
        # Two approvals outweigh one rejection, but somebody has objected: people decide.
        (Scene(approved=(ANA, CHO), rejected=(BEN,)), ANA),
        # Ana's approval is enough; it is still not decided in the name of somebody who may not approve.
        (Scene(approved=(ANA, EVE)), EVE),
        (Scene(deployer=BEN, approved=(ANA, BEN)), BEN),
    ],
    ids=["too few", "not voted", "rejected", "outvoted rejection", "not an approver", "own deployment"],
)
def test_earlier_votes_do_not_approve(scene: Scene, last: UserId) -> None:
    assert by_votes(scene, last) is None


def test_earlier_votes_do_not_approve_before_the_deployment_is_confirmed_or_after_the_deadline() -> None:
    scene = Scene(approved=(ANA,))
    assert by_votes(scene, gate=replace(scene.gate, verified=False)) is None
    assert by_votes(replace(scene, now=DEADLINE), gate=scene.gate) is None


@pytest.mark.parametrize("creator", sorted(AUTO_ROLLBACK_CREATORS))
def test_an_automatic_rollback_is_approved_once_it_is_confirmed(creator: str) -> None:
    gate = Scene().gate
    approval = gate.approve_auto_rollback(creator=creator, now=NOW)
    assert approval is not None
    assert (approval.permit.gate, approval.permit.basis) == (gate.id, Basis.AUTO_ROLLBACK)
    assert gate.approve_auto_rollback(creator="user", now=NOW) is None
    assert replace(gate, verified=False).approve_auto_rollback(creator=creator, now=NOW) is None


def test_the_deployment_of_an_undo_is_approved_once_it_is_confirmed() -> None:
    gate = Scene().gate
    approval = gate.approve_undo(by=ANA, name="ana", now=NOW)
    assert approval is not None
    assert (approval.permit.by, approval.permit.basis) == (ANA, Basis.UNDO)
    assert replace(gate, verified=False).approve_undo(by=ANA, name="ana", now=NOW) is None
