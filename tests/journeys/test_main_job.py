"""The main job, as a play."""

from app.sandbox.cast import MINA, OLU
from tests.house import House


async def test_an_approved_switch_moves_traffic_to_green(house: House) -> None:
    deployment, _ = await house.ask("order")

    await house.approve(MINA.id, deployment)

    assert await house.told(deployment) == ["Succeeded"]
    house.aws.play_until(lambda: house.aws.share("order")["green"] == 100)
    await house.until(lambda: "Approved" in house.says(deployment) and "Succeeded" in house.says(deployment))
    assert f"<@{MINA.id}>" in house.says(deployment)
    assert house.actions(deployment) & {"approve", "reject"} == set()
    assert house.gate(deployment)["decided_by"] == MINA.id


async def test_a_rejected_switch_leaves_traffic_on_blue(house: House) -> None:
    deployment, _ = await house.ask("payment")

    await house.reject(OLU.id, deployment, "checkout is broken on green")

    assert await house.told(deployment) == ["Failed"]
    house.aws.play_until(lambda: house.aws.deployment(deployment).over)
    assert house.aws.share("payment") == {"blue": 100, "green": 0}
    await house.until(lambda: "checkout is broken on green" in house.says(deployment))
    assert house.gate(deployment)["verdict"] == "rejected"
