"""Undoing a switch: which way is available, who may use it, and why it is denied."""

from dataclasses import dataclass
from enum import StrEnum
from typing import assert_never

from app.gate.ids import UserId
from app.gate.people import AccountStatus, Person
from app.gate.previous_revision import Obstacle
from app.gate.rules.denials import Denial, NotAMember, NotAnApprover, ReasonMissing
from app.gate.rules.policy import Policy, Roster


class Progress(StrEnum):
    """How far a switch has come, as CodeDeploy shows it."""

    HELD = "held"
    """No decision has been reported yet: traffic is on blue."""
    SHIFTING = "shifting"
    """Approved: traffic moves, or is about to."""
    SWITCHED = "switched"
    """All production traffic is on green, and blue still runs."""
    FINISHED = "finished"
    """The deployment succeeded: blue is gone."""
    ENDED = "ended"
    """The deployment failed or was stopped. Some of the traffic may still be on green."""


class InterventionKind(StrEnum):
    """What a person can have CodeDeploy do after the decision."""

    STOP = "stop"
    """Undo while blue runs: StopDeployment with rollback. Seconds."""
    REDEPLOY = "redeploy"
    """Undo after the end: a new deployment of the previous revision. Minutes."""
    FINISH = "finish"
    """End blue's keep-alive now, and with it the fast undo."""


class NothingToUndo(Denial):
    """No traffic has been let through, or none of it is on this switch's green any more."""

    code = "nothing_to_undo"


class UnderWay(Denial):
    """Somebody requested one before; that is being executed. One undo is enough."""

    code = "intervention_in_progress"

    def __init__(self, *, by: UserId, name: str) -> None:
        super().__init__(f"{name} was first")
        self.by = by
        self.name = name


class Superseded(Denial):
    """A later deployment of the domain is running or serves: undoing this one would undo that one too."""

    code = "superseded"


class RollingBack(Denial):
    """CodeDeploy is rolling it back already."""

    code = "rollback_in_progress"


class NoPreviousRevision(Denial):
    """No deployment would undo it; `obstacle` says why."""

    code = "no_previous_revision"

    def __init__(self, obstacle: Obstacle) -> None:
        super().__init__(str(obstacle))
        self.obstacle = obstacle


class NotWhatWasAsked(Denial):
    """The switch has progressed since the form was opened: another kind of undo applies now."""

    code = "undo_changed"


class NothingToFinish(Denial):
    """Blue is not being kept for this switch (any more), or the domain does not allow ending it early."""

    code = "nothing_to_finish"


@dataclass(frozen=True, kw_only=True, slots=True)
class UndoContext:
    """What determines which undo is available.

    `under_way`: who has requested an undo already. `finishing`: who has requested to end blue, if CodeDeploy does not
    know yet; `blue_ends`: it does. `on_green`: traffic of a deployment that ended badly may still be on green.
    `rolling_back`: CodeDeploy rolls it back by itself. `obstacle`: why a redeployment would not help.
    """

    progress: Progress
    is_auto_rollback: bool
    superseded: bool
    obstacle: Obstacle | None
    under_way: UnderWay | None
    finishing: UnderWay | None = None
    blue_ends: bool = False
    on_green: bool = False
    rolling_back: bool = False


def available_undo(at: UndoContext) -> InterventionKind:
    """How the switch can be undone now. Raises the `Denial` that says why it cannot."""
    if at.under_way is not None:
        raise at.under_way
    if at.is_auto_rollback:
        raise NothingToUndo
    match at.progress:
        case Progress.HELD:
            raise NothingToUndo
        case Progress.SHIFTING | Progress.SWITCHED:
            return InterventionKind.STOP
        case Progress.FINISHED:
            return _redeploy(at)
        case Progress.ENDED:
            return _after_a_bad_end(at)
        case _:
            assert_never(at.progress)


def _after_a_bad_end(at: UndoContext) -> InterventionKind:
    if at.rolling_back:
        raise RollingBack
    if not at.on_green:
        raise NothingToUndo
    return _redeploy(at)


def _redeploy(at: UndoContext) -> InterventionKind:
    if at.superseded:
        raise Superseded
    if at.obstacle is not None:
        raise NoPreviousRevision(at.obstacle)
    return InterventionKind.REDEPLOY


def check_undo(
    *,
    at: UndoContext,
    asked: InterventionKind,
    reason: str,
    person: Person,
    policy: Policy,
    admins: tuple[str, ...],
    roster: Roster,
) -> None:
    """Raises the `Denial` that applies; returns when this person may request `asked` now."""
    check_intervener(person=person, policy=policy, admins=admins, roster=roster)
    if available_undo(at) is not asked:
        raise NotWhatWasAsked
    if not reason.strip():
        raise ReasonMissing


def check_finish(
    *, at: UndoContext, person: Person, policy: Policy, admins: tuple[str, ...], roster: Roster
) -> None:
    """Raises the `Denial` that applies; returns when this person may end blue now."""
    check_intervener(person=person, policy=policy, admins=admins, roster=roster)
    for already in (at.under_way, at.finishing):
        if already is not None:
            raise already
    if not policy.finish_now or at.progress is not Progress.SWITCHED or at.blue_ends:
        raise NothingToFinish


def check_intervener(*, person: Person, policy: Policy, admins: tuple[str, ...], roster: Roster) -> None:
    """The domain's approvers and the admins may intervene; nobody else."""
    if person.account_status is not AccountStatus.MEMBER:
        raise NotAMember(person.account_status)
    if not roster.includes(person.user, approvers=(*policy.voters, *admins)):
        raise NotAnApprover
