"""What is shown before deciding. Every part is a value, or a `Missing` that says why there is none."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Final

from app.gate.evidence.commits import Commits
from app.gate.evidence.revision import Revision
from app.gate.evidence.revision_diff import Change, ChangedPart, changed
from app.gate.evidence.task_set_settings import TaskSetSettings, settings_changes


class MissingReason(StrEnum):
    """Why a part could not be read."""

    DENIED = "denied"
    THROTTLED = "throttled"
    SILENT = "silent"
    FAILED = "failed"
    ABSENT = "absent"
    NONE = "none"


@dataclass(frozen=True, kw_only=True, slots=True)
class Missing:
    """A part that is not there. `call`: the AWS permission that reads it (`ecs:DescribeServices`)."""

    reason: MissingReason
    call: str = ""

    @property
    def passes(self) -> bool:
        """Whether a retry may succeed without a change by a person."""
        return self.reason in {
            MissingReason.THROTTLED,
            MissingReason.SILENT,
            MissingReason.FAILED,
            MissingReason.ABSENT,
        }


@dataclass(frozen=True, kw_only=True, slots=True)
class Tasks:
    """`steady` is None if it is not reported."""

    desired: int
    running: int
    pending: int
    steady: bool | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Targets:
    """So many targets in one of ELB's states, with the commonest reason for it."""

    state: str
    count: int
    reason: str = ""
    description: str = ""

    @property
    def unchecked(self) -> bool:
        """Whether the load balancer does not report (yet) if the target is healthy.

        `Target.NotInUse` has two meanings: no listener forwards to the target group, so nothing checks it, or the
        target's Availability Zone is not enabled, which is a mistake. The description distinguishes them.
        """
        if self.state in {"initial", "unavailable"}:
            return True
        out_of_zone = "availability zone" in self.description.lower()
        return self.state == "unused" and self.reason == "Target.NotInUse" and not out_of_zone


@dataclass(frozen=True, kw_only=True, slots=True)
class Alarm:
    """A CloudWatch alarm of the deployment group; `state` is ABSENT where there is no such alarm."""

    name: str
    state: str
    reason: str = ""
    since: datetime | None = None


ABSENT: Final = "ABSENT"


@dataclass(frozen=True, kw_only=True, slots=True)
class Listener:
    """A production listener: percent of its default action by target group. `rules` are its other rules that
    forward; None if they were not read."""

    port: int
    protocol: str
    weights: tuple[tuple[str, int], ...]
    arn: str = ""
    rules: tuple[tuple[tuple[str, int], ...], ...] | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Safety:
    """What CodeDeploy does by itself: on which events it rolls back, whether an alarm of the group stops the
    deployment, and how long blue is kept after."""

    rolls_back_on: tuple[str, ...]
    alarms_stop: bool
    blue_kept_minutes: int | None


@dataclass(frozen=True, kw_only=True, slots=True)
class TaskSetEvidence:
    """Blue or green. `task_definition` may be known although it could not be read."""

    task_set: str | None
    task_definition: str | None
    target_group: str | None
    weight: int | None
    revision: Revision | Missing
    tasks: Tasks | Missing
    health: tuple[Targets, ...] | Missing
    settings: TaskSetSettings | None = None
    """None: ECS does not report them."""


@dataclass(frozen=True, kw_only=True, slots=True)
class GreenHealth:
    """Green's tasks, its targets and the alarms of its deployment group, as read at one time."""

    collected_at: datetime
    tasks: Tasks | Missing
    targets: tuple[Targets, ...] | Missing
    alarms: tuple[Alarm, ...] | Missing

    def same_as(self, other: "GreenHealth") -> bool:
        """Whether the two are equal apart from the time of reading."""
        return replace(self, collected_at=other.collected_at) == other


@dataclass(frozen=True, kw_only=True, slots=True)
class Evidence:
    """Everything that was read at one time. `steady_since`: when CodeDeploy found green's tasks running and steady."""

    collected_at: datetime
    blue: TaskSetEvidence
    green: TaskSetEvidence
    changes: tuple[Change, ...] | Missing
    commits: Commits
    alarms: tuple[Alarm, ...] | Missing
    listeners: tuple[Listener, ...] | Missing
    safety: Safety | Missing
    steady_since: datetime | Missing
    succeeded_events: tuple[str, ...] = ()
    """Lifecycle events that CodeDeploy shows as `Succeeded`."""

    @property
    def differences(self) -> tuple[Change, ...] | Missing:
        """What changes: in the task definition, in the number of tasks, and in how the task sets run."""
        if isinstance(self.changes, Missing):
            return self.changes
        return (
            *self.changes,
            *self._number_of_tasks(),
            *settings_changes(self.blue.settings, self.green.settings),
        )

    def _number_of_tasks(self) -> Iterator[Change]:
        blue, green = self.blue.tasks, self.green.tasks
        if not isinstance(blue, Missing) and not isinstance(green, Missing):
            yield from changed(ChangedPart.TASKS, "desiredCount", str(blue.desired), str(green.desired))

    @property
    def health(self) -> GreenHealth:
        """The part of it that is green's health."""
        return GreenHealth(
            collected_at=self.collected_at,
            tasks=self.green.tasks,
            targets=self.green.health,
            alarms=self.alarms,
        )

    @property
    def missing(self) -> dict[str, Missing]:
        """The parts that could not be read, by name."""
        parts: dict[str, object] = {
            "changes": self.changes,
            "tasks": self.green.tasks,
            "health": self.green.health,
            "alarms": self.alarms,
            "listeners": self.listeners,
            "safety": self.safety,
            "steady_since": self.steady_since,
        }
        return {name: part for name, part in parts.items() if isinstance(part, Missing)}

    def same_as(self, other: "Evidence") -> bool:
        """Whether the two are equal apart from the time of reading."""
        return replace(self, collected_at=other.collected_at) == other
