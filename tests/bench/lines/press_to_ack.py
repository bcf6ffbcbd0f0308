"""From a press to its ack: the decision is committed before Slack is answered."""

from collections.abc import Sequence
from statistics import median

from tests.bench.load import Load
from tests.bench.measured import Measured
from tests.bench.requests import approve_request
from tests.bench.scene import Scene

ROUNDS = 5
ALONE = 12
A_SECOND = 8
"""A press that comes alone: what it sets going is over before the next."""

CROWD = 48
CROWD_ROUNDS = 9
"""Such a round takes a fifth of a second: neighbours on the machine make one differ from the next by half."""

AT_ONCE = 16
RUSH = 20


def measure(scene: Scene) -> Sequence[Measured]:
    """One at a time, sixteen at once, twenty at once; floor and presses in turn."""
    _press(scene, 8, at_once=4)
    alone, rush = [], []
    for _ in range(ROUNDS):
        scene.settle()
        floor = scene.floor(ALONE, at_once=A_SECOND, rate=A_SECOND)
        presses = _press(scene, ALONE, at_once=A_SECOND, rate=A_SECOND)
        alone.append((presses.p(0.5) / floor.p(0.5), presses.p(0.5), floor.p(0.5)))
    for _ in range(ROUNDS):
        scene.settle()
        rush.append(_press(scene, RUSH, at_once=RUSH).p(0.99))
    crowd = [_crowd(scene) for _ in range(CROWD_ROUNDS)]
    ratio, mine, floors = map(median, zip(*alone, strict=True))
    cost, rate, rates = map(median, zip(*crowd, strict=True))
    return [
        Measured(
            name="press to ack, p50",
            value=ratio,
            wanted=2.5,
            unit="x",
            seen=f"{mine:.1f} ms, floor {floors:.1f} ms",
        ),
        Measured(
            name=f"cost of a press, {AT_ONCE} at once",
            value=cost,
            wanted=3,
            unit="x",
            seen=f"{rate:.0f}/s, floor {rates:.0f}/s",
        ),
        Measured(name=f"press to ack, {RUSH} at once, p99", value=median(rush), wanted=100, unit="ms"),
    ]


def _crowd(scene: Scene) -> tuple[float, float, float]:
    """What a press costs in floors, and the rates of both; the floor is the mean of before and after."""
    scene.settle()
    before = scene.floor(2 * CROWD, at_once=AT_ONCE).rate
    presses = _press(scene, CROWD, at_once=AT_ONCE).rate
    scene.settle()
    floor = (before + scene.floor(2 * CROWD, at_once=AT_ONCE).rate) / 2
    return floor / presses, presses, floor


def _press(scene: Scene, count: int, *, at_once: int, rate: float = 0) -> Load:
    requests = [approve_request(*gate) for gate in scene.waiting(count)]
    return scene.press(requests, at_once=at_once, rate=rate)
