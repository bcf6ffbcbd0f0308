"""`/deploys` while a thousand gates wait."""

from collections.abc import Sequence

from tests.bench.environment import BenchEnvironment
from tests.bench.measurement import Measurement
from tests.bench.requests import deploys_request

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


def measure(env: BenchEnvironment) -> Sequence[Measurement]:
    """The gates are inserted into the database directly, with nothing due: only the query is measured."""
    for statement in (SWITCHES, GATES, CARDS):
        env.write(statement)
    env.settle()
    requests = [deploys_request(response_url=f"{env.slack.url}/response/none") for _ in range(ASKED)]
    env.press(requests[:5], at_once=1)
    load = env.press(requests, at_once=1)
    seen = f"p50 {load.p(0.5):.1f} ms"
    return [
        Measurement(
            name=f"/deploys with {PENDING:,} pending, p99",
            value=load.p(0.99),
            wanted=100,
            unit="ms",
            seen=seen,
        )
    ]
