"""Which task set is blue and which is green.

A deployment's target groups swap with every switch, so they cannot be used. ECS keeps the deployment's id on the task
set that was created for it (`externalId`); the first set of a service has none. CodeDeploy's labels may be missing.
The status comes last: the set that serves production is PRIMARY.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from app.gate.evidence.model import Tasks
from app.gate.evidence.task_set_settings import TaskSetSettings


@dataclass(frozen=True, kw_only=True, slots=True)
class TaskSet:
    """A task set as ECS has it; `target_groups` are ARNs."""

    id: str
    external_id: str | None
    status: str
    task_definition: str
    tasks: Tasks
    target_groups: tuple[str, ...]
    created_at: datetime | None
    settings: TaskSetSettings = TaskSetSettings()
    target_group: str | None = None
    """The name of the first of its target groups."""


@dataclass(frozen=True, kw_only=True, slots=True)
class TargetSet:
    """The same task set as CodeDeploy has it; `label` is Blue, Green or absent, `weight` percent of traffic."""

    id: str
    label: str | None
    status: str
    weight: int | None
    target_group: str | None
    tasks: Tasks


@dataclass(frozen=True, kw_only=True, slots=True)
class Pair:
    """Ids of the two sets; None: not known (yet)."""

    blue: str | None
    green: str | None


@dataclass(frozen=True, kw_only=True, slots=True)
class _Set:
    id: str
    status: str


def pair_of(
    deployment: str, *, task_sets: Sequence[TaskSet], target_sets: Sequence[TargetSet], shifted: bool
) -> Pair:
    """Blue and green of a deployment. `shifted`: production traffic has moved, so green is PRIMARY now."""
    known = _known(task_sets, target_sets)
    green = _owned(deployment, task_sets) or _labelled("Green", target_sets)
    blue = _labelled("Blue", target_sets)
    if green is None:
        green = _by_status([one for one in known if one.id != blue], primary=shifted)
    if blue is None or blue == green:
        others = [one for one in known if one.id != green]
        blue = _by_status(others, primary=True) or _by_status(others, primary=False)
    return Pair(blue=blue, green=green)


def _known(task_sets: Sequence[TaskSet], target_sets: Sequence[TargetSet]) -> list[_Set]:
    """Newest first, from ECS; from CodeDeploy if ECS has none."""
    if not task_sets:
        return [_Set(id=one.id, status=one.status) for one in target_sets]
    newest = sorted(
        task_sets, key=lambda one: one.created_at.timestamp() if one.created_at else 0.0, reverse=True
    )
    return [_Set(id=one.id, status=one.status) for one in newest]


def _owned(deployment: str, task_sets: Sequence[TaskSet]) -> str | None:
    return next((one.id for one in task_sets if one.external_id == deployment), None)


def _labelled(label: str, target_sets: Sequence[TargetSet]) -> str | None:
    return next((one.id for one in target_sets if one.label == label), None)


def _by_status(sets: Sequence[_Set], *, primary: bool) -> str | None:
    wanted = [one.id for one in sets if one.status != "DRAINING" and (one.status == "PRIMARY") is primary]
    return wanted[0] if wanted else None
