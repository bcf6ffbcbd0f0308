"""The main job."""

from app.sandbox.people import MINA, OLU
from tests.harness import Harness


async def test_an_approved_switch_moves_traffic_to_green(harness: Harness) -> None:
    deployment, _ = await harness.open_gate("order")

    await harness.approve(MINA.id, deployment)

    assert await harness.reported(deployment) == ["Succeeded"]
    harness.aws.advance_until(lambda: harness.aws.share("order")["green"] == 100)
    await harness.until(
        lambda: (
            "approved by" in harness.card_text(deployment) and "Succeeded" in harness.card_text(deployment)
        )
    )
    assert f"<@{MINA.id}>" in harness.card_text(deployment)
    assert harness.actions(deployment) & {"approve", "reject"} == set()
    assert harness.gate(deployment)["decided_by"] == MINA.id


async def test_a_rejected_switch_leaves_traffic_on_blue(harness: Harness) -> None:
    deployment, _ = await harness.open_gate("payment")

    await harness.reject(OLU.id, deployment, "checkout is broken on green")

    assert await harness.reported(deployment) == ["Failed"]
    harness.aws.advance_until(lambda: harness.aws.deployment(deployment).over)
    assert harness.aws.share("payment") == {"blue": 100, "green": 0}
    await harness.until(lambda: "checkout is broken on green" in harness.card_text(deployment))
    assert harness.gate(deployment)["verdict"] == "rejected"
