"""What it costs to watch many live switches that stand still: processor time, and calls to CodeDeploy."""

import os
import time
from collections.abc import Sequence
from pathlib import Path

from tests.bench.measured import Measured
from tests.bench.scene import Scene

LIVE = 500
SETTLE_SECONDS = 30.0
WATCH_SECONDS = 30.0
STILL = "SELECT count(*) FROM switches WHERE ended_at IS NULL"
READS = ("GetDeployment", "BatchGetDeployments", "ListDeploymentTargets", "GetDeploymentTarget")


def measure(scene: Scene) -> Sequence[Measured]:
    """Evidence rests meanwhile: how often green is looked at is not the watcher's."""
    missing = LIVE - scene.rows(STILL)[0][0]
    if missing > 0:
        scene.open_gates(missing, at_once=8)
        scene.settle()
    scene.write("UPDATE evidence SET due_at = NULL")
    time.sleep(SETTLE_SECONDS)
    live = scene.rows(STILL)[0][0]
    calls_before, spent_before = _calls(scene), _processor_seconds(scene.service.pid)
    time.sleep(WATCH_SECONDS)
    calls, spent = _calls(scene) - calls_before, _processor_seconds(scene.service.pid) - spent_before
    allowed = WATCH_SECONDS / 5 * live / 25
    return [
        Measured(
            name=f"watching {live} live switches at rest, of one core",
            value=100 * spent / WATCH_SECONDS,
            wanted=5,
            unit="%",
        ),
        Measured(
            name="its calls, against one per 5 s and 25 switches",
            value=calls / allowed,
            wanted=1,
            unit="x",
            seen=f"{calls} calls in {WATCH_SECONDS:.0f} s",
        ),
    ]


def _calls(scene: Scene) -> int:
    return sum(len(scene.aws.calls(op)) for op in READS)


def _processor_seconds(pid: int) -> float:
    """User and system time of the process, from /proc/PID/stat."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
