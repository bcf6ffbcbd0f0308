"""Converts CodeDeploy's responses to the flow's types. Absent parts become empty and raise nothing."""

from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import Any, Final

from app.flow.free_text import sanitize_text
from app.flow.ports.codedeploy import DeploymentFacts, HookProgress, Target
from app.flow.read_models import Traffic
from app.gate.rules.policy import Shift


def facts_of(info: Mapping[str, Any]) -> DeploymentFacts:
    """`deploymentInfo` of GetDeployment."""
    error = info.get("errorInformation") or {}
    words = [str(error[key]) for key in ("code", "message") if error.get(key)]
    rollback = info.get("rollbackInfo") or {}
    return DeploymentFacts(
        application=str(info.get("applicationName", "")),
        deployment_group=str(info.get("deploymentGroupName", "")),
        platform=str(info.get("computePlatform", "")),
        status=str(info.get("status", "")),
        creator=str(info.get("creator", "")),
        description=sanitize_text(str(info.get("description", ""))),
        config_name=str(info.get("deploymentConfigName", "")),
        created_at=info.get("createTime"),
        rollback_of=rollback.get("rollbackTriggeringDeploymentId"),
        error=sanitize_text(": ".join(words)) or None,
        rollback_id=rollback.get("rollbackDeploymentId"),
        keeps_blue=_keeps_blue(info),
        keeping_blue=bool(info.get("instanceTerminationWaitTimeStarted")),
        auto_rollback=bool((info.get("autoRollbackConfiguration") or {}).get("enabled")),
        rollback_may_come=_rollback_may_come(info),
    )


def _rollback_may_come(info: Mapping[str, Any]) -> bool:
    """Whether CodeDeploy rolls a deployment that ended like this one back by itself."""
    rollback, code = (
        info.get("autoRollbackConfiguration") or {},
        (info.get("errorInformation") or {}).get("code"),
    )
    if info.get("status") == "Failed":
        event = "DEPLOYMENT_FAILURE"
    else:
        event = "DEPLOYMENT_STOP_ON_ALARM" if code == "ALARM_ACTIVE" else "DEPLOYMENT_STOP_ON_REQUEST"
    return bool(rollback.get("enabled")) and event in (rollback.get("events") or [event])


def _keeps_blue(info: Mapping[str, Any]) -> timedelta | None:
    plan = info.get("blueGreenDeploymentConfiguration") or {}
    ending = plan.get("terminateBlueInstancesOnDeploymentSuccess") or {}
    if ending.get("action") != "TERMINATE":
        return None
    return timedelta(minutes=int(ending.get("terminationWaitTimeInMinutes") or 0))


PLATFORMS: Final = {"ECSTarget": "ECS", "LambdaTarget": "Lambda", "InstanceTarget": "Server"}
"""The compute platform by `deploymentTargetType`; a CloudFormation target may be of any."""


def target_of(found: Mapping[str, Any]) -> Target:
    """`deploymentTarget` of GetDeploymentTarget."""
    target: Mapping[str, Any] = found.get("ecsTarget") or {}
    kind = found.get("deploymentTargetType") or ("ECSTarget" if target else "")
    events = {
        str(event.get("lifecycleEventName")): HookProgress(
            status=str(event.get("status", "Unknown")),
            started_at=event.get("startTime"),
            ended_at=event.get("endTime"),
        )
        for event in target.get("lifecycleEvents", [])
    }
    shifted = (moved := events.get("AllowTraffic")) is not None and moved.status == "Succeeded"
    return Target(
        events=events,
        green_percent=_green_percent(target.get("taskSetsInfo", []), shifted=shifted),
        platform=PLATFORMS.get(str(kind), str(kind)),
    )


def _green_percent(task_sets: Iterable[Mapping[str, Any]], *, shifted: bool) -> int | None:
    """Without labels: CodeDeploy makes green PRIMARY once all traffic has moved, and not before."""
    for task_set in task_sets:
        label = task_set.get("taskSetLabel")
        green = label == "Green" if label else (task_set.get("status") == "PRIMARY") == shifted
        if green and task_set.get("trafficWeight") is not None:
            return round(float(task_set["trafficWeight"]))
    return None


def traffic_of(routing: Mapping[str, Any] | None) -> Traffic:
    """`trafficRoutingConfig` of GetDeploymentConfig; minutes between steps."""
    routing = routing or {}
    match routing.get("type"):
        case "TimeBasedCanary":
            canary = routing.get("timeBasedCanary") or {}
            percent, minutes = canary.get("canaryPercentage", 0), canary.get("canaryInterval", 0)
            return Traffic(shift=Shift.CANARY, percent=int(percent), minutes=int(minutes))
        case "TimeBasedLinear":
            linear = routing.get("timeBasedLinear") or {}
            percent, minutes = linear.get("linearPercentage", 0), linear.get("linearInterval", 0)
            return Traffic(shift=Shift.LINEAR, percent=int(percent), minutes=int(minutes))
        case _:
            return Traffic(shift=Shift.ALL_AT_ONCE)
