"""CodeDeploy's side of the evidence: the deployment group, the deployment's target, its AppSpec."""

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any, Final

from app.flow.evidence_ports import GroupFacts, PartUnread, ServiceName, TargetFacts
from app.gate.evidence import Missing, Safety, Tasks, Why
from app.gate.sides import TargetSet

# An AppSpec is JSON or YAML; this one fact looks alike enough in both to be found without a YAML parser.
_NAMED: Final = re.compile(r"""\bTaskDefinition["']?\s*:\s*["']?(?P<name>[\w:/.-]+)""")
_TASK_DEFINITION: Final = re.compile(
    r"(?:arn:aws[\w-]*:ecs:[\w-]+:\d{12}:task-definition/)?[\w-]{1,255}:\d{1,9}"
)


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
    )


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
    )


def service_name(cluster: str | None, name: str | None) -> ServiceName | None:
    """A service, if both its names are known."""
    return ServiceName(cluster=cluster, name=name) if cluster and name else None


def named_task_definition(info: Mapping[str, Any]) -> str:
    """The task definition in the AppSpec of `deploymentInfo`. Raises `PartUnread`: an S3 revision shows none."""
    revision = info.get("revision") or {}
    content = str((revision.get("appSpecContent") or {}).get("content") or "")
    for name in _task_definitions(content):
        if _TASK_DEFINITION.fullmatch(name):
            return name
    raise PartUnread(Missing(why=Why.ABSENT, call="codedeploy:GetDeployment"))


def _task_definitions(content: str) -> Iterator[str]:
    try:
        yield from _values(json.loads(content))
    except ValueError:
        yield from (found["name"] for found in _NAMED.finditer(content))


def _values(part: object) -> Iterator[str]:
    if isinstance(part, dict):
        for name, value in part.items():
            if name == "TaskDefinition" and isinstance(value, str):
                yield value
            else:
                yield from _values(value)
    elif isinstance(part, list):
        for item in part:
            yield from _values(item)


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
