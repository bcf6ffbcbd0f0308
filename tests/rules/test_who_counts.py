"""Whose votes count: only of those who may decide now."""

from dataclasses import replace

from app.gate.judging import discounted, out_of_reach, owing
from app.gate.rulebook import Source, UnknownDeployer
from app.gate.rules import Outvoted, Owed, TwoOwed
from tests.rules.cases import ANA, BEN, CHO, DAN, EVE, POLICY, Scene

TWO = replace(POLICY, approvals=2)


def test_the_vote_of_somebody_who_may_not_decide_is_owed_all_the_same() -> None:
    scene = Scene(policy=TWO, approved=(EVE, BEN))
    assert owing(scene.case(scene.gate)) == (Owed(people=("SONCALL",), missing=1),)
    assert discounted(scene.case(scene.gate)) == {EVE}
    assert scene.press(ANA).came_of_it == "approved"


def test_two_different_people_are_two_who_may_decide() -> None:
    policy = replace(POLICY, unknown_deployer=UnknownDeployer.ASK_TWO)
    scene = Scene(policy=policy, approved=(EVE,))
    assert TwoOwed(missing=2) in owing(scene.case(scene.gate))
    assert scene.press(ANA).came_of_it == "counted"


def test_who_may_not_decide_outvotes_nobody_and_saves_nobody_from_it() -> None:
    scene = Scene(policy=replace(POLICY, approvals=1), rejected=(BEN,), approved=(EVE, ANA))
    assert Outvoted(against=1) in owing(scene.case(scene.gate))
    scene = Scene(policy=POLICY, rejected=(DAN,), approved=(ANA,))
    assert owing(scene.case(scene.gate)) == ()


def test_a_gate_is_out_of_reach_once_too_few_are_left() -> None:
    everybody = Scene(policy=replace(POLICY, approvals=3))
    assert out_of_reach(everybody.case(everybody.gate)) == ()
    own = replace(everybody, deployer=ANA)
    assert out_of_reach(own.case(own.gate)) == (Owed(people=("SONCALL",), missing=1),)
    lonely = Scene(policy=replace(POLICY, require=(Source(people=("UNOBODY", "SEMPTY"), approvals=2),)))
    assert out_of_reach(lonely.case(lonely.gate)) == (Owed(people=("UNOBODY", "SEMPTY"), missing=1),)
    two = Scene(policy=replace(POLICY, approvers=(CHO,), unknown_deployer=UnknownDeployer.ASK_TWO))
    assert out_of_reach(two.case(two.gate)) == (TwoOwed(missing=1),)
