"""The health of green: findings from tasks, targets and alarms, the worst first."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar, Final

from app.gate.evidence.model import (
    ABSENT,
    Alarm,
    Evidence,
    GreenHealth,
    Missing,
    MissingReason,
    Targets,
    Tasks,
)


@dataclass(frozen=True, kw_only=True, slots=True)
class NoTasks:
    """Nothing runs on green."""

    name: ClassVar[str] = "no_tasks"
    desired: int


@dataclass(frozen=True, kw_only=True, slots=True)
class UnhealthyTargets:
    """Some targets are unhealthy."""

    name: ClassVar[str] = "unhealthy_targets"
    targets: Targets
    total: int


@dataclass(frozen=True, kw_only=True, slots=True)
class AlarmFiring:
    name: ClassVar[str] = "alarm_firing"
    alarm: Alarm


@dataclass(frozen=True, kw_only=True, slots=True)
class TooFewTasks:
    """Fewer tasks run than are wanted."""

    name: ClassVar[str] = "too_few_tasks"
    tasks: Tasks


@dataclass(frozen=True, kw_only=True, slots=True)
class NoTargets:
    """Tasks run, and none is registered with the load balancer."""

    name: ClassVar[str] = "no_targets"


@dataclass(frozen=True, kw_only=True, slots=True)
class NotSteady:
    """ECS is still moving tasks on green."""

    name: ClassVar[str] = "not_steady"


@dataclass(frozen=True, kw_only=True, slots=True)
class AlarmNotFound:
    """The deployment group names an alarm that does not exist."""

    name: ClassVar[str] = "alarm_not_found"
    alarm: Alarm


@dataclass(frozen=True, kw_only=True, slots=True)
class TargetsUnchecked:
    """Targets whose health the load balancer does not report (yet)."""

    name: ClassVar[str] = "targets_unchecked"
    targets: Targets
    total: int


@dataclass(frozen=True, kw_only=True, slots=True)
class EvidenceUnread:
    """A part that could not be read; `part` is its name in `Evidence.missing`."""

    name: ClassVar[str] = "unread"
    part: str
    missing: Missing


Finding = (
    NoTasks
    | UnhealthyTargets
    | AlarmFiring
    | TooFewTasks
    | NoTargets
    | NotSteady
    | AlarmNotFound
    | TargetsUnchecked
    | EvidenceUnread
)

_ORDER: Final[tuple[type[Finding], ...]] = (
    NoTasks,
    UnhealthyTargets,
    AlarmFiring,
    TooFewTasks,
    NoTargets,
    NotSteady,
    AlarmNotFound,
    TargetsUnchecked,
    EvidenceUnread,
)
_WORST: Final = ("unhealthy", "unhealthy.draining", "unused")
LEAVING: Final = "draining"
"""Targets that an earlier deployment left behind in the same target group."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Health:
    """`findings`: the worst first. Empty: green is healthy as far as the evidence shows."""

    findings: tuple[Finding, ...]

    @property
    def healthy(self) -> bool:
        return not self.findings

    @property
    def wrong(self) -> bool:
        """Whether a finding shows a problem, rather than something that could not be read."""
        return any(not isinstance(finding, TargetsUnchecked | EvidenceUnread) for finding in self.findings)


def health_of_green(evidence: Evidence) -> Health:
    """The state of green and of the alarms, as the evidence shows it."""
    return assess(evidence.health)


def assess(green: GreenHealth) -> Health:
    """The state of green and of the alarms."""
    found = [*_tasks(green), *_targets(green), *_alarms(green), *_unread(green)]
    return Health(findings=tuple(sorted(found, key=_rank)))


def _rank(finding: Finding) -> tuple[int, int]:
    within = 0
    if isinstance(finding, UnhealthyTargets):
        state = finding.targets.state
        within = _WORST.index(state) if state in _WORST else len(_WORST)
    return _ORDER.index(type(finding)), within


def _tasks(green: GreenHealth) -> Iterator[Finding]:
    tasks = green.tasks
    if isinstance(tasks, Missing):
        return
    if tasks.running == 0:
        yield NoTasks(desired=tasks.desired)
    elif tasks.running < tasks.desired:
        yield TooFewTasks(tasks=tasks)
    elif tasks.steady is False:
        yield NotSteady()


def _targets(green: GreenHealth) -> Iterator[Finding]:
    health, tasks = green.targets, green.tasks
    if isinstance(health, Missing):
        return
    staying = [one for one in health if one.state != LEAVING]
    total = sum(one.count for one in staying)
    for one in staying:
        if one.unchecked:
            yield TargetsUnchecked(targets=one, total=total)
        elif one.state != "healthy":
            yield UnhealthyTargets(targets=one, total=total)
    if total == 0 and not (isinstance(tasks, Tasks) and tasks.running == 0):
        yield NoTargets()


def _alarms(green: GreenHealth) -> Iterator[Finding]:
    if isinstance(green.alarms, Missing):
        return
    for alarm in green.alarms:
        if alarm.state == "ALARM":
            yield AlarmFiring(alarm=alarm)
        elif alarm.state == ABSENT:
            yield AlarmNotFound(alarm=alarm)


def _unread(green: GreenHealth) -> Iterator[Finding]:
    parts = {"tasks": green.tasks, "health": green.targets, "alarms": green.alarms}
    for part, found in parts.items():
        # No alarm is configured: that is known, not missing.
        if isinstance(found, Missing) and found.reason is not MissingReason.NONE:
            yield EvidenceUnread(part=part, missing=found)
