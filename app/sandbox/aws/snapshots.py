"""Snapshots of the stand-in's state for a page or a test, taken under one lock."""

from dataclasses import dataclass
from datetime import UTC, datetime

from app.sandbox.aws.state.account import Account
from app.sandbox.aws.state.deployment import Deployment


@dataclass(frozen=True, slots=True)
class EventSnapshot:
    """One lifecycle event."""

    name: str
    status: str
    started_at: datetime | None
    ended_at: datetime | None


@dataclass(frozen=True, slots=True)
class DeploymentSnapshot:
    """One deployment. `status` and the events' are CodeDeploy's words; `waits_for` is the lifecycle event
    whose hook has not answered, until `hook_due_at`; `terminates_at` is the end of the termination wait.
    `green_share` is the percent of production traffic on its own green now (0 when that is gone).
    """

    id: str
    domain: str
    status: str
    creator: str
    description: str
    config: str
    image: str
    events: tuple[EventSnapshot, ...]
    waits_for: str | None
    hook_due_at: datetime | None
    terminates_at: datetime | None
    created_at: datetime
    completed_at: datetime | None
    error_code: str | None
    error_message: str | None
    rollback_of: str | None
    rollback_id: str | None
    green_share: int
    answers: tuple[str, ...]

    @property
    def over(self) -> bool:
        return self.status in ("Succeeded", "Failed", "Stopped")

    def event(self, name: str) -> EventSnapshot:
        return next(event for event in self.events if event.name == name)


def snapshot(account: Account, deployment: Deployment) -> DeploymentSnapshot:
    """Call with the lock held."""
    task_definition = account.task_definitions.find(deployment.task_definition)
    failure = deployment.failure
    return DeploymentSnapshot(
        id=deployment.id,
        domain=deployment.domain,
        status=deployment.status,
        creator=deployment.creator,
        description=deployment.description,
        config=deployment.config.name,
        image=task_definition.image if task_definition else "",
        events=tuple(
            EventSnapshot(event.name, event.status, _time(event.started_at), _time(event.ended_at))
            for event in deployment.events
        ),
        waits_for=deployment.waits_for,
        hook_due_at=_time(deployment.hook_due_at),
        terminates_at=_time(deployment.terminates_at),
        created_at=datetime.fromtimestamp(deployment.created_at, UTC),
        completed_at=_time(deployment.completed_at),
        error_code=failure.code if failure else None,
        error_message=failure.message if failure else None,
        rollback_of=deployment.rollback_of,
        rollback_id=deployment.rollback_id,
        green_share=account.group_of(deployment).weight(deployment.green),
        answers=tuple(deployment.answers),
    )


def _time(seconds: float | None) -> datetime | None:
    return None if seconds is None else datetime.fromtimestamp(seconds, UTC)
