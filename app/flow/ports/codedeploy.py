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
    """CodeDeploy could not be asked now: throttled, failing, unreachable, or we lack the permission."""


class AlreadyAnswered(Exception):
    """CodeDeploy has an answer for this hook already: ours, somebody else's, or its own time-out."""


class AnswerRefused(Exception):
    """CodeDeploy will never take this answer (unknown deployment, unknown execution id)."""


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
    """How long blue is kept after the switch; None: CodeDeploy does not end it."""
    keeping_blue: bool = False
    """That time has begun, so all traffic is on green."""
    auto_rollback: bool = False
    rollback_may_come: bool = False
    """Of one that ended badly: whether CodeDeploy rolls such an ending back by itself."""

    @property
    def over(self) -> bool:
        """Whether CodeDeploy will never change this deployment again."""
        return self.status in {"Succeeded", "Failed", "Stopped"}

    @property
    def end_reason(self) -> str:
        """How it ended, in CodeDeploy's words."""
        return f"{self.status}: {self.error}" if self.error else self.status


@dataclass(frozen=True, kw_only=True, slots=True)
class HookProgress:
    """One lifecycle event of the deployment's target; `status` is CodeDeploy's LifecycleEventStatus."""

    status: str
    started_at: datetime | None

    @property
    def over(self) -> bool:
        """Whether CodeDeploy holds an answer. `Unknown` is one of its statuses and no answer."""
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
    """The deployment that takes a switch back. `alarms_on`: the group's alarms may stop it."""

    deployment: str
    alarms_on: bool


class AlreadyOver(Exception):
    """The deployment had ended before CodeDeploy could be told to stop or to go on."""


class AnotherDeploymentActive(Exception):
    """The deployment group has another deployment under way; it takes one at a time."""


class InterventionRefused(Exception):
    """CodeDeploy will not do it, and asking again would not help. The message says why."""


class NothingToRedeploy(Exception):
    """There is no revision whose deployment would take the switch back; `previous` says why."""

    def __init__(self, previous: PreviousRevision) -> None:
        super().__init__(str(previous.obstacle))
        self.previous = previous


class DeploymentControl(Protocol):
    """CodeDeploy, as far as people move it after the decision. Every method raises `CodeDeployUnavailable`."""

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
        """Ends blue now. Raises `AlreadyOver` or `InterventionRefused`."""
        ...


class Deployments(Protocol):
    """CodeDeploy. Every method raises `CodeDeployUnavailable` when it cannot tell."""

    async def deployment(self, key: SwitchKey) -> DeploymentFacts:
        """Raises `NoSuchDeployment`."""
        ...

    async def hook_progress(self, key: SwitchKey, *, hook_name: str) -> HookProgress | None:
        """The lifecycle event's state; None when the target does not list it (yet)."""
        ...

    async def target(self, key: SwitchKey) -> Target | None:
        """None while there is no target yet."""
        ...

    async def previous_revision(self, key: SwitchKey, *, blue: str | None) -> PreviousRevision:
        """What a redeployment would deploy. `blue`: see `DeploymentControl`. Raises `NoSuchDeployment`."""
        ...

    async def traffic(self, key: SwitchKey, *, config_name: str) -> Traffic: ...

    async def answer(self, key: SwitchKey, *, execution_id: ExecutionId, answer: Answer) -> None:
        """Raises `AlreadyAnswered` or `AnswerRefused`."""
        ...
