"""Hook intake: from a signed hook to a committed gate, CodeDeploy asked on the way."""

from collections.abc import Sequence
from itertools import pairwise
from statistics import median

from tests.bench.environment import BenchEnvironment
from tests.bench.measurement import Measurement

ROUNDS = 7
HOOKS = 64
AT_ONCE = 16
WANTED = 0.12
"""0.28 without the two reads that tell the lifecycle event: see docs/decisions/0007."""


def measure(env: BenchEnvironment) -> Sequence[Measurement]:
    """Baseline and hooks alternate; the median of the rounds' ratios, each to the baseline before it and after it."""
    env.baseline(200, at_once=AT_ONCE)
    env.open_gates(32, at_once=AT_ONCE)
    rates, baselines = [], [_baseline(env)]
    for _ in range(ROUNDS):
        rates.append(env.open_gates(HOOKS, at_once=AT_ONCE).rate)
        baselines.append(_baseline(env))
    around = [(before + after) / 2 for before, after in pairwise(baselines)]
    return [
        Measurement(
            name=f"hook intake, {AT_ONCE} at once",
            value=median(rate / baseline for rate, baseline in zip(rates, around, strict=True)),
            wanted=WANTED,
            unit="x",
            at="least",
            seen=f"{median(rates):.0f}/s, baseline {median(baselines):.0f}/s",
        )
    ]


def _baseline(env: BenchEnvironment) -> float:
    env.settle()
    return env.baseline(3 * HOOKS, at_once=AT_ONCE).rate
