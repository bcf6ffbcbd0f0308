"""What is learned after the card was posted reaches the card."""

from tests.house import House

CANARY = "CodeDeployDefault.ECSCanary10Percent5Minutes"


async def test_the_card_says_how_traffic_moves_once_that_can_be_asked(house: House) -> None:
    house.aws.faults.add("GetDeploymentConfig", "access_denied", times=None)
    deployment, _ = await house.ask("payment", config=CANARY)
    await house.until(lambda: house.aws.calls("GetDeploymentConfig"))
    assert "not known yet" in house.says(deployment)

    house.aws.faults.clear()
    house.clock.advance(minutes=1)

    await house.until(lambda: "10 % first, the rest after 5 min" in house.says(deployment))
    assert "not known yet" not in house.says(deployment)
