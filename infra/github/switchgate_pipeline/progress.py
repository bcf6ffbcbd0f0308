"""How far a deployment has come: computed from what CodeDeploy and Switchgate say, without calls."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import Enum
from typing import Final

from switchgate_pipeline.api import Gate
from switchgate_pipeline.codedeploy import Deployment

HOOK: Final = "BeforeAllowTraffic"
SHIFT: Final = "AllowTraffic"
HOOK_LIMIT: Final = timedelta(hours=1)
"""CodeDeploy waits so long for a hook's answer; Switchgate answers before."""

HOOK_MINUTES: Final = 60
MARGIN_MINUTES: Final = 10


class Stage(Enum):
    STARTING = "starting"
    WAITING = "waiting"
    SHIFTING = "shifting"
    SWITCHED = "switched"
    FINISHED = "finished"
    REJECTED = "rejected"
    EXPIRED = "expired"
    WITHDRAWN = "withdrawn"
    ROLLED_BACK = "rolled back"
    FAILED = "failed"


FAILURES: Final = frozenset({Stage.REJECTED, Stage.EXPIRED, Stage.WITHDRAWN, Stage.ROLLED_BACK, Stage.FAILED})
VERDICTS: Final = {
    "rejected": Stage.REJECTED,
    "expired": Stage.EXPIRED,
    "withdrawn": Stage.WITHDRAWN,
}


@dataclass(frozen=True, slots=True)
class Progress:
    """`since` and `until`: of the gate that waits."""

    stage: Stage
    since: datetime | None = None
    until: datetime | None = None


def progress_of(deployment: Deployment, gate: Gate | None) -> Progress:
    """Where the deployment stands."""
    if deployment.status in ("Failed", "Stopped"):
        return Progress(_failed(deployment, gate))
    if deployment.status == "Succeeded":
        return Progress(Stage.FINISHED)
    if deployment.event_status(SHIFT) == "Succeeded":
        return Progress(Stage.SWITCHED)
    if deployment.event_status(HOOK) == "InProgress":
        return _waiting(deployment, gate)
    if deployment.event_status(HOOK) == "Succeeded":
        return Progress(Stage.SHIFTING)
    return Progress(Stage.STARTING)


def minutes_allowed(deployment: Deployment, *, traffic: float, install: float, finish: bool) -> float:
    """For a deployment to be switched (`finish`: finished), however late the gate is decided."""
    blue_green = deployment.info.get("blueGreenDeploymentConfiguration") or {}
    ready = (blue_green.get("deploymentReadyOption") or {}).get("waitTimeInMinutes") or 0
    ending = blue_green.get("terminateBlueInstancesOnDeploymentSuccess") or {}
    blue = (ending.get("terminationWaitTimeInMinutes") or 0) if finish else 0
    return install + ready + HOOK_MINUTES + traffic + float(blue) + MARGIN_MINUTES


def _waiting(deployment: Deployment, gate: Gate | None) -> Progress:
    if gate is not None:
        return Progress(Stage.WAITING, gate.opened_at, gate.deadline_at)
    began = deployment.events[HOOK].get("startTime")
    since = began.astimezone(UTC) if isinstance(began, datetime) else None
    return Progress(Stage.WAITING, since, since + HOOK_LIMIT if since else None)


def _failed(deployment: Deployment, gate: Gate | None) -> Stage:
    passed = deployment.event_status(HOOK) == "Succeeded"
    if gate is not None and gate.verdict in VERDICTS and not passed:
        return VERDICTS[gate.verdict]
    return Stage.ROLLED_BACK if passed or _rollback(deployment) else Stage.FAILED


def _rollback(deployment: Deployment) -> bool:
    started = deployment.event_status(SHIFT) not in ("", "Pending", "Skipped")
    return started and bool((deployment.info.get("rollbackInfo") or {}).get("rollbackDeploymentId"))
