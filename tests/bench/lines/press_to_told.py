"""From a press to CodeDeploy having been told, at a steady pace, with a CodeDeploy that answers in 5 ms."""

from collections.abc import Sequence

from tests.bench.measured import Measured, quantile
from tests.bench.requests import approve_request
from tests.bench.scene import Scene

PRESSES = 100
A_SECOND = 20
DEPLOYMENTS = "SELECT g.id::text, s.deployment_id FROM gates g JOIN switches s ON s.id = g.switch_id"
PUT = "PutLifecycleEventHookExecutionStatus"


def measure(scene: Scene) -> Sequence[Measured]:
    """The time of each press is the load generator's, the time of each answer the stand-in's, on one clock."""
    gates = scene.waiting(PRESSES)
    scene.settle()
    deployments = dict(scene.rows(DEPLOYMENTS))
    heard_before = len(scene.aws.calls(PUT))
    requests = [approve_request(*gate) for gate in gates]
    load = scene.press(requests, at_once=A_SECOND, rate=A_SECOND)
    scene.aws.wait_until(lambda: len(scene.aws.calls(PUT)) >= heard_before + PRESSES, timeout=60)
    heard = {
        call.params["deploymentId"]: call.when.timestamp() for call in scene.aws.calls(PUT)[heard_before:]
    }
    took = [
        1000 * (heard[deployments[gate]] - sent) for (gate, _, _), sent in zip(gates, load.sent, strict=True)
    ]
    seen = f"ack p50 {load.p(0.5):.1f} ms"
    return [
        Measured(
            name=f"press to CodeDeploy told, {A_SECOND}/s, p50",
            value=quantile(took, 0.5),
            wanted=15,
            unit="ms",
            seen=seen,
        ),
        Measured(
            name=f"press to CodeDeploy told, {A_SECOND}/s, p99",
            value=quantile(took, 0.99),
            wanted=100,
            unit="ms",
        ),
    ]
