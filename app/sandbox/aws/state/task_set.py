"""One set of tasks of a service: blue or green."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Health:
    """ELB's state of a target, its reason code and description (both empty when healthy)."""

    state: str = "healthy"
    reason: str = ""
    description: str = ""


@dataclass(eq=False)
class TaskSet:
    """`target_group` is 0 or 1 of the domain's pair; `status` PRIMARY, ACTIVE or DRAINING.

    `fields`: those of ECS's TaskSet that the AppSpec gave it, in ECS's own shape.
    """

    id: str
    target_group: int
    task_definition: str
    external_id: str | None
    desired: int
    created_at: float
    status: str
    running: int = 0
    fields: Mapping[str, Any] = field(default_factory=dict)
    health: Health = field(default_factory=Health)

    @property
    def steady(self) -> bool:
        return self.running == self.desired

    @property
    def pending(self) -> int:
        return 0 if self.status == "DRAINING" else self.desired - self.running
