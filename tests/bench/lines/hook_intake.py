"""Hook intake: from a signed hook to a committed gate, CodeDeploy asked on the way."""

from collections.abc import Sequence
from statistics import median

from tests.bench.measured import Measured
from tests.bench.scene import Scene

ROUNDS = 5
HOOKS = 64
AT_ONCE = 16


def measure(scene: Scene) -> Sequence[Measured]:
    """Floor and hooks in turn; the median of the rounds' ratios."""
    scene.floor(200, at_once=AT_ONCE)
    scene.open_gates(32, at_once=AT_ONCE)
    shares, rates, floors = [], [], []
    for _ in range(ROUNDS):
        scene.settle()
        floor = scene.floor(3 * HOOKS, at_once=AT_ONCE)
        hooks = scene.open_gates(HOOKS, at_once=AT_ONCE)
        shares.append(hooks.rate / floor.rate)
        rates.append(hooks.rate)
        floors.append(floor.rate)
    scene.settle()
    seen = f"{median(rates):.0f}/s, floor {median(floors):.0f}/s"
    return [
        Measured(
            name=f"hook intake, {AT_ONCE} at once",
            value=median(shares),
            wanted=0.35,
            unit="x",
            at="least",
            seen=seen,
        )
    ]
