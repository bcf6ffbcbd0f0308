"""From a press to its ack: the decision is committed before Slack is answered."""

from collections.abc import Sequence
from statistics import median

from tests.bench.environment import BenchEnvironment
from tests.bench.load import Load
from tests.bench.measurement import Measurement
from tests.bench.requests import approve_request

ROUNDS = 5
ALONE = 12
A_SECOND = 8
"""A press that comes alone: what it sets going is over before the next."""

CROWD = 48
CROWD_ROUNDS = 9
"""Such a round takes a fifth of a second: other load on the machine makes rounds differ by half."""

AT_ONCE = 16
RUSH = 20


def measure(env: BenchEnvironment) -> Sequence[Measurement]:
    """One at a time, sixteen at once, twenty at once; baseline and presses alternate."""
    _press(env, 8, at_once=4)
    alone, rush = [], []
    for _ in range(ROUNDS):
        env.settle()
        baseline = env.baseline(ALONE, at_once=A_SECOND, rate=A_SECOND)
        presses = _press(env, ALONE, at_once=A_SECOND, rate=A_SECOND)
        alone.append((presses.p(0.5) / baseline.p(0.5), presses.p(0.5), baseline.p(0.5)))
    for _ in range(ROUNDS):
        env.settle()
        rush.append(_press(env, RUSH, at_once=RUSH).p(0.99))
    crowd = [_crowd(env) for _ in range(CROWD_ROUNDS)]
    ratio, mine, baselines = map(median, zip(*alone, strict=True))
    cost, rate, rates = map(median, zip(*crowd, strict=True))
    return [
        Measurement(
            name="press to ack, p50",
            value=ratio,
            wanted=2.5,
            unit="x",
            seen=f"{mine:.1f} ms, baseline {baselines:.1f} ms",
        ),
        Measurement(
            name=f"cost of a press, {AT_ONCE} at once",
            value=cost,
            wanted=3.5,
            unit="x",
            seen=f"{rate:.0f}/s, baseline {rates:.0f}/s",
        ),
        Measurement(name=f"press to ack, {RUSH} at once, p99", value=median(rush), wanted=100, unit="ms"),
    ]


def _crowd(env: BenchEnvironment) -> tuple[float, float, float]:
    """What a press costs in baselines, and the rates of both; the baseline is the mean of before and after."""
    env.settle()
    before = env.baseline(2 * CROWD, at_once=AT_ONCE).rate
    presses = _press(env, CROWD, at_once=AT_ONCE).rate
    env.settle()
    baseline = (before + env.baseline(2 * CROWD, at_once=AT_ONCE).rate) / 2
    return baseline / presses, presses, baseline


def _press(env: BenchEnvironment, count: int, *, at_once: int, rate: float = 0) -> Load:
    requests = [approve_request(*gate) for gate in env.waiting(count)]
    return env.press(requests, at_once=at_once, rate=rate)
