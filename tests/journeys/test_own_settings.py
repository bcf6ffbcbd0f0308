"""What CodeDeploy does by itself is told of the deployment, where its group says otherwise."""

from app.sandbox.cast import MINA
from tests.house import House


async def test_the_deployments_own_settings_are_shown_and_promised(house: House) -> None:
    """It turned rollback and alarms off for itself, and its group was changed after it had been created."""
    deployment = await house.deploy(
        "order", autoRollbackConfiguration={"enabled": False}, overrideAlarmConfiguration={"enabled": False}
    )
    house.aws.change_group("order", termination_wait_minutes=90)
    seen = "SELECT seen -> 'safety' AS safety FROM evidence WHERE seen IS NOT NULL"
    await house.until(lambda: "approve" in house.actions(deployment) and house.rows(seen))

    assert house.rows(seen)[0]["safety"] == {
        "rolls_back_on": [],
        "alarms_stop": False,
        "blue_kept_minutes": 5,
    }
    await house.approve(MINA.id, deployment)
    assert await house.told(deployment) == ["Succeeded"]
    house.aws.play_until(lambda: house.aws.deployment(deployment).terminates_at is not None)
    await house.until(lambda: "Undo takes seconds until" in house.says(deployment))
    [switch] = house.table("switches")
    kept = switch["blue_until"] - switch["switched_at"]
    assert kept.total_seconds() == 5 * 60
