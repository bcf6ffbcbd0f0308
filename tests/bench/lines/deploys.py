"""`/deploys` while a thousand gates wait."""

from collections.abc import Sequence

from tests.bench.measured import Measured
from tests.bench.requests import deploys_request
from tests.bench.scene import Scene

PENDING = 1000
ASKED = 60

SWITCHES = f"""
INSERT INTO switches (account, region, deployment_id, domain, application, deployment_group, creator, status,
                      first_seen_at, verified_at)
SELECT '123456789012', 'ap-northeast-2', 'd-waits' || n, 'd0000', 'app', 'dg', 'user', 'InProgress', now(), now()
FROM generate_series(1, {PENDING}) n
"""
GATES = """
INSERT INTO gates (id, switch_id, execution_hash, execution_id, hook_name, phase, opened_at, deadline_at)
SELECT gen_random_uuid(), id, deployment_id, 'x', 'BeforeAllowTraffic', 'awaiting', now(), now() + interval '55 minutes'
FROM switches WHERE deployment_id LIKE 'd-waits%'
"""
CARDS = """
INSERT INTO cards (gate_id, channel, ts, drawn_version)
SELECT g.id, 'C01DEPLOY', '1764000000.000100', 1 FROM gates g JOIN switches s ON s.id = g.switch_id
WHERE s.deployment_id LIKE 'd-waits%'
"""


def measure(scene: Scene) -> Sequence[Measured]:
    """The gates are written straight into the record, with nothing due: only the question is measured."""
    for statement in (SWITCHES, GATES, CARDS):
        scene.write(statement)
    scene.settle()
    requests = [deploys_request(response_url=f"{scene.slack.url}/response/none") for _ in range(ASKED)]
    scene.press(requests[:5], at_once=1)
    load = scene.press(requests, at_once=1)
    seen = f"p50 {load.p(0.5):.1f} ms"
    return [
        Measured(
            name=f"/deploys with {PENDING:,} pending, p99",
            value=load.p(0.99),
            wanted=100,
            unit="ms",
            seen=seen,
        )
    ]
