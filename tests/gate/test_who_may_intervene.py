"""Who may take a switch back or end blue early, and when."""

from dataclasses import replace

import pytest

from app.gate.ids import UserId
from app.gate.people import AccountStatus, Person
from app.gate.rules.denials import Denial, NotAMember, NotAnApprover, ReasonMissing
from app.gate.rules.policy import ApproverSource
from app.gate.undo import (
    InterventionKind,
    NothingToFinish,
    NotWhatWasAsked,
    Progress,
    UnderWay,
    UndoContext,
    check_finish,
    check_intervener,
    check_undo,
)
from tests.gate.rules.cases import ANA, BEN, DAN, EVE, POLICY, ROSTER

ADMINS = ("UADMIN", "SADMIN")
STRANGER = UserId("UNOBODY")
SWITCHED = UndoContext(
    progress=Progress.SWITCHED, is_auto_rollback=False, superseded=False, obstacle=None, under_way=None
)
SOMEBODY_WAS_FIRST = UnderWay(by=BEN, name="ben")
DBA = replace(POLICY, require=(ApproverSource(people=("SDBA",), approvals=1),))


def person(user: UserId, account_status: AccountStatus = AccountStatus.MEMBER) -> Person:
    return Person(user=user, name=user.lower(), account_status=account_status)


def undo(
    who: Person,
    *,
    at: UndoContext = SWITCHED,
    asked: InterventionKind = InterventionKind.STOP,
    reason: str = "errors",
) -> None:
    check_undo(at=at, asked=asked, reason=reason, person=who, policy=POLICY, admins=ADMINS, roster=ROSTER)


def finish(who: Person, *, at: UndoContext = SWITCHED, allowed: bool = True) -> None:
    policy = replace(POLICY, finish_now=allowed)
    check_finish(at=at, person=who, policy=policy, admins=ADMINS, roster=ROSTER)


@pytest.mark.parametrize("user", [BEN, ANA, EVE, UserId("UADMIN")])
def test_approvers_and_admins_may_intervene(user: UserId) -> None:
    undo(person(user))
    finish(person(user))


def test_people_of_a_second_source_may_intervene_where_the_policy_names_them() -> None:
    check_intervener(person=person(DAN), policy=DBA, admins=ADMINS, roster=ROSTER)
    with pytest.raises(NotAnApprover):
        check_intervener(person=person(DAN), policy=POLICY, admins=ADMINS, roster=ROSTER)


def test_nobody_else_may_intervene() -> None:
    for judge in (undo, finish):
        with pytest.raises(NotAnApprover):
            judge(person(STRANGER))


@pytest.mark.parametrize(
    "account_status", [each for each in AccountStatus if each is not AccountStatus.MEMBER]
)
def test_only_full_members_intervene(account_status: AccountStatus) -> None:
    for judge in (undo, finish):
        with pytest.raises(NotAMember):
            judge(person(BEN, account_status))


@pytest.mark.parametrize("reason", ["", " ", "\n"])
def test_an_undo_has_a_reason(reason: str) -> None:
    with pytest.raises(ReasonMissing):
        undo(person(BEN), reason=reason)


def test_an_undo_is_the_one_that_the_form_showed() -> None:
    with pytest.raises(NotWhatWasAsked):
        undo(person(BEN), at=replace(SWITCHED, progress=Progress.FINISHED))
    undo(person(BEN), at=replace(SWITCHED, progress=Progress.FINISHED), asked=InterventionKind.REDEPLOY)


@pytest.mark.parametrize(
    ("at", "allowed", "refusal"),
    [
        (SWITCHED, False, NothingToFinish),
        *(
            (replace(SWITCHED, progress=course), True, NothingToFinish)
            for course in Progress
            if course is not Progress.SWITCHED
        ),
        (replace(SWITCHED, blue_ends=True), True, NothingToFinish),
        (replace(SWITCHED, under_way=SOMEBODY_WAS_FIRST), True, UnderWay),
        (replace(SWITCHED, finishing=SOMEBODY_WAS_FIRST), True, UnderWay),
    ],
)
def test_blue_is_not_ended(at: UndoContext, allowed: bool, refusal: type[Denial]) -> None:
    with pytest.raises(refusal):
        finish(person(BEN), at=at, allowed=allowed)
