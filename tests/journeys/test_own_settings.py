"""Automatic rollback is shown as the deployment overrides it, not as its group sets it."""

from app.sandbox.people import MINA
from tests.harness import Harness


async def test_the_deployments_own_settings_are_shown_and_promised(harness: Harness) -> None:
    """It turned rollback and alarms off for itself, and its group was changed after it had been created."""
    deployment = await harness.deploy(
        "order", autoRollbackConfiguration={"enabled": False}, overrideAlarmConfiguration={"enabled": False}
    )
    harness.aws.change_group("order", termination_wait_minutes=90)
    seen = "SELECT seen -> 'safety' AS safety FROM evidence WHERE seen IS NOT NULL"
    await harness.until(lambda: "approve" in harness.actions(deployment) and harness.rows(seen))

    assert harness.rows(seen)[0]["safety"] == {
        "rolls_back_on": [],
        "alarms_stop": False,
        "blue_kept_minutes": 5,
    }
    await harness.approve(MINA.id, deployment)
    assert await harness.reported(deployment) == ["Succeeded"]
    harness.aws.advance_until(lambda: harness.aws.deployment(deployment).terminates_at is not None)
    await harness.until(lambda: "Rolling back takes seconds until" in harness.card_text(deployment))
    [switch] = harness.table("switches")
    kept = switch["blue_until"] - switch["switched_at"]
    assert kept.total_seconds() == 5 * 60
