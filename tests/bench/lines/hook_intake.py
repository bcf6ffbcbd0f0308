"""Hook intake: from a signed hook to a committed gate, CodeDeploy asked on the way."""

from collections.abc import Sequence
from itertools import pairwise
from statistics import median

from tests.bench.measured import Measured
from tests.bench.scene import Scene

ROUNDS = 7
HOOKS = 64
AT_ONCE = 16


def measure(scene: Scene) -> Sequence[Measured]:
    """Floor and hooks in turn; the median of the rounds' ratios, each to the floor before it and after it."""
    scene.floor(200, at_once=AT_ONCE)
    scene.open_gates(32, at_once=AT_ONCE)
    rates, floors = [], [_floor(scene)]
    for _ in range(ROUNDS):
        rates.append(scene.open_gates(HOOKS, at_once=AT_ONCE).rate)
        floors.append(_floor(scene))
    around = [(before + after) / 2 for before, after in pairwise(floors)]
    return [
        Measured(
            name=f"hook intake, {AT_ONCE} at once",
            value=median(rate / floor for rate, floor in zip(rates, around, strict=True)),
            wanted=0.35,
            unit="x",
            at="least",
            seen=f"{median(rates):.0f}/s, floor {median(floors):.0f}/s",
        )
    ]


def _floor(scene: Scene) -> float:
    scene.settle()
    return scene.floor(3 * HOOKS, at_once=AT_ONCE).rate
