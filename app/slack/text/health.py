"""The text of the health of green: problems, and what is healthy."""

from typing import assert_never

from app.gate.evidence.health import (
    LEAVING,
    AlarmFiring,
    AlarmNotFound,
    EvidenceUnread,
    Finding,
    NoTargets,
    NoTasks,
    NotSteady,
    TargetsUnchecked,
    TooFewTasks,
    UnhealthyTargets,
)
from app.gate.evidence.model import ABSENT, Evidence, GreenHealth, Missing, MissingReason, Targets, Tasks
from app.i18n.catalog import Texts
from app.slack.blocks import when
from app.slack.text.escape import inline
from app.slack.text.evidence import code, missing_text


def finding_text(finding: Finding, texts: Texts) -> str:
    """A problem of green, or a part that could not be read."""
    match finding:
        case NoTasks() | TooFewTasks() | NotSteady():
            return _tasks_finding(finding, texts)
        case UnhealthyTargets() | TargetsUnchecked() | NoTargets():
            return _targets_finding(finding, texts)
        case AlarmFiring() | AlarmNotFound():
            return _alarm_finding(finding, texts)
        case EvidenceUnread(part=part, missing=missing):
            return f"{texts(f'evidence.part.{part}')}: {missing_text(missing, texts)}"
        case _:
            assert_never(finding)


def reason_text(targets: Targets) -> str:
    """ELB's reason code and description."""
    if not targets.description:
        return inline(targets.reason, max_chars=80)
    return f"{inline(targets.reason, max_chars=80)} ({inline(targets.description, max_chars=120)})"


def tasks_text(tasks: Tasks, texts: Texts) -> str:
    """Running tasks of desired tasks."""
    return texts("evidence.health.tasks", running=tasks.running, desired=tasks.desired)


def healthy_lines(green: GreenHealth, texts: Texts) -> list[str]:
    """What is healthy; missing and unhealthy parts are left out."""
    return [*_tasks(green, texts), *_targets(green, texts), *_alarms(green, texts)]


def stable_lines(evidence: Evidence, texts: Texts) -> list[str]:
    """Since when green's tasks are stable, if that is known."""
    since = evidence.steady_since
    return [] if isinstance(since, Missing) else [texts("evidence.health.stable", at=when(since))]


def _tasks_finding(finding: NoTasks | TooFewTasks | NotSteady, texts: Texts) -> str:
    match finding:
        case NoTasks(desired=desired):
            return texts("evidence.finding.no_tasks", desired=desired)
        case TooFewTasks(tasks=tasks):
            return texts("evidence.finding.tasks_short", running=tasks.running, desired=tasks.desired)
        case NotSteady():
            return texts("evidence.finding.not_stable")
        case _:
            assert_never(finding)


def _targets_finding(finding: UnhealthyTargets | TargetsUnchecked | NoTargets, texts: Texts) -> str:
    if isinstance(finding, NoTargets):
        return texts("evidence.finding.no_targets")
    targets = finding.targets
    if isinstance(finding, TargetsUnchecked) and targets.state == "unused":
        return texts("evidence.finding.targets_unused")
    key = "targets_unchecked" if isinstance(finding, TargetsUnchecked) else "targets_unhealthy"
    return texts(
        f"evidence.finding.{key if targets.reason else f'{key}_bare'}",
        count=targets.count,
        total=finding.total,
        state=inline(targets.state, max_chars=40),
        reason=reason_text(targets),
    )


def _alarm_finding(finding: AlarmFiring | AlarmNotFound, texts: Texts) -> str:
    name = code(finding.alarm.name)
    if isinstance(finding, AlarmNotFound):
        return texts("evidence.finding.alarm_gone", name=name)
    return texts(
        "evidence.finding.alarm_firing", name=name, reason=inline(finding.alarm.reason, max_chars=120)
    )


def _tasks(green: GreenHealth, texts: Texts) -> list[str]:
    tasks = green.tasks
    if isinstance(tasks, Missing) or tasks.running < max(tasks.desired, 1):
        return []
    return [tasks_text(tasks, texts)]


def _targets(green: GreenHealth, texts: Texts) -> list[str]:
    health = green.targets
    staying = [] if isinstance(health, Missing) else [one for one in health if one.state != LEAVING]
    healthy = sum(one.count for one in staying if one.state == "healthy")
    total = sum(one.count for one in staying)
    return [texts("evidence.health.targets", count=healthy, total=total)] if healthy else []


def _alarms(green: GreenHealth, texts: Texts) -> list[str]:
    alarms = green.alarms
    if isinstance(alarms, Missing):
        return [texts("evidence.health.no_alarms")] if alarms.reason is MissingReason.NONE else []
    if any(alarm.state == "ALARM" for alarm in alarms):
        return []
    unsure = sum(alarm.state not in {"OK", ABSENT} for alarm in alarms)
    key = "alarms_without_data" if unsure else "no_alarms_firing"
    return [texts(f"evidence.health.{key}", count=unsure)]
