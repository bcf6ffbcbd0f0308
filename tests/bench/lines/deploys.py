"""`/deploys` while a thousand gates wait."""

from collections.abc import Sequence

from tests.bench.measured import Measured
from tests.bench.requests import deploys_request
from tests.bench.scene import Scene

PENDING = 1000
ASKED = 60


def measure(scene: Scene) -> Sequence[Measured]:
    """Asked again and again, one after the other."""
    scene.waiting(PENDING)
    scene.settle()
    requests = [deploys_request(response_url=f"{scene.slack.url}/response/none") for _ in range(ASKED)]
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
