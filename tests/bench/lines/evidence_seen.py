"""From a hook to its gate's evidence in the record, one gate at a time."""

import time
from collections.abc import Sequence

from tests.bench.environment import BenchEnvironment
from tests.bench.measurement import Measurement
from tests.polling import until

GATES = 5
UNSEEN = "SELECT count(*) FROM evidence WHERE seen IS NULL"


def measure(env: BenchEnvironment) -> Sequence[Measurement]:
    """The slowest counts: people are reading the card already."""
    took = []
    for _ in range(GATES):
        env.settle()
        began = time.monotonic()
        env.open_gates(1, at_once=1)
        until(lambda: env.rows(UNSEEN)[0][0] == 0)
        took.append(time.monotonic() - began)
    seen = ", ".join(f"{one:.2f}" for one in took)
    return [
        Measurement(
            name=f"hook to evidence, worst of {GATES}", value=max(took), wanted=2, unit="s", seen=seen
        )
    ]
