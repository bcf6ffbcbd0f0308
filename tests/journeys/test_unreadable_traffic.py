"""AWS refuses reads while traffic moves: the share is unknown and never wrong, and CodeDeploy's own time counts."""

from datetime import timedelta
from typing import Any, Final

from app.sandbox.people import MINA
from tests.harness import Harness
from tests.journeys.test_switch_lifecycle import CANARY, approved

READS: Final = ("GetDeployment", "BatchGetDeployments", "ListDeploymentTargets", "GetDeploymentTarget")


def refuse_reads(harness: Harness) -> None:
    """AWS throttles every read of a deployment from now on."""
    for read in READS:
        harness.aws.faults.add(read, "throttle", times=None)


def switch(harness: Harness, deployment: str) -> dict[str, Any]:
    (row,) = harness.rows("SELECT * FROM switches WHERE deployment_id = %s", deployment)
    return row


async def test_the_share_is_unknown_while_it_cannot_be_read_and_moves_on_unseen(harness: Harness) -> None:
    deployment = await approved(harness, config=CANARY)
    harness.aws.advance_until(lambda: harness.aws.share("order")["green"] == 10)
    await harness.until(lambda: switch(harness, deployment)["green_percent"] == 10)
    drawn = harness.gate(deployment)["version"]

    refuse_reads(harness)
    harness.aws.clock.advance(5 * 60)
    assert harness.aws.share("order")["green"] == 100
    harness.clock.advance(seconds=40)
    await harness.until(lambda: switch(harness, deployment)["traffic_unknown"])
    assert switch(harness, deployment)["switched_at"] is None
    assert harness.gate(deployment)["version"] > drawn, "its card is drawn without a new reading"

    harness.aws.faults.clear()
    await harness.until(lambda: switch(harness, deployment)["switched_at"])
    assert not switch(harness, deployment)["traffic_unknown"]


async def test_what_was_read_late_says_when_codedeploy_did_it(harness: Harness) -> None:
    deployment, _ = await harness.open_gate("order")
    refuse_reads(harness)
    await harness.approve(MINA.id, deployment)
    assert await harness.reported(deployment) == ["Succeeded"]
    harness.aws.advance_until(lambda: harness.aws.share("order")["green"] == 100)
    harness.clock.advance(seconds=55)
    harness.aws.faults.clear()

    await harness.until(lambda: switch(harness, deployment)["switched_at"])
    seen = switch(harness, deployment)
    moved = harness.aws.deployment(deployment).event("AllowTraffic").ended_at
    assert moved is not None
    assert abs(seen["switched_at"] - moved) < timedelta(milliseconds=5)
    assert seen["blue_until"] - seen["switched_at"] == timedelta(minutes=5)
    assert harness.clock() - seen["switched_at"] > timedelta(seconds=50)


async def test_where_a_stopped_deployment_left_its_traffic_is_read_until_aws_answers(
    harness: Harness,
) -> None:
    deployment = await approved(harness, config=CANARY)
    harness.aws.advance_until(lambda: harness.aws.share("order")["green"] == 10)
    await harness.until(lambda: switch(harness, deployment)["green_percent"] == 10)
    harness.aws.faults.add("GetDeploymentTarget", "throttle", times=None)
    harness.aws.stop_deployment(deployment, rollback=False)
    harness.aws.advance_until(lambda: harness.aws.deployment(deployment).over)

    await harness.until(lambda: switch(harness, deployment)["ended_at"])
    assert switch(harness, deployment)["traffic_unknown"]
    harness.aws.faults.clear()
    await harness.until(lambda: not switch(harness, deployment)["traffic_unknown"])
    assert switch(harness, deployment)["green_percent"] == 10
    harness.clock.advance(minutes=2)  # no rollback comes
    await harness.until(lambda: switch(harness, deployment)["due_at"] is None)
