"""What is shown before deciding. Every part is a value, or a `Missing` that says why there is none."""

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Final

from app.gate.changes import Change, What, changed
from app.gate.commits import Commits
from app.gate.revision import Revision


class Why(StrEnum):
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

    why: Why
    call: str = ""

    @property
    def passes(self) -> bool:
        """Whether asking again soon may help by itself."""
        return self.why in {Why.THROTTLED, Why.SILENT, Why.FAILED, Why.ABSENT}


@dataclass(frozen=True, kw_only=True, slots=True)
class Tasks:
    """`steady` is None where it is not told."""

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
    """A production listener: percent of its default action by target group."""

    port: int
    protocol: str
    weights: tuple[tuple[str, int], ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Safety:
    """What CodeDeploy does by itself: on which events it rolls back, whether an alarm of the group stops the
    deployment, and how long blue is kept after."""

    rolls_back_on: tuple[str, ...]
    alarms_stop: bool
    blue_kept_minutes: int | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Side:
    """Blue or green. `task_definition` may be known although it could not be read."""

    task_set: str | None
    task_definition: str | None
    target_group: str | None
    weight: int | None
    revision: Revision | Missing
    tasks: Tasks | Missing
    health: tuple[Targets, ...] | Missing


@dataclass(frozen=True, kw_only=True, slots=True)
class Evidence:
    """All that was seen at one moment. `steady_since`: when CodeDeploy found green's tasks up and steady."""

    seen_at: datetime
    blue: Side
    green: Side
    changes: tuple[Change, ...] | Missing
    commits: Commits
    alarms: tuple[Alarm, ...] | Missing
    listeners: tuple[Listener, ...] | Missing
    safety: Safety | Missing
    steady_since: datetime | Missing

    @property
    def differences(self) -> tuple[Change, ...] | Missing:
        """What changes, the number of tasks included."""
        if isinstance(self.changes, Missing):
            return self.changes
        if isinstance(self.blue.tasks, Missing) or isinstance(self.green.tasks, Missing):
            return self.changes
        before, after = str(self.blue.tasks.desired), str(self.green.tasks.desired)
        return (*self.changes, *changed(What.TASKS, "desiredCount", before, after))

    @property
    def missing(self) -> dict[str, Missing]:
        """The parts that are not there, by name."""
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
        """Whether the two show the same, whenever they were seen."""
        return replace(self, seen_at=other.seen_at) == other
