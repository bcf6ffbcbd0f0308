"""Responses of ECS, the load balancer and CloudWatch -> the evidence model. Absent fields become empty."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from app.gate.evidence.blue_green import TaskSet
from app.gate.evidence.model import ABSENT, Alarm, Listener, Targets, Tasks
from app.gate.evidence.task_set_settings import TaskSetSettings


def task_sets_of(service: Mapping[str, Any]) -> tuple[TaskSet, ...]:
    """The task sets of one of DescribeServices's services."""
    return tuple(_task_set(one) for one in service.get("taskSets") or [])


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


def health_of(answer: Mapping[str, Any]) -> tuple[Targets, ...]:
    """DescribeTargetHealth's answer: each state with its commonest reason, and what is unchecked apart."""
    found: dict[tuple[str, bool], Counter[Targets]] = defaultdict(Counter)
    for target in answer.get("TargetHealthDescriptions") or []:
        health = target.get("TargetHealth") or {}
        one = Targets(
            state=str(health.get("State") or "unknown"),
            count=1,
            reason=str(health.get("Reason") or ""),
            description=str(health.get("Description") or ""),
        )
        found[(one.state, one.unchecked)][one] += 1
    return tuple(
        replace(counted.most_common(1)[0][0], count=counted.total()) for _, counted in sorted(found.items())
    )


def target_group_name(arn: str) -> str:
    """`targetgroup/NAME/0123…` -> NAME"""
    parts = arn.rpartition(":")[2].split("/")
    return parts[1] if len(parts) == 3 else arn


def listener_of(listener: Mapping[str, Any]) -> Listener:
    """One of DescribeListeners, with its default action; its rules are asked for apart."""
    return Listener(
        port=int(listener.get("Port") or 0),
        protocol=str(listener.get("Protocol") or ""),
        weights=_weights(listener.get("DefaultActions") or []),
        arn=str(listener.get("ListenerArn") or ""),
    )


def rules_of(answer: Mapping[str, Any]) -> tuple[tuple[tuple[str, int], ...], ...]:
    """DescribeRules's answer: where each rule beside the default one forwards to."""
    rules = [rule for rule in answer.get("Rules") or [] if not rule.get("IsDefault")]
    found = [_weights(rule.get("Actions") or []) for rule in rules]
    return tuple(weights for weights in found if weights)


def _weights(actions: Iterable[Mapping[str, Any]]) -> tuple[tuple[str, int], ...]:
    shares = [share for action in actions for share in _shares(action)]
    total = sum(weight for _, weight in shares) or 1
    return tuple((target_group_name(arn), _percent(weight, total)) for arn, weight in shares)


def _percent(weight: int, total: int) -> int:
    """However little traffic it is, it is not none."""
    return max(round(100 * weight / total), 1) if weight else 0


def _shares(action: Mapping[str, Any]) -> Iterator[tuple[str, int]]:
    """Where a forward action sends traffic: the weighted form, or the short one of a single group."""
    if action.get("Type") != "forward":
        return
    groups = (action.get("ForwardConfig") or {}).get("TargetGroups") or []
    if not groups and action.get("TargetGroupArn"):
        groups = [{"TargetGroupArn": action["TargetGroupArn"], "Weight": 1}]
    for group in groups:
        yield str(group["TargetGroupArn"]), int(group.get("Weight", 1))


def alarms_of(answer: Mapping[str, Any], names: Sequence[str]) -> tuple[Alarm, ...]:
    """DescribeAlarms's answer for these names, in their order; one that CloudWatch does not know is absent."""
    found = [*(answer.get("MetricAlarms") or []), *(answer.get("CompositeAlarms") or [])]
    known = {str(alarm["AlarmName"]): alarm for alarm in found}
    return tuple(_alarm(name, known.get(name)) for name in names)


def _alarm(name: str, alarm: Mapping[str, Any] | None) -> Alarm:
    if alarm is None:
        return Alarm(name=name, state=ABSENT)
    return Alarm(
        name=name,
        state=str(alarm.get("StateValue") or ""),
        reason=str(alarm.get("StateReason") or ""),
        since=alarm.get("StateTransitionedTimestamp") or alarm.get("StateUpdatedTimestamp"),
    )
