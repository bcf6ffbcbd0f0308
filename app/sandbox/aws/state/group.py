"""One domain's ECS service: its task sets and the listener's weights, which decide about traffic."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import count
from typing import Any

from app.sandbox.aws.state.appspec import Revision
from app.sandbox.aws.state.deployment import Deployment
from app.sandbox.aws.state.task_set import TaskSet
from app.sandbox.aws.state.topology import SandboxDomain


@dataclass(eq=False)
class Alarm:
    """A CloudWatch alarm; times are stand-in seconds."""

    name: str
    state: str = "OK"
    reason: str = "Threshold Crossed: no datapoints were received for 1 period."
    updated_at: float = 0.0


@dataclass(eq=False)
class Group:
    """A deployment group with what it moves. `weights` are percents by target group (0 or 1) of the pair.

    `by_hand`: what somebody has written into the production listener since, percent by target group's name; CodeDeploy
    knows nothing of it and overwrites it when it moves traffic next. `rules_by_hand`: target groups that its other
    rules forward to. `task_set_fields`: for the next task set. `first_revision` deployed what the service runs at
    first; None: an AppSpec as pipelines send it.
    """

    domain: SandboxDomain
    alarm: Alarm
    task_sets: list[TaskSet] = field(default_factory=list)
    weights: list[int] = field(default_factory=lambda: [100, 0])
    test_target: int = 0
    moved: bool = False
    by_hand: dict[str, int] = field(default_factory=dict)
    rules_by_hand: tuple[str, ...] = ()
    task_set_fields: Mapping[str, Any] = field(default_factory=dict)
    deployments: list[Deployment] = field(default_factory=list)
    first_revision: Revision | None = None
    numbers: "count[int]" = field(default_factory=lambda: count(9_223_370_493_423_413_672, 1117))

    @property
    def primary(self) -> TaskSet:
        """The task set that ECS calls PRIMARY."""
        return next(task_set for task_set in self.task_sets if task_set.status == "PRIMARY")

    @property
    def live(self) -> Deployment | None:
        """The one deployment under way, if any."""
        last = self.deployments[-1] if self.deployments else None
        return None if last is None or last.over else last

    @property
    def current(self) -> Deployment | None:
        """The latest deployment that is not a rollback: what blue and green refer to."""
        return next((one for one in reversed(self.deployments) if one.rollback_of is None), None)

    def add_task_set(self, *, task_definition: str, external_id: str | None, at: float) -> TaskSet:
        """A second set on the free target group, after clearing away what an unfinished switch left."""
        if self.task_sets:
            primary = self.primary
            self.task_sets = [primary]
            self._settle(primary)
        free = 1 - self.primary.target_group if self.task_sets else 0
        new = TaskSet(
            id=f"ecs-svc/{next(self.numbers)}",
            target_group=free,
            task_definition=task_definition,
            external_id=external_id,
            desired=self.domain.desired_count,
            created_at=at,
            status="ACTIVE" if self.task_sets else "PRIMARY",
            fields=dict(self.task_set_fields),
        )
        self.task_sets.append(new)
        return new

    def route(self, task_set: TaskSet, percent: int) -> None:
        """Sends `percent` of production traffic to a set, the rest to the other target group."""
        self.moved, self.by_hand = True, {}
        self.weights[task_set.target_group] = percent
        self.weights[1 - task_set.target_group] = 100 - percent
        if percent == 100:
            for one in self.task_sets:
                one.status = "PRIMARY" if one is task_set else "ACTIVE"

    def _settle(self, primary: TaskSet) -> None:
        """What an unfinished switch left of a split goes; nothing is written where there is none."""
        if self.weights[primary.target_group] != 100:
            self.route(primary, 100)
        primary.status = "PRIMARY"

    def in_use(self, index: int) -> bool:
        """Whether some listener forwards to the target group; without weight counts, for ELB checks it too."""
        if self.domain.test_listener and self.test_target == index:
            return True
        if self.by_hand:
            return self.domain.target_groups[index] in {*self.by_hand, *self.rules_by_hand}
        return self.moved or bool(self.weights[index])

    def remove(self, task_set: TaskSet) -> None:
        if task_set in self.task_sets:
            self.task_sets.remove(task_set)

    def weight(self, task_set: TaskSet | None) -> int:
        """Percent of production traffic; a set that is gone has none."""
        if task_set is None or task_set not in self.task_sets:
            return 0
        return self.weights[task_set.target_group]

    def green_share(self) -> int:
        """Percent on green, as the current deployment names blue and green; 0 before there was one."""
        return self.weight(self.current.green) if self.current else 0
