"""ECS's side of the evidence: a service's task sets."""

from collections.abc import Mapping
from typing import Any

from app.flow.evidence_ports import PartUnread
from app.gate.evidence import Missing, Tasks, Why
from app.gate.sides import TaskSet


def task_sets_of(answer: Mapping[str, Any]) -> tuple[TaskSet, ...]:
    """DescribeServices's answer for one service. Raises `PartUnread` when ECS does not know it."""
    services = answer.get("services") or []
    if not services:
        raise PartUnread(Missing(why=Why.ABSENT, call="ecs:DescribeServices"))
    return tuple(_task_set(one) for one in services[0].get("taskSets") or [])


def _task_set(one: Mapping[str, Any]) -> TaskSet:
    balancers = one.get("loadBalancers") or []
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
        target_groups=tuple(each["targetGroupArn"] for each in balancers if each.get("targetGroupArn")),
        created_at=one.get("createdAt"),
    )
