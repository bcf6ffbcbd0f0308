"""What a person has CodeDeploy do after the decision, and how far that has come."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from app.gate.ids import UserId
from app.gate.undo import InterventionKind


class InterventionPhase(StrEnum):
    REQUESTED = "requested"
    SENT = "sent"
    DONE = "done"
    FAILED = "failed"


class InterventionFailure(StrEnum):
    """Why an intervention failed, where that is our own finding; the record keeps the sentence, cards translate it."""

    OVER_FIRST = "the deployment was over before it could be told; undo again to go back from here"
    TOO_LATE = "the deployment had finished before it could be stopped"
    NO_ROLLBACK = "the deployment was stopped, but CodeDeploy started no rollback"
    ANOTHER_RUNS = "another deployment of this group is under way"
    UNDO_INSTEAD = "an undo was asked for instead"
    ALARMS_ON = "an alarm of the group may stop it: codedeploy:UpdateDeploymentGroup is not allowed"
    NO_PREVIOUS = "CodeDeploy names no previous revision"
    SAME_REVISION = "the previous revision is the one that serves now"
    UNPINNED_REVISION = "the previous revision names a task definition without its number"
    UNREADABLE_REVISION = "the task definition cannot be read from the previous revision's AppSpec"
    INACTIVE_REVISION = "the previous task definition is INACTIVE"


@dataclass(frozen=True, kw_only=True, slots=True)
class Intervention:
    """What a person had CodeDeploy do after the decision, and what became of it.

    `deployment` is the one that takes the switch back; `problem` says why it failed, or fails so far.
    """

    id: UUID
    kind: InterventionKind
    phase: InterventionPhase
    by: UserId
    name: str
    reason: str
    requested_at: datetime
    deployment: str | None
    problem: str | None
    finished_at: datetime | None

    @property
    def under_way(self) -> bool:
        return self.phase in {InterventionPhase.REQUESTED, InterventionPhase.SENT}
