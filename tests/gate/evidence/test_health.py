"""The health of green: the worst finding first, an unread part is reported, and nothing is guessed."""

from typing import Any

import pytest

from app.gate.evidence.health import (
    AlarmFiring,
    AlarmNotFound,
    EvidenceUnread,
    NoTargets,
    NoTasks,
    NotSteady,
    TargetsUnchecked,
    TooFewTasks,
    UnhealthyTargets,
    health_of_green,
)
from app.gate.evidence.model import ABSENT, Alarm, Evidence, Missing, MissingReason, Targets, Tasks
from tests.gate.seen import evidence, side

DENIED = Missing(reason=MissingReason.DENIED, call="cloudwatch:DescribeAlarms")
RINGING = Alarm(name="order-5xx", state="ALARM", reason="12 > 5")
GONE = Alarm(name="deleted", state=ABSENT)


def tasks(desired: int, running: int, *, steady: bool | None = True) -> Tasks:
    return Tasks(desired=desired, running=running, pending=desired - running, steady=steady)


def targets(**states: int) -> tuple[Targets, ...]:
    return tuple(Targets(state=state, count=count) for state, count in states.items())


def green(**given: Any) -> Evidence:
    return evidence(green=side(**given))


UNHEALTHY = Targets(state="unhealthy", count=1, reason="Target.ResponseCodeMismatch")
INITIAL = Targets(state="initial", count=1)
UNAVAILABLE = Targets(state="unavailable", count=2, reason="Target.HealthCheckDisabled")
NOT_IN_USE = Targets(
    state="unused",
    count=2,
    reason="Target.NotInUse",
    description="Target group is not configured to receive traffic from the load balancer",
)
OUT_OF_ZONE = Targets(
    state="unused",
    count=2,
    reason="Target.NotInUse",
    description="Target is in an Availability Zone that is not enabled for the load balancer",
)

STATES = {
    "fit": (evidence(), []),
    "fit with no alarm configured": (evidence(alarms=Missing(reason=MissingReason.NONE)), []),
    "fit with an alarm without data": (
        evidence(alarms=(Alarm(name="a", state="INSUFFICIENT_DATA"),)),
        [],
    ),
    "fit beside targets that an earlier deployment left": (
        green(health=targets(healthy=2, draining=3)),
        [],
    ),
    "fit where CodeDeploy alone tells the tasks": (green(tasks=tasks(2, 2, steady=None)), []),
    "nothing runs": (green(tasks=tasks(2, 0), health=()), [NoTasks(desired=2)]),
    "nothing is wanted": (green(tasks=tasks(0, 0), health=()), [NoTasks(desired=0)]),
    "one task is short": (green(tasks=tasks(2, 1)), [TooFewTasks(tasks=tasks(2, 1))]),
    "not steady yet": (green(tasks=tasks(2, 2, steady=False)), [NotSteady()]),
    "the load balancer knows no target": (green(health=()), [NoTargets()]),
    "only targets that leave": (green(health=targets(draining=2)), [NoTargets()]),
    "one of two unhealthy": (
        green(health=(Targets(state="healthy", count=1), UNHEALTHY)),
        [UnhealthyTargets(targets=UNHEALTHY, total=2)],
    ),
    "the unhealthy before the new": (
        green(health=(INITIAL, UNHEALTHY)),
        [UnhealthyTargets(targets=UNHEALTHY, total=2), TargetsUnchecked(targets=INITIAL, total=2)],
    ),
    "no listener forwards to green yet": (
        green(health=(NOT_IN_USE,)),
        [TargetsUnchecked(targets=NOT_IN_USE, total=2)],
    ),
    "a zone that is not enabled": (
        green(health=(OUT_OF_ZONE,)),
        [UnhealthyTargets(targets=OUT_OF_ZONE, total=2)],
    ),
    "health checks are switched off": (
        green(health=(UNAVAILABLE,)),
        [TargetsUnchecked(targets=UNAVAILABLE, total=2)],
    ),
    "an alarm rings": (evidence(alarms=(RINGING,)), [AlarmFiring(alarm=RINGING)]),
    "an alarm that is not there": (evidence(alarms=(GONE,)), [AlarmNotFound(alarm=GONE)]),
    "alarms that may not be read": (evidence(alarms=DENIED), [EvidenceUnread(part="alarms", missing=DENIED)]),
    "the worst first": (
        evidence(
            green=side(tasks=tasks(3, 1), health=(UNHEALTHY,)),
            alarms=(GONE, RINGING),
        ),
        [
            UnhealthyTargets(targets=UNHEALTHY, total=1),
            AlarmFiring(alarm=RINGING),
            TooFewTasks(tasks=tasks(3, 1)),
            AlarmNotFound(alarm=GONE),
        ],
    ),
    "nothing could be read": (
        evidence(green=side(tasks=DENIED, health=DENIED), alarms=DENIED),
        [EvidenceUnread(part=part, missing=DENIED) for part in ("tasks", "health", "alarms")],
    ),
    "what was seen comes before what was not": (
        evidence(green=side(health=DENIED), alarms=(RINGING,)),
        [AlarmFiring(alarm=RINGING), EvidenceUnread(part="health", missing=DENIED)],
    ),
}


@pytest.mark.parametrize(("seen", "expected"), STATES.values(), ids=STATES)
def test_green_is(seen: Evidence, expected: list[object]) -> None:
    found = health_of_green(seen)
    assert list(found.findings) == expected
    assert found.healthy is not bool(expected)
    assert found.wrong is any(
        not isinstance(finding, TargetsUnchecked | EvidenceUnread) for finding in expected
    )


def test_evidence_seen_at_another_time_shows_the_same() -> None:
    one = evidence()
    assert one.same_as(evidence(collected_at=one.collected_at.replace(hour=6)))
    assert not one.same_as(evidence(alarms=(RINGING,)))


def test_missing_parts_are_named() -> None:
    seen = evidence(green=side(tasks=DENIED), alarms=Missing(reason=MissingReason.NONE))
    assert seen.missing == {"tasks": DENIED, "alarms": Missing(reason=MissingReason.NONE)}


@pytest.mark.parametrize(
    ("why", "passes"),
    [
        (MissingReason.DENIED, False),
        (MissingReason.NONE, False),
        (MissingReason.THROTTLED, True),
        (MissingReason.SILENT, True),
        (MissingReason.FAILED, True),
        (MissingReason.ABSENT, True),
    ],
)
def test_only_what_mends_itself_is_asked_again_soon(why: MissingReason, passes: bool) -> None:
    assert Missing(reason=why).passes is passes
