"""Executes a requested intervention: stops or redeploys a deployment, or ends blue, by CodeDeploy's API."""

import re
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Protocol, assert_never
from uuid import UUID

from app.flow.audit_events import SWITCHGATE, Event, Kind
from app.flow.backoff import backoff
from app.flow.ports.codedeploy import (
    AlreadyOver,
    AnotherDeploymentActive,
    CodeDeployUnavailable,
    DeploymentControl,
    Deployments,
    InterventionRefused,
    NothingToRedeploy,
)
from app.flow.ports.database import Claim
from app.flow.read_models import Switch
from app.flow.undo.intervention import (
    Intervention,
    InterventionFailure,
    InterventionProblem,
    problem_in_event,
)
from app.gate.ids import GateId
from app.gate.previous_revision import Obstacle
from app.gate.undo import InterventionKind

UNDO_TAG: Final = "switchgate-undo:"
"""In a deployment's description before the id of the undo that made it."""

_NAMED_UNDO: Final = re.compile(rf"{UNDO_TAG}([0-9a-f]{{8}}(?:-[0-9a-f]{{4}}){{3}}-[0-9a-f]{{12}})")

RETRY_AFTER: Final = timedelta(milliseconds=300)
MAX_BACKOFF: Final = timedelta(seconds=10)
RETRY_FOR: Final = timedelta(minutes=30)
"""How long a failed call is retried."""


FAILURE_OF_OBSTACLE: Final = {
    Obstacle.ABSENT: InterventionFailure.NO_PREVIOUS_REVISION,
    Obstacle.SAME: InterventionFailure.SAME_REVISION,
    Obstacle.UNPINNED: InterventionFailure.UNPINNED_REVISION,
    Obstacle.UNREADABLE: InterventionFailure.UNREADABLE_REVISION,
    Obstacle.INACTIVE: InterventionFailure.INACTIVE_REVISION,
}


@dataclass(frozen=True, kw_only=True, slots=True)
class DueIntervention(Claim):
    """What a person asked for and CodeDeploy has not been told. `blue`: the task definition that blue ran."""

    switch: Switch
    intervention: Intervention
    blue: str | None


@dataclass(frozen=True, kw_only=True, slots=True)
class _Answer:
    """CodeDeploy's response. `deployment`: the one that undoes the switch, if known. `done`: nothing more happens.
    `problem`: what may still go wrong."""

    deployment: str | None = None
    done: bool = False
    problem: InterventionProblem | None = None


class _NothingToStop(Exception):
    """The deployment had ended, and nothing takes its traffic back."""

    def __init__(self, code: InterventionFailure) -> None:
        super().__init__(code)
        self.code = code


class ExecutionRepository(Protocol):
    """Due interventions. Each method checks the lease of the claim."""

    async def sent(
        self,
        due: DueIntervention,
        *,
        deployment: str | None,
        done: bool,
        problem: InterventionProblem | None,
        event: Event,
        now: datetime,
    ) -> list[GateId]:
        """CodeDeploy accepted it; `problem`: what may still go wrong. Returns the waiting gates of the deployment that
        it created."""
        ...

    async def failed(
        self, due: DueIntervention, *, problem: InterventionProblem, event: Event, now: datetime
    ) -> None: ...

    async def retry_later(
        self, due: DueIntervention, *, problem: InterventionProblem, due_at: datetime, now: datetime
    ) -> None: ...


def undo_named_in(description: str) -> UUID | None:
    """The undo that a deployment's description names, which anybody may have written."""
    found = _NAMED_UNDO.search(description)
    return UUID(found[1]) if found else None


async def execute_intervention(
    due: DueIntervention,
    *,
    repository: ExecutionRepository,
    deployment_control: DeploymentControl,
    deployments: Deployments,
    now: datetime,
) -> list[GateId]:
    """Calls CodeDeploy; returns the gates that may now be approved automatically."""
    try:
        answer = await _send(due, deployment_control=deployment_control, deployments=deployments)
    except CodeDeployUnavailable as exc:
        problem = InterventionProblem(detail=str(exc))
        if now - due.intervention.requested_at < RETRY_FOR:
            again = now + backoff(due.attempts, first=RETRY_AFTER, longest=MAX_BACKOFF)
            await repository.retry_later(due, problem=problem, due_at=again, now=now)
            return []
    except AnotherDeploymentActive as exc:
        code = InterventionFailure.ANOTHER_DEPLOYMENT_ACTIVE
        problem = InterventionProblem(code=code, detail=str(exc))
    except NothingToRedeploy as exc:
        problem = InterventionProblem(code=FAILURE_OF_OBSTACLE[exc.previous.obstacle or Obstacle.ABSENT])
    except _NothingToStop as exc:
        problem = InterventionProblem(code=exc.code)
    except (InterventionRefused, AlreadyOver) as exc:
        problem = InterventionProblem(detail=str(exc))
    else:
        return await _sent(due, answer, repository=repository, now=now)
    kind = Kind.FINISH_FAILED if due.intervention.kind is InterventionKind.FINISH else Kind.UNDO_FAILED
    event = _event(due, kind, now, **problem_in_event(problem))
    await repository.failed(due, problem=problem, event=event, now=now)
    return []


async def _sent(
    due: DueIntervention, answer: "_Answer", *, repository: ExecutionRepository, now: datetime
) -> list[GateId]:
    kind = Kind.FINISH_SENT if due.intervention.kind is InterventionKind.FINISH else Kind.UNDO_SENT
    event = _event(due, kind, now, deployment=answer.deployment or "", **problem_in_event(answer.problem))
    return await repository.sent(
        due,
        deployment=answer.deployment,
        done=answer.done,
        problem=answer.problem,
        event=event,
        now=now,
    )


async def _send(
    due: DueIntervention, *, deployment_control: DeploymentControl, deployments: Deployments
) -> _Answer:
    key, intervention = due.switch.key, due.intervention
    match intervention.kind:
        case InterventionKind.STOP:
            await _stop(due, deployment_control=deployment_control, deployments=deployments)
            return _Answer()
        case InterventionKind.REDEPLOY:
            idempotency_tag = f"{UNDO_TAG}{intervention.id}"
            description = f"Undo of {key.deployment}, asked for by {intervention.name}"
            made = await deployment_control.redeploy_previous(
                key, blue=due.blue, idempotency_tag=idempotency_tag, description=description
            )
            warning = InterventionProblem(code=InterventionFailure.ALARMS_ACTIVE) if made.alarms_on else None
            return _Answer(deployment=made.deployment, problem=warning)
        case InterventionKind.FINISH:
            with suppress(AlreadyOver):  # blue is gone, as requested
                await deployment_control.finish(key)
            return _Answer(done=True)
        case _:
            assert_never(intervention.kind)


async def _stop(
    due: DueIntervention, *, deployment_control: DeploymentControl, deployments: Deployments
) -> None:
    """Stops the deployment. One that was stopped already counts, if its rollback was started or may still start."""
    try:
        await deployment_control.stop(due.switch.key)
    except AlreadyOver:
        facts = await deployments.deployment(due.switch.key)
        if facts.status == "Succeeded":
            raise _NothingToStop(InterventionFailure.DEPLOYMENT_OVER) from None
        is_retry = due.attempts > 1  # an earlier attempt, whose response was lost, requested a rollback
        if not is_retry and not facts.rollback_id and not facts.rollback_may_come:
            raise _NothingToStop(InterventionFailure.NO_ROLLBACK) from None


def _event(due: DueIntervention, kind: Kind, now: datetime, **detail: str) -> Event:
    return Event(
        at=now,
        kind=kind,
        switch=due.switch.key,
        actor=SWITCHGATE,
        domain=due.switch.domain,
        detail={"intervention": due.intervention.kind, "attempts": due.attempts, **detail},
    )
