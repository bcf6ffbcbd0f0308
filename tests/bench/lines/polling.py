"""The cost of polling many live switches at rest: processor time and calls to CodeDeploy."""

import os
import time
from collections.abc import Sequence
from pathlib import Path

from tests.bench.environment import BenchEnvironment
from tests.bench.measurement import Measurement

LIVE = 500
SETTLE_SECONDS = 30.0
WATCH_SECONDS = 30.0
STILL = "SELECT count(*) FROM switches WHERE ended_at IS NULL"
READS = ("GetDeployment", "BatchGetDeployments", "ListDeploymentTargets", "GetDeploymentTarget")


def measure(env: BenchEnvironment) -> Sequence[Measurement]:
    """Evidence is not collected meanwhile: only the polling of deployments is measured."""
    missing = LIVE - env.rows(STILL)[0][0]
    if missing > 0:
        env.open_gates(missing, at_once=8)
        env.settle()
    env.write("UPDATE evidence SET due_at = NULL")
    time.sleep(SETTLE_SECONDS)
    live = env.rows(STILL)[0][0]
    calls_before, spent_before = _calls(env), _processor_seconds(env.service.pid)
    time.sleep(WATCH_SECONDS)
    calls, spent = _calls(env) - calls_before, _processor_seconds(env.service.pid) - spent_before
    allowed = WATCH_SECONDS / 5 * live / 25
    return [
        Measurement(
            name=f"watching {live} live switches at rest, of one core",
            value=100 * spent / WATCH_SECONDS,
            wanted=5,
            unit="%",
        ),
        Measurement(
            name="its calls, against one per 5 s and 25 switches",
            value=calls / allowed,
            wanted=1,
            unit="x",
            seen=f"{calls} calls in {WATCH_SECONDS:.0f} s",
        ),
    ]


def _calls(env: BenchEnvironment) -> int:
    return sum(len(env.aws.calls(op)) for op in READS)


def _processor_seconds(pid: int) -> float:
    """User and system time of the process, from /proc/PID/stat."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
