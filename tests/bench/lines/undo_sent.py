"""From a submitted Undo to StopDeployment being answered, with a CodeDeploy that answers in 5 ms."""

from collections.abc import Sequence

from tests.bench.environment import BenchEnvironment
from tests.bench.measurement import Measurement, quantile
from tests.bench.requests import approve_request, undo_request
from tests.polling import until

UNDOS = 60
A_SECOND = 10
LET_THROUGH = """
SELECT count(*) FROM gates g JOIN switches s ON s.id = g.switch_id
WHERE g.outcome = 'acknowledged' AND s.ended_at IS NULL AND g.id::text = ANY(%s)
"""
DEPLOYMENTS = "SELECT g.id::text, s.deployment_id FROM gates g JOIN switches s ON s.id = g.switch_id"


def measure(env: BenchEnvironment) -> Sequence[Measurement]:
    """The time of each submission is the load generator's, that of each stop the stand-in's, on one clock."""
    gates = env.waiting(UNDOS)
    env.press([approve_request(*gate) for gate in gates], at_once=4)
    ids = [gate for gate, _, _ in gates]
    until(lambda: env.rows(LET_THROUGH, ids)[0][0] == UNDOS, timeout=120)
    env.settle()
    deployments = dict(env.rows(DEPLOYMENTS))
    requests = [undo_request(gate, prompt_version) for gate, prompt_version, _ in gates]
    load = env.press(requests, at_once=A_SECOND, rate=A_SECOND)
    env.aws.wait_until(lambda: len(env.aws.calls("StopDeployment")) >= UNDOS, timeout=60)
    answered_at = {
        call.params["deploymentId"]: call.when.timestamp() for call in env.aws.calls("StopDeployment")
    }
    took = [
        1000 * (answered_at[deployments[gate]] - sent)
        for (gate, _, _), sent in zip(gates, load.sent, strict=True)
    ]
    name = f"Undo to StopDeployment, {A_SECOND}/s, p99"
    seen = f"p50 {quantile(took, 0.5):.1f} ms"
    return [Measurement(name=name, value=quantile(took, 0.99), wanted=150, unit="ms", seen=seen)]
