"""From a press to CodeDeploy having been told, at a steady pace, with a CodeDeploy that answers in 5 ms.

15 ms are wanted where the floor, sixteen at once, takes 6.3 ms: CodeDeploy's own 5, and 1.6 floors. Any machine is
asked for the same: what is left of the time after CodeDeploy's share, in floors of the same run.
"""

from collections.abc import Sequence
from statistics import median

from tests.bench.measured import Measured, quantile
from tests.bench.requests import approve_request
from tests.bench.scene import Scene

ROUNDS = 5
PRESSES = 25
A_SECOND = 20
FLOOR_REQUESTS = 192
FLOOR_AT_ONCE = 16
CODEDEPLOYS_OWN = 5.0
"""Milliseconds: what `Scene` makes the stand-in take for an answer."""

WANTED = (15 - CODEDEPLOYS_OWN) / 6.3
DEPLOYMENTS = "SELECT g.id::text, s.deployment_id FROM gates g JOIN switches s ON s.id = g.switch_id"
PUT = "PutLifecycleEventHookExecutionStatus"


def measure(scene: Scene) -> Sequence[Measured]:
    """Floor and presses in turn; the median of the rounds' ratios."""
    ratios, floors, all_took, acks = [], [], [], []
    for _ in range(ROUNDS):
        scene.waiting(
            PRESSES
        )  # what is missing is opened before the floor is measured, not between it and the presses
        scene.settle()
        floor = scene.floor(FLOOR_REQUESTS, at_once=FLOOR_AT_ONCE).p(0.5)
        took, ack = told(scene)
        ratios.append((quantile(took, 0.5) - CODEDEPLOYS_OWN) / floor)
        floors.append(floor)
        all_took += took
        acks.append(ack)
    seen = f"{quantile(all_took, 0.5):.1f} ms, ack {median(acks):.1f} ms, floor {median(floors):.1f} ms"
    return [
        Measured(
            name=f"press to CodeDeploy told, {A_SECOND}/s, p50 less its own 5 ms",
            value=median(ratios),
            wanted=round(WANTED, 2),
            unit="x",
            seen=seen,
        ),
        Measured(
            name=f"press to CodeDeploy told, {A_SECOND}/s, p99",
            value=quantile(all_took, 0.99),
            wanted=100,
            unit="ms",
        ),
    ]


def told(scene: Scene) -> tuple[list[float], float]:
    """Milliseconds from each press to CodeDeploy's answer, and the median until its ack.

    The time of each press is the load generator's, the time of each answer the stand-in's, on one clock.
    """
    gates = scene.waiting(PRESSES)
    deployments = dict(scene.rows(DEPLOYMENTS))
    heard_before = len(scene.aws.calls(PUT))
    load = scene.press([approve_request(*gate) for gate in gates], at_once=A_SECOND, rate=A_SECOND)
    scene.aws.wait_until(lambda: len(scene.aws.calls(PUT)) >= heard_before + PRESSES, timeout=60)
    heard = {
        call.params["deploymentId"]: call.when.timestamp() for call in scene.aws.calls(PUT)[heard_before:]
    }
    took = [
        1000 * (heard[deployments[gate]] - sent) for (gate, _, _), sent in zip(gates, load.sent, strict=True)
    ]
    return took, load.p(0.5)
