"""The traffic guard: what of live traffic and green's health holds an approval, and what does not."""

from typing import Any

import pytest

from app.gate.evidence.model import Evidence, Listener, Missing, MissingReason, Targets
from app.gate.rules.traffic_guard import blockers_in
from app.gate.rules.violations import ForeignTargetGroup, GreenReceivesTraffic, GreenUnhealthy
from tests.gate.seen import evidence, side

DENIED = Missing(reason=MissingReason.DENIED)
BLUE, GREEN = "order-blue", "order-green"
Shares = dict[str, int]


def listener(weights: Shares, *rules: Shares, read: bool = True) -> Listener:
    return Listener(
        port=8020,
        protocol="HTTP",
        weights=tuple(weights.items()),
        rules=tuple(tuple(rule.items()) for rule in rules) if read else None,
    )


def seen(weights: Shares, *rules: Shares, read: bool = True, **given: Any) -> Evidence:
    return evidence(listeners=(listener(weights, *rules, read=read),), **given)


def sick(*states: tuple[str, int]) -> Evidence:
    health = tuple(Targets(state=state, count=count) for state, count in states)
    return seen({BLUE: 100}, green=side(health=health))


def serves(percent: int) -> GreenReceivesTraffic:
    return GreenReceivesTraffic(port=8020, percent=percent)


def elsewhere(percent: int, *names: str) -> ForeignTargetGroup:
    return ForeignTargetGroup(port=8020, percent=percent, target_groups=names)


SEEN = {
    "all on blue": (seen({BLUE: 100}), []),
    "all on blue, both listed": (seen({BLUE: 100, GREEN: 0}), []),
    "all on green": (seen({GREEN: 100}), [serves(100)]),
    "a little on green": (seen({BLUE: 99, GREEN: 1}), [serves(1)]),
    "some elsewhere": (seen({BLUE: 60, "legacy": 40}), [elsewhere(40, "legacy")]),
    "some elsewhere, some on green": (
        seen({BLUE: 50, GREEN: 20, "a": 10, "b": 20}),
        [serves(20), elsewhere(30, "a", "b")],
    ),
    "elsewhere without weight": (seen({BLUE: 100, "legacy": 0}), []),
    "a rule forwards to blue": (seen({}, {BLUE: 100}), []),
    "a rule forwards to green": (seen({}, {BLUE: 100}, {GREEN: 100}), [serves(100)]),
    "a rule of somebody else": (seen({"default": 100}, {"other": 100}, {BLUE: 100}), []),
    "all elsewhere, and no rule knows the pair": (seen({"legacy": 100}), [elsewhere(100, "legacy")]),
    "all elsewhere, and the rules were not read": (seen({"legacy": 100}, read=False), []),
    "a fixed answer": (seen({}), []),
    "no listener is configured": (evidence(listeners=Missing(reason=MissingReason.NONE)), []),
    "the listener may not be read": (evidence(listeners=DENIED), []),
    "green is not known": (seen({GREEN: 100}, green=side(target_group=None)), []),
    "blue is not known": (seen({GREEN: 5, "legacy": 95}, blue=side(41, target_group=None)), [serves(5)]),
    "none healthy": (sick(("unhealthy", 2)), [GreenUnhealthy(unhealthy=2, total=2)]),
    "none healthy, one starting": (
        sick(("initial", 1), ("unhealthy", 1)),
        [GreenUnhealthy(unhealthy=1, total=2)],
    ),
    "one healthy": (sick(("healthy", 1), ("unhealthy", 5)), []),
    "unused": (sick(("unused", 2)), []),
    "starting": (sick(("initial", 2)), []),
    "leaving": (sick(("draining", 2), ("unhealthy.draining", 1)), []),
    "no target": (sick(), []),
    "health may not be read": (seen({BLUE: 100}, green=side(health=DENIED)), []),
}


@pytest.mark.parametrize(("found", "blockers"), SEEN.values(), ids=SEEN)
def test_an_approval_is_held_for(found: Evidence, blockers: list[object]) -> None:
    assert list(blockers_in(found, before_traffic=True)) == blockers


def test_after_traffic_has_moved_green_serves_as_it_should() -> None:
    assert blockers_in(seen({GREEN: 100}), before_traffic=False) == ()
    [rule] = blockers_in(sick(("unhealthy", 2)), before_traffic=False)
    assert isinstance(rule, GreenUnhealthy)
