"""Taking a switch back: which way there is, who may go it, and why not."""

from dataclasses import dataclass
from enum import StrEnum
from typing import assert_never

from app.gate.ids import UserId
from app.gate.policy import (
    NotAMember,
    NotAnApprover,
    Person,
    ReasonMissing,
    Refusal,
    Standing,
)
from app.gate.rulebook import Policy, Roster


class Course(StrEnum):
    """How far a switch has come, as CodeDeploy shows it."""

    HELD = "held"
    """No answer has been taken yet: traffic is on blue."""
    SHIFTING = "shifting"
    """Approved: traffic moves, or is about to."""
    SWITCHED = "switched"
    """All production traffic is on green, and blue still runs."""
    FINISHED = "finished"
    """The deployment succeeded: blue is gone."""
    ENDED = "ended"
    """The deployment failed or was stopped."""


class Deed(StrEnum):
    """What a person can have CodeDeploy do after the decision."""

    STOP = "stop"
    """Undo while blue runs: StopDeployment with rollback. Seconds."""
    REDEPLOY = "redeploy"
    """Undo after the end: a new deployment of the previous revision. Minutes."""
    FINISH = "finish"
    """End blue's keep-alive now, and with it the fast undo."""


class NothingToUndo(Refusal):
    """No traffic has been let through, or none of it is on this switch's green any more."""


class UnderWay(Refusal):
    """Somebody asked first; that is being carried out. One undo is enough."""

    def __init__(self, *, by: UserId, name: str) -> None:
        super().__init__(f"{name} was first")
        self.by = by
        self.name = name


class Superseded(Refusal):
    """A later deployment of the domain lives or serves: taking this one back would take that one too."""


class NoPreviousRevision(Refusal):
    """CodeDeploy tells of no revision that served before."""


class NotWhatWasAsked(Refusal):
    """The switch has moved on since the form was opened: the way back is another one now."""


class NothingToFinish(Refusal):
    """Blue is not being kept for this switch (any more), or the domain does not allow ending it early."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Standpoint:
    """What the way back depends on. `under_way`: who has asked already; `blue_ends`: CodeDeploy was told to end it."""

    course: Course
    is_rescue: bool
    superseded: bool
    previous_revision: str | None
    under_way: UnderWay | None
    blue_ends: bool = False


def way_back(at: Standpoint) -> Deed:
    """How the switch can be taken back now. Raises the `Refusal` that says why it cannot."""
    if at.under_way is not None:
        raise at.under_way
    if at.is_rescue:
        raise NothingToUndo
    match at.course:
        case Course.HELD | Course.ENDED:
            raise NothingToUndo
        case Course.SHIFTING | Course.SWITCHED:
            return Deed.STOP
        case Course.FINISHED:
            if at.superseded:
                raise Superseded
            if at.previous_revision is None:
                raise NoPreviousRevision
            return Deed.REDEPLOY
        case _:
            assert_never(at.course)


def judge_undo(
    *,
    at: Standpoint,
    asked: Deed,
    reason: str,
    person: Person,
    policy: Policy,
    admins: tuple[str, ...],
    roster: Roster,
) -> None:
    """Raises the `Refusal` that applies; returns when this person may have `asked` done now."""
    judge_person(person=person, policy=policy, admins=admins, roster=roster)
    if way_back(at) is not asked:
        raise NotWhatWasAsked
    if not reason.strip():
        raise ReasonMissing


def judge_finish(
    *, at: Standpoint, person: Person, policy: Policy, admins: tuple[str, ...], roster: Roster
) -> None:
    """Raises the `Refusal` that applies; returns when this person may end blue now."""
    judge_person(person=person, policy=policy, admins=admins, roster=roster)
    if at.under_way is not None:
        raise at.under_way
    if not policy.finish_now or at.course is not Course.SWITCHED or at.blue_ends:
        raise NothingToFinish


def judge_person(*, person: Person, policy: Policy, admins: tuple[str, ...], roster: Roster) -> None:
    """The domain's approvers and the admins may intervene; nobody else."""
    if person.standing is not Standing.MEMBER:
        raise NotAMember(person.standing)
    if not roster.holds(person.user, approvers=(*policy.voters, *admins)):
        raise NotAnApprover
