"""One process at rest: its memory, and how soon it is ready on a migrated database."""

import time
from collections.abc import Sequence
from pathlib import Path
from statistics import median

from app.sandbox.replica import Replica
from tests.bench.environment import BenchEnvironment
from tests.bench.measurement import Measurement

STARTS = 3
REST = 3.0
"""Seconds that a started process is left alone before it is weighed."""


def measure(env: BenchEnvironment) -> Sequence[Measurement]:
    """Starts a second replica a few times."""
    took, weights = [], []
    for _ in range(STARTS):
        with Replica(env.environment(), log=env.folder / "starts.log") as replica:
            took.append(replica.wait_ready())
            time.sleep(REST)
            weights.append(resident_megabytes(replica.pid))
    seen = f"of {STARTS}: {', '.join(f'{one:.2f}' for one in took)} s"
    return [
        Measurement(name="start to /readyz", value=median(took), wanted=3, unit="s", seen=seen),
        Measurement(name="memory of one idle process", value=median(weights), wanted=180, unit="MB"),
    ]


def resident_megabytes(pid: int) -> float:
    """VmRSS."""
    status = Path(f"/proc/{pid}/status").read_text()
    (line,) = [line for line in status.splitlines() if line.startswith("VmRSS:")]
    return int(line.split()[1]) / 1024
