"""CodeDeploy's answers -> what the flow knows. Absent parts become empty, never an exception."""

from collections.abc import Iterable, Mapping
from typing import Any

from app.flow.ports import DeploymentFacts, HookProgress
from app.flow.views import Shift, Traffic


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
        description=str(info.get("description", "")).replace("\x00", ""),
        config_name=str(info.get("deploymentConfigName", "")),
        created_at=info.get("createTime"),
        rollback_of=rollback.get("rollbackTriggeringDeploymentId"),
        error=": ".join(words) or None,
    )


def hook_of(events: Iterable[Mapping[str, Any]], *, hook_name: str) -> HookProgress | None:
    """One lifecycle event out of `ecsTarget.lifecycleEvents`."""
    for event in events:
        if event.get("lifecycleEventName") == hook_name:
            return HookProgress(status=str(event.get("status", "Unknown")), started_at=event.get("startTime"))
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
