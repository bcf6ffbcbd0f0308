"""The part of the evidence that CodeDeploy has: the deployment group and the deployment's target."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, Final

from app.flow.ports.evidence import GroupFacts, ServiceName, TargetFacts
from app.gate.evidence.blue_green import TargetSet
from app.gate.evidence.model import Safety, Tasks

OVERRIDDEN: Final = ("autoRollbackConfiguration", "blueGreenDeploymentConfiguration", "loadBalancerInfo")


def group_facts(info: Mapping[str, Any]) -> GroupFacts:
    """`deploymentGroupInfo` of GetDeploymentGroup."""
    services = info.get("ecsServices") or [{}]
    alarms = info.get("alarmConfiguration") or {}
    names = [str(alarm["name"]) for alarm in alarms.get("alarms") or [] if alarm.get("name")]
    return GroupFacts(
        service=service_name(services[0].get("clusterName"), services[0].get("serviceName")),
        alarms=tuple(names),
        listeners=tuple(dict.fromkeys(_listeners(info.get("loadBalancerInfo") or {}))),
        safety=_safety(info),
        target_groups=tuple(_target_groups(info.get("loadBalancerInfo") or {})),
    )


def with_overrides(group: Mapping[str, Any], deployment: Mapping[str, Any]) -> Mapping[str, Any]:
    """`deploymentGroupInfo` with what `deploymentInfo` overrides of it: a deployment keeps the settings that it was
    created with."""
    own = {name: deployment[name] for name in OVERRIDDEN if deployment.get(name)}
    alarms = deployment.get("overrideAlarmConfiguration")
    if alarms is not None:
        known = group.get("alarmConfiguration") or {}
        own["alarmConfiguration"] = {
            **known,
            **{name: value for name, value in alarms.items() if value != []},
        }
    return {**group, **own}


def target_facts(target: Mapping[str, Any]) -> TargetFacts:
    """`ecsTarget` of GetDeploymentTarget. When Install has succeeded, green's tasks are up and steady."""
    events = {event.get("lifecycleEventName"): event for event in target.get("lifecycleEvents") or []}
    install, shift = events.get("Install") or {}, events.get("AllowTraffic") or {}
    steady: datetime | None = install.get("endTime") if install.get("status") == "Succeeded" else None
    cluster, _, name = str(target.get("targetId") or "").partition(":")
    return TargetFacts(
        service=service_name(cluster, name),
        task_sets=tuple(_target_set(one) for one in target.get("taskSetsInfo") or []),
        shifted=shift.get("status") == "Succeeded",
        steady_since=steady,
        succeeded_events=tuple(
            str(name) for name, event in events.items() if name and event.get("status") == "Succeeded"
        ),
    )


def service_name(cluster: str | None, name: str | None) -> ServiceName | None:
    """A service, if both its names are known."""
    return ServiceName(cluster=cluster, name=name) if cluster and name else None


def _target_set(info: Mapping[str, Any]) -> TargetSet:
    weight = info.get("trafficWeight")
    return TargetSet(
        id=str(info.get("identifer") or ""),  # so spelled in CodeDeploy's model
        label=info.get("taskSetLabel"),
        status=str(info.get("status") or ""),
        weight=None if weight is None else round(weight),
        target_group=(info.get("targetGroup") or {}).get("name"),
        tasks=Tasks(
            desired=int(info.get("desiredCount") or 0),
            running=int(info.get("runningCount") or 0),
            pending=int(info.get("pendingCount") or 0),
            steady=None,
        ),
    )


def _listeners(balancer: Mapping[str, Any]) -> Iterable[str]:
    for pair in balancer.get("targetGroupPairInfoList") or []:
        yield from (pair.get("prodTrafficRoute") or {}).get("listenerArns") or []


def _target_groups(balancer: Mapping[str, Any]) -> Iterable[str]:
    for pair in balancer.get("targetGroupPairInfoList") or []:
        yield from (str(group["name"]) for group in pair.get("targetGroups") or [] if group.get("name"))


def _safety(info: Mapping[str, Any]) -> Safety:
    rollback = info.get("autoRollbackConfiguration") or {}
    blue_green = info.get("blueGreenDeploymentConfiguration") or {}
    ending = blue_green.get("terminateBlueInstancesOnDeploymentSuccess") or {}
    minutes = ending.get("terminationWaitTimeInMinutes") if ending.get("action") == "TERMINATE" else None
    return Safety(
        rolls_back_on=tuple(rollback.get("events") or ()) if rollback.get("enabled") else (),
        blue_kept_minutes=minutes,
        alarms_stop=bool((info.get("alarmConfiguration") or {}).get("enabled")),
    )
