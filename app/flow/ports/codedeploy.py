"""What the flow needs of CodeDeploy: its facts, answers and errors."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from app.flow.read_models import Traffic
from app.gate.decision import Answer
from app.gate.ids import ExecutionId, SwitchKey
from app.gate.previous_revision import PreviousRevision


class NoSuchDeployment(Exception):
    """CodeDeploy does not know this deployment in this account and region.

    `may_appear`: its reads are eventually consistent, so a young deployment may be found a moment later.
    """

    def __init__(self, reason: str, *, may_appear: bool = False) -> None:
        super().__init__(reason)
        self.may_appear = may_appear


class CodeDeployUnavailable(Exception):
    """The call failed for now: throttled, server error, unreachable, or the permission is missing."""


class AlreadyAnswered(Exception):
    """CodeDeploy already has a status for this hook: ours, another caller's, or its own time-out."""


class AnswerRefused(Exception):
    """CodeDeploy never accepts this answer: unknown deployment or execution id."""


@dataclass(frozen=True, kw_only=True, slots=True)
class DeploymentFacts:
    """The content of GetDeployment. `status` is CodeDeploy's DeploymentStatus."""

    application: str
    deployment_group: str
    platform: str
    status: str
    creator: str
    description: str
    config_name: str
    created_at: datetime | None
    rollback_of: str | None
    error: str | None
    rollback_id: str | None = None
    """The deployment that rolls this one back."""
    keeps_blue: timedelta | None = None
    """How long blue is kept after the switch; None: CodeDeploy does not terminate it."""
    keeping_blue: bool = False
    """That time has begun, so all traffic is on green."""
    auto_rollback: bool = False
    rollback_may_come: bool = False
    """It failed or was stopped, and CodeDeploy rolls such a deployment back by itself."""

    @property
    def over(self) -> bool:
        """Whether the status is final."""
        return self.status in {"Succeeded", "Failed", "Stopped"}

    @property
    def end_reason(self) -> str:
        """The final status, with CodeDeploy's error message."""
        return f"{self.status}: {self.error}" if self.error else self.status


@dataclass(frozen=True, kw_only=True, slots=True)
class HookProgress:
    """One lifecycle event of the deployment's target; `status` is CodeDeploy's LifecycleEventStatus."""

    status: str
    started_at: datetime | None
    ended_at: datetime | None = None

    @property
    def over(self) -> bool:
        """Whether CodeDeploy has an answer. `Unknown` is one of its statuses and no answer."""
        return self.status in {"Succeeded", "Failed", "Skipped"}


@dataclass(frozen=True, kw_only=True, slots=True)
class Target:
    """The deployment's one target, its ECS service. `green_percent`: None if CodeDeploy does not report it.
    `platform`: `ECS`, if the target's type shows it; otherwise empty."""

    events: Mapping[str, HookProgress]
    green_percent: int | None
    platform: str = "ECS"

    @property
    def running(self) -> list[str]:
        """The lifecycle events that are in progress."""
        return [name for name, event in self.events.items() if event.status == "InProgress"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Redeployed:
    """The deployment that undoes a switch. `alarms_on`: the group's alarms may stop it."""

    deployment: str
    alarms_on: bool


class AlreadyOver(Exception):
    """The deployment had ended before the request to stop or finish it."""


class AnotherDeploymentActive(Exception):
    """The deployment group runs another deployment; it runs one at a time."""


class InterventionRefused(Exception):
    """CodeDeploy rejected the request, and a retry would not help. The message says why."""


class NothingToRedeploy(Exception):
    """There is no revision to redeploy; `previous` says why."""

    def __init__(self, previous: PreviousRevision) -> None:
        super().__init__(str(previous.obstacle))
        self.previous = previous


class DeploymentControl(Protocol):
    """What people request of CodeDeploy after the decision. Every method raises `CodeDeployUnavailable`."""

    async def stop(self, key: SwitchKey) -> None:
        """Stops with rollback. Raises `AlreadyOver` or `InterventionRefused`."""
        ...

    async def redeploy_previous(
        self, key: SwitchKey, *, blue: str | None, idempotency_tag: str, description: str
    ) -> Redeployed:
        """Deploys the previous revision, all at once and without the group's alarms.

        Idempotent for the same `idempotency_tag`. `blue`: the task definition that blue was seen to run. Raises
        `AnotherDeploymentActive`, `NothingToRedeploy` or `InterventionRefused`.
        """
        ...

    async def finish(self, key: SwitchKey) -> None:
        """Terminates blue now. Raises `AlreadyOver` or `InterventionRefused`."""
        ...


class Deployments(Protocol):
    """CodeDeploy's deployments. Every method raises `CodeDeployUnavailable`."""

    async def deployment(self, key: SwitchKey) -> DeploymentFacts:
        """Raises `NoSuchDeployment`."""
        ...

    async def hook_progress(self, key: SwitchKey, *, hook_name: str) -> HookProgress | None:
        """The lifecycle event's state; None if the target does not list it (yet)."""
        ...

    async def target(self, key: SwitchKey) -> Target | None:
        """None if there is no target yet."""
        ...

    async def previous_revision(self, key: SwitchKey, *, blue: str | None) -> PreviousRevision:
        """What a redeployment would deploy. `blue`: see `DeploymentControl`. Raises `NoSuchDeployment`."""
        ...

    async def traffic(self, key: SwitchKey, *, config_name: str) -> Traffic: ...

    async def answer(self, key: SwitchKey, *, execution_id: ExecutionId, answer: Answer) -> None:
        """Raises `AlreadyAnswered` or `AnswerRefused`."""
        ...
