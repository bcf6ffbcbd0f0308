"""Data that is read after the card was posted is added to the card."""

from tests.harness import Harness

CANARY = "CodeDeployDefault.ECSCanary10Percent5Minutes"


async def test_the_card_says_how_traffic_moves_once_that_can_be_asked(harness: Harness) -> None:
    harness.aws.faults.add("GetDeploymentConfig", "access_denied", times=None)
    deployment, _ = await harness.open_gate("payment", config=CANARY)
    await harness.until(lambda: harness.aws.calls("GetDeploymentConfig"))
    assert "rollout unknown" in harness.card_text(deployment)

    harness.aws.faults.clear()
    harness.clock.advance(minutes=1)

    await harness.until(lambda: "canary: 10%, then the rest after 5 min" in harness.card_text(deployment))
    assert "rollout unknown" not in harness.card_text(deployment)
