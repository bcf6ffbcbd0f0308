"""ECS's side of the evidence: a service's task sets."""

from collections.abc import Mapping
from typing import Any

from app.aws.elb import target_group_name
from app.flow.ports.evidence import EvidenceUnavailable
from app.gate.evidence.blue_green import TaskSet
from app.gate.evidence.model import Missing, MissingReason, Tasks
from app.gate.evidence.task_set_settings import TaskSetSettings


def task_sets_of(answer: Mapping[str, Any]) -> tuple[TaskSet, ...]:
    """DescribeServices's answer for one service. Raises `EvidenceUnavailable` when ECS does not know it."""
    services = answer.get("services") or []
    if not services:
        raise EvidenceUnavailable(Missing(why=MissingReason.ABSENT, call="ecs:DescribeServices"))
    return tuple(_task_set(one) for one in services[0].get("taskSets") or [])


def _task_set(one: Mapping[str, Any]) -> TaskSet:
    balancers = one.get("loadBalancers") or []
    groups = tuple(each["targetGroupArn"] for each in balancers if each.get("targetGroupArn"))
    return TaskSet(
        id=str(one["id"]),
        external_id=one.get("externalId"),
        status=str(one.get("status") or ""),
        task_definition=str(one["taskDefinition"]),
        tasks=Tasks(
            desired=int(one.get("computedDesiredCount") or 0),
            running=int(one.get("runningCount") or 0),
            pending=int(one.get("pendingCount") or 0),
            steady=one.get("stabilityStatus") == "STEADY_STATE",
        ),
        target_groups=groups,
        target_group=target_group_name(groups[0]) if groups else None,
        created_at=one.get("createdAt"),
        settings=_settings(one),
    )


def _settings(one: Mapping[str, Any]) -> TaskSetSettings:
    network = (one.get("networkConfiguration") or {}).get("awsvpcConfiguration") or {}
    return TaskSetSettings(
        capacity=_capacity(one.get("capacityProviderStrategy") or []) or str(one.get("launchType") or ""),
        platform=str(one.get("platformVersion") or ""),
        platform_family=str(one.get("platformFamily") or ""),
        subnets=tuple(sorted(network.get("subnets") or [])),
        security_groups=tuple(sorted(network.get("securityGroups") or [])),
        assign_public_ip=str(network.get("assignPublicIp") or "DISABLED"),
        routes=tuple(sorted(_route(each) for each in one.get("loadBalancers") or [])),
        service_registries=tuple(sorted(_registry(each) for each in one.get("serviceRegistries") or [])),
        storage_key=str((one.get("fargateEphemeralStorage") or {}).get("kmsKeyId") or ""),
    )


def _capacity(strategy: list[Mapping[str, Any]]) -> str:
    """A single provider gets every task, whatever its weight: it reads like a launch type."""
    if len(strategy) == 1:
        return str(strategy[0]["capacityProvider"])
    return ", ".join(sorted(_share(each) for each in strategy))


def _share(each: Mapping[str, Any]) -> str:
    base = f" base {each['base']}" if each.get("base") else ""
    return f"{each['capacityProvider']} weight {each.get('weight') or 0}{base}"


def _route(balancer: Mapping[str, Any]) -> str:
    return f"{balancer.get('containerName', '?')}:{balancer.get('containerPort', '?')}"


def _registry(registry: Mapping[str, Any]) -> str:
    named = ("registryArn", "containerName", "containerPort", "port")
    return " ".join(str(registry.get(name, "")) for name in named)
