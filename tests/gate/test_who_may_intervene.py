"""Who may take a switch back or end blue early, and when."""

from dataclasses import replace

import pytest

from app.gate.ids import UserId
from app.gate.rules.permits import NotAMember, NotAnApprover, Person, ReasonMissing, Refusal, Standing
from app.gate.rules.policy import Source
from app.gate.undo import (
    Course,
    Deed,
    NothingToFinish,
    NotWhatWasAsked,
    Standpoint,
    UnderWay,
    judge_finish,
    judge_person,
    judge_undo,
)
from tests.gate.rules.cases import ANA, BEN, DAN, EVE, POLICY, ROSTER

ADMINS = ("UADMIN", "SADMIN")
STRANGER = UserId("UNOBODY")
SWITCHED = Standpoint(
    course=Course.SWITCHED, is_rescue=False, superseded=False, obstacle=None, under_way=None
)
SOMEBODY_WAS_FIRST = UnderWay(by=BEN, name="ben")
DBA = replace(POLICY, require=(Source(people=("SDBA",), approvals=1),))


def person(user: UserId, standing: Standing = Standing.MEMBER) -> Person:
    return Person(user=user, name=user.lower(), standing=standing)


def undo(who: Person, *, at: Standpoint = SWITCHED, asked: Deed = Deed.STOP, reason: str = "errors") -> None:
    judge_undo(at=at, asked=asked, reason=reason, person=who, policy=POLICY, admins=ADMINS, roster=ROSTER)


def finish(who: Person, *, at: Standpoint = SWITCHED, allowed: bool = True) -> None:
    policy = replace(POLICY, finish_now=allowed)
    judge_finish(at=at, person=who, policy=policy, admins=ADMINS, roster=ROSTER)


@pytest.mark.parametrize("user", [BEN, ANA, EVE, UserId("UADMIN")])
def test_approvers_and_admins_may_intervene(user: UserId) -> None:
    undo(person(user))
    finish(person(user))


def test_people_of_a_second_source_may_intervene_where_the_policy_names_them() -> None:
    judge_person(person=person(DAN), policy=DBA, admins=ADMINS, roster=ROSTER)
    with pytest.raises(NotAnApprover):
        judge_person(person=person(DAN), policy=POLICY, admins=ADMINS, roster=ROSTER)


def test_nobody_else_may_intervene() -> None:
    for judge in (undo, finish):
        with pytest.raises(NotAnApprover):
            judge(person(STRANGER))


@pytest.mark.parametrize("standing", [each for each in Standing if each is not Standing.MEMBER])
def test_only_full_members_intervene(standing: Standing) -> None:
    for judge in (undo, finish):
        with pytest.raises(NotAMember):
            judge(person(BEN, standing))


@pytest.mark.parametrize("reason", ["", " ", "\n"])
def test_an_undo_has_a_reason(reason: str) -> None:
    with pytest.raises(ReasonMissing):
        undo(person(BEN), reason=reason)


def test_an_undo_is_the_one_that_the_form_showed() -> None:
    with pytest.raises(NotWhatWasAsked):
        undo(person(BEN), at=replace(SWITCHED, course=Course.FINISHED))
    undo(person(BEN), at=replace(SWITCHED, course=Course.FINISHED), asked=Deed.REDEPLOY)


@pytest.mark.parametrize(
    ("at", "allowed", "refusal"),
    [
        (SWITCHED, False, NothingToFinish),
        *(
            (replace(SWITCHED, course=course), True, NothingToFinish)
            for course in Course
            if course is not Course.SWITCHED
        ),
        (replace(SWITCHED, blue_ends=True), True, NothingToFinish),
        (replace(SWITCHED, under_way=SOMEBODY_WAS_FIRST), True, UnderWay),
        (replace(SWITCHED, finishing=SOMEBODY_WAS_FIRST), True, UnderWay),
    ],
)
def test_blue_is_not_ended(at: Standpoint, allowed: bool, refusal: type[Refusal]) -> None:
    with pytest.raises(refusal):
        finish(person(BEN), at=at, allowed=allowed)
