"""What a person has CodeDeploy do after the decision, and how far that has come."""

from collections.abc import Mapping
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
    """Why an intervention failed or may fail, where Switchgate found it out. The text catalogs have the sentences."""

    DEPLOYMENT_OVER = "deployment_over"
    TOO_LATE = "too_late"
    NO_ROLLBACK = "no_rollback"
    ANOTHER_DEPLOYMENT_ACTIVE = "another_deployment_active"
    REPLACED_BY_UNDO = "replaced_by_undo"
    ALARMS_ACTIVE = "alarms_active"
    NO_PREVIOUS_REVISION = "no_previous_revision"
    SAME_REVISION = "same_revision"
    UNPINNED_REVISION = "unpinned_revision"
    UNREADABLE_REVISION = "unreadable_revision"
    INACTIVE_REVISION = "inactive_revision"


@dataclass(frozen=True, kw_only=True, slots=True)
class InterventionProblem:
    """Why an intervention failed, or fails so far.

    `code`: None if only AWS knows. `detail`: AWS's message, or the deployment that the code is about.
    """

    code: InterventionFailure | None = None
    detail: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Intervention:
    """What a person had CodeDeploy do after the decision, and what became of it.

    `deployment` is the one that takes the switch back.
    """

    id: UUID
    kind: InterventionKind
    phase: InterventionPhase
    by: UserId
    name: str
    reason: str
    requested_at: datetime
    deployment: str | None
    problem: InterventionProblem | None
    finished_at: datetime | None

    @property
    def under_way(self) -> bool:
        return self.phase in {InterventionPhase.REQUESTED, InterventionPhase.SENT}


def problem_in_event(problem: InterventionProblem | None) -> dict[str, str]:
    """The problem in the detail of an audit event."""
    if problem is None:
        return {"problem": ""}
    code = {"problem_code": problem.code} if problem.code else {}
    return {**code, "problem": problem.detail}


def problem_of_event(detail: Mapping[str, str | int | bool | None]) -> InterventionProblem | None:
    """The problem in an event's detail. A code that only a newer release knows is left out."""
    code, problem = detail.get("problem_code"), detail.get("problem")
    known = InterventionFailure(code) if code in tuple(InterventionFailure) else None
    if known is None and not problem:
        return None
    return InterventionProblem(code=known, detail=str(problem or ""))
