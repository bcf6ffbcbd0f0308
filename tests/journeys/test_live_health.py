"""Green's health after the decision: on the card while blue runs, and the evidence stays as it was."""

from app.sandbox.people import MINA
from tests.harness import Harness
from tests.journeys.test_switch_lifecycle import CANARY


async def test_health_is_shown_live_until_the_deployment_ends(harness: Harness) -> None:
    deployment, _ = await harness.open_gate("order", config=CANARY)
    await harness.until(lambda: harness.table("evidence")[0]["seen"])
    await harness.approve(MINA.id, deployment)
    await harness.reported(deployment)
    (before,) = harness.table("evidence")
    await harness.until(lambda: "2/2 tasks" in harness.card_text(deployment))

    harness.aws.set_health("order", "green", "unhealthy", reason="Target.ResponseCodeMismatch")
    harness.clock.advance(seconds=10)
    await harness.until(lambda: "Target.ResponseCodeMismatch" in harness.card_text(deployment))
    assert harness.table("evidence")[0]["seen"] == before["seen"], "what was decided by stays"
    assert harness.table("evidence")[0]["seen_at"] == before["seen_at"]

    harness.aws.stop_deployment(deployment)
    harness.aws.advance_until(lambda: harness.aws.deployment(deployment).over)
    harness.clock.advance(seconds=30)
    await harness.until(lambda: harness.table("evidence")[0]["due_at"] is None)
    await harness.until(lambda: "Target.ResponseCodeMismatch" not in harness.card_text(deployment))
    assert "tasks" not in harness.card_text(deployment), "a green that is torn down is not unhealthy"


async def test_a_rejected_switch_is_not_watched(harness: Harness) -> None:
    deployment, _ = await harness.open_gate("order")
    await harness.until(lambda: harness.table("evidence")[0]["seen"])
    await harness.reject(MINA.id, deployment, "orders fail")
    await harness.reported(deployment)
    harness.clock.advance(seconds=30)
    await harness.until(lambda: harness.table("evidence")[0]["due_at"] is None)
    assert harness.table("evidence")[0]["live"] is None
