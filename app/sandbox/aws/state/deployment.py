"""A deployment and its lifecycle events."""

from dataclasses import dataclass, field
from typing import Any, Final

from app.sandbox.aws.state.appspec import Revision
from app.sandbox.aws.state.task_set import TaskSet
from app.sandbox.aws.state.topology import SandboxDomain
from app.sandbox.aws.state.traffic import TrafficConfig

LIFECYCLE: Final = (
    "BeforeInstall",
    "Install",
    "AfterInstall",
    "AllowTestTraffic",
    "AfterAllowTestTraffic",
    "BeforeAllowTraffic",
    "AllowTraffic",
    "AfterAllowTraffic",
)
TEST_TRAFFIC: Final = frozenset({"AllowTestTraffic", "AfterAllowTestTraffic"})
OVER: Final = frozenset({"Succeeded", "Failed", "Stopped"})
ROLLBACK_CREATORS: Final = frozenset({"codeDeployRollback", "CloudFormationRollback"})


@dataclass(eq=False, slots=True)
class LifecycleEvent:
    """Times are stand-in seconds.

    For the next `unseen_reads` reads it still shows as Pending, for `unended_reads` as InProgress.
    """

    name: str
    status: str = "Pending"
    started_at: float | None = None
    ended_at: float | None = None
    unseen_reads: int = 0
    unended_reads: int = 0

    def begin(self, at: float) -> None:
        self.status = "InProgress"
        self.started_at = at

    def end(self, status: str, at: float) -> None:
        self.status = status
        self.ended_at = at
        self.unseen_reads = 0


@dataclass(frozen=True, slots=True)
class Failure:
    """`errorInformation`."""

    code: str
    message: str


@dataclass(eq=False)
class Deployment:
    """`timer` numbers the one thing it waits for, so that a timer of an earlier wait does nothing.

    `settings` are its group's as they were when it was created, but for what it overrides; `alarms`: its
    `overrideAlarmConfiguration`, if it was given one.
    `executions` maps a hook execution id to its lifecycle event; it is secret, so it never prints.
    """

    id: str
    domain: str
    config: TrafficConfig
    creator: str
    description: str
    revision: Revision
    previous_revision: Revision | None
    task_definition: str
    hooks: frozenset[str]
    events: list[LifecycleEvent]
    created_at: float
    settings: SandboxDomain
    termination_wait: float
    alarms: dict[str, Any] | None = None
    rollback_of: str | None = None
    unfound_reads: int = 0
    """For so many reads CodeDeploy does not know it yet."""
    status: str = "Created"
    started_at: float | None = None
    completed_at: float | None = None
    terminates_at: float | None = None
    hook_due_at: float | None = None
    blue: TaskSet | None = None
    green: TaskSet | None = None
    failure: Failure | None = None
    rollback_id: str | None = None
    stopping: bool = False
    timer: int = 0
    executions: dict[str, LifecycleEvent] = field(default_factory=dict, repr=False)
    answers: list[str] = field(default_factory=list)
    last_task_sets: list[dict[str, Any]] | None = None

    @property
    def over(self) -> bool:
        return self.status in OVER

    @property
    def alarm_stops(self) -> bool:
        """Whether the group's alarm stops this deployment."""
        if self.alarms is None:
            return self.settings.alarm_stops
        names = [alarm.get("name") for alarm in self.alarms.get("alarms") or []]
        return bool(self.alarms.get("enabled")) and self.settings.alarm in names

    @property
    def running_event(self) -> LifecycleEvent | None:
        return next((event for event in self.events if event.status == "InProgress"), None)

    @property
    def waits_for(self) -> str | None:
        """The lifecycle event whose hook has been called and not answered."""
        event = self.running_event
        return event.name if event is not None and event in self.executions.values() else None

    def event_after(self, event: LifecycleEvent) -> LifecycleEvent | None:
        place = self.events.index(event) + 1
        return self.events[place] if place < len(self.events) else None


def lifecycle(*, test_listener: bool) -> list[LifecycleEvent]:
    """Eight events, or six when there is no test listener."""
    return [LifecycleEvent(name) for name in LIFECYCLE if test_listener or name not in TEST_TRAFFIC]
