"""Builders of evidence for tests: a revision, its reading, blue or green, complete evidence."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from app.gate.evidence.commits import Commits
from app.gate.evidence.model import Alarm, Evidence, Safety, Targets, Tasks, TaskSetEvidence
from app.gate.evidence.revision import Container, FieldPath, Image, Revision, RevisionReading

AT = datetime(2026, 11, 24, 5, 0, tzinfo=UTC)
ECR = "123456789012.dkr.ecr.ap-northeast-2.amazonaws.com"


def container(name: str = "order", **given: Any) -> Container:
    image = given.pop("image", f"{ECR}/klp/{name}:2.3.0")
    values: dict[str, Any] = {
        "cpu": "0",
        "memory": "",
        "ports": ("8020/tcp",),
        "variables": ("LOG_LEVEL",),
        "secrets": ("DB_URL",),
    }
    return Container(name=name, image=Image.parse(image), **{**values, **given})


def revision(number: int = 41, *containers: Container, **given: Any) -> Revision:
    values: dict[str, Any] = {
        "arn": f"arn:aws:ecs:ap-northeast-2:123456789012:task-definition/order:{number}",
        "family": "order",
        "number": number,
        "cpu": "512",
        "memory": "1024",
        "task_role": "order-task",
        "registered_at": AT,
        "registered_by": "deploy-order",
        "containers": containers or (container(),),
        "tags": (),
    }
    return Revision(**{**values, **given})


def reading(
    number: int = 41,
    *containers: Container,
    digests: Mapping[tuple[str, str, str], str] | None = None,
    **given: Any,
) -> RevisionReading:
    """`digests`: (container, kind, name) -> any value; equal if the secret values are."""
    kept = {FieldPath(*spot): value.encode() for spot, value in (digests or {}).items()}
    return RevisionReading(revision=revision(number, *containers, **given), digests=kept)


def side(number: int = 42, **given: Any) -> TaskSetEvidence:
    values: dict[str, Any] = {
        "task_set": f"ecs-svc/{number}",
        "task_definition": f"order:{number}",
        "target_group": "order-green",
        "weight": 0,
        "revision": revision(number),
        "tasks": Tasks(desired=2, running=2, pending=0, steady=True),
        "health": (Targets(state="healthy", count=2),),
    }
    return TaskSetEvidence(**{**values, **given})


def evidence(*, green: TaskSetEvidence | None = None, **given: Any) -> Evidence:
    """A healthy green that changes nothing, unless the arguments say otherwise."""
    values: dict[str, Any] = {
        "collected_at": AT,
        "blue": replace(side(41), target_group="order-blue", weight=100),
        "green": green or side(),
        "changes": (),
        "commits": Commits(),
        "alarms": (Alarm(name="order-5xx", state="OK"),),
        "listeners": (),
        "safety": Safety(rolls_back_on=("DEPLOYMENT_FAILURE",), alarms_stop=True, blue_kept_minutes=5),
        "steady_since": AT,
    }
    return Evidence(**{**values, **given})
