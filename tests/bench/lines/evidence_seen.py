"""From a hook to its gate's evidence in the record, one gate at a time."""

import time
from collections.abc import Sequence

from tests.bench.measured import Measured
from tests.bench.scene import Scene
from tests.patience import until

GATES = 5
UNSEEN = "SELECT count(*) FROM evidence WHERE seen IS NULL"


def measure(scene: Scene) -> Sequence[Measured]:
    """The slowest counts: people are reading the card already."""
    took = []
    for _ in range(GATES):
        scene.settle()
        began = time.monotonic()
        scene.open_gates(1, at_once=1)
        until(lambda: scene.rows(UNSEEN)[0][0] == 0)
        took.append(time.monotonic() - began)
    seen = ", ".join(f"{one:.2f}" for one in took)
    return [
        Measured(name=f"hook to evidence, worst of {GATES}", value=max(took), wanted=2, unit="s", seen=seen)
    ]
