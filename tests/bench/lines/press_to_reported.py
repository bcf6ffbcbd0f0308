"""From a press to the report at CodeDeploy, at a steady pace, with a CodeDeploy that answers in 5 ms.

The target is 15 ms where the baseline, sixteen at once, takes 6.3 ms: CodeDeploy's own 5, and 1.6 baselines. The
target on any machine is the same ratio: the time without CodeDeploy's share, in baselines of the same run.
"""

from collections.abc import Sequence
from statistics import median

from tests.bench.environment import BenchEnvironment
from tests.bench.measurement import Measurement, quantile
from tests.bench.requests import approve_request

ROUNDS = 5
PRESSES = 25
A_SECOND = 20
BASELINE_REQUESTS = 192
BASELINE_AT_ONCE = 16
CODEDEPLOYS_OWN = 5.0
"""Milliseconds: what `BenchEnvironment` makes the stand-in take for an answer."""

WANTED = (15 - CODEDEPLOYS_OWN) / 6.3
DEPLOYMENTS = "SELECT g.id::text, s.deployment_id FROM gates g JOIN switches s ON s.id = g.switch_id"
PUT = "PutLifecycleEventHookExecutionStatus"


def measure(env: BenchEnvironment) -> Sequence[Measurement]:
    """Baseline and presses alternate; the median of the rounds' ratios."""
    ratios, baselines, all_took, acks = [], [], [], []
    for _ in range(ROUNDS):
        env.waiting(
            PRESSES
        )  # what is missing is opened before the baseline is measured, not between it and the presses
        env.settle()
        baseline = env.baseline(BASELINE_REQUESTS, at_once=BASELINE_AT_ONCE).p(0.5)
        took, ack = press_to_reported(env)
        ratios.append((quantile(took, 0.5) - CODEDEPLOYS_OWN) / baseline)
        baselines.append(baseline)
        all_took += took
        acks.append(ack)
    seen = f"{quantile(all_took, 0.5):.1f} ms, ack {median(acks):.1f} ms, baseline {median(baselines):.1f} ms"
    return [
        Measurement(
            name=f"press to CodeDeploy told, {A_SECOND}/s, p50 less its own 5 ms",
            value=median(ratios),
            wanted=round(WANTED, 2),
            unit="x",
            seen=seen,
        ),
        Measurement(
            name=f"press to CodeDeploy told, {A_SECOND}/s, p99",
            value=quantile(all_took, 0.99),
            wanted=100,
            unit="ms",
        ),
    ]


def press_to_reported(env: BenchEnvironment) -> tuple[list[float], float]:
    """Milliseconds from each press to CodeDeploy's answer, and the median until its ack.

    The time of each press is the load generator's, the time of each answer the stand-in's, on one clock.
    """
    gates = env.waiting(PRESSES)
    deployments = dict(env.rows(DEPLOYMENTS))
    calls_before = len(env.aws.calls(PUT))
    load = env.press([approve_request(*gate) for gate in gates], at_once=A_SECOND, rate=A_SECOND)
    env.aws.wait_until(lambda: len(env.aws.calls(PUT)) >= calls_before + PRESSES, timeout=60)
    reported = {
        call.params["deploymentId"]: call.when.timestamp() for call in env.aws.calls(PUT)[calls_before:]
    }
    took = [
        1000 * (reported[deployments[gate]] - sent)
        for (gate, _, _), sent in zip(gates, load.sent, strict=True)
    ]
    return took, load.p(0.5)
