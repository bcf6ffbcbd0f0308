"""Two cards that people act on at once: traffic that moves while AWS refuses reads, and a rollback that failed."""

import re

from app.sandbox.people import MINA
from tests.harness import Harness
from tests.journeys.test_switch_lifecycle import approved
from tests.journeys.test_unreadable_traffic import refuse_reads

STATED_SHARE = re.compile(r"\d+% (on|of traffic)")


async def rolled_back_in_vain(harness: Harness, *, refused: str = "") -> str:
    """All traffic is on green, somebody stops the deployment, and CodeDeploy's rollback gets no answer to its hook."""
    deployment = await approved(harness)
    harness.aws.advance_until(lambda: harness.aws.share("order")["green"] == 100)
    await harness.until(lambda: "live" in harness.card_text(deployment))
    harness.aws.faults.lose_hooks()
    harness.aws.stop_deployment(deployment)
    harness.aws.advance_until(lambda: harness.aws.deployment(deployment).rollback_id is not None)
    rollback = harness.aws.deployment(deployment).rollback_id
    assert rollback is not None
    harness.clock.advance(seconds=30)
    await harness.until(lambda: "rolling back" in harness.card_text(deployment))
    if refused:
        harness.aws.faults.add(refused, "throttle", times=None)
    harness.aws.advance_until(lambda: harness.aws.deployment(rollback).over)
    assert harness.aws.share("order")["green"] == 100
    return deployment


async def test_a_card_says_unknown_while_traffic_moves_and_cannot_be_read(harness: Harness) -> None:
    deployment, _ = await harness.open_gate("order")
    refuse_reads(harness)
    await harness.approve(MINA.id, deployment)
    assert await harness.reported(deployment) == ["Succeeded"]
    harness.aws.advance_until(lambda: harness.aws.share("order")["green"] == 100)
    stated: set[str] = set()

    def states(words: str) -> bool:
        card = harness.card_text(deployment)
        stated.update(found.group() for found in STATED_SHARE.finditer(card))
        return words in card

    harness.clock.advance(seconds=55)
    await harness.until(lambda: states("traffic unknown"))
    harness.clock.advance(seconds=55)
    await harness.until(lambda: states("Traffic unknown"))
    assert stated == set(), "a share that was not read is stated by no card"
    harness.aws.faults.clear()
    await harness.until(lambda: states(": live"))
    assert "unknown" not in harness.card_text(deployment)


async def test_a_rollback_that_failed_says_where_traffic_stands(harness: Harness) -> None:
    deployment = await rolled_back_in_vain(harness)
    harness.clock.advance(seconds=30)
    await harness.until(lambda: "rollback failed" in harness.card_text(deployment))
    header = harness.card_text(deployment).splitlines()[1]
    assert header.startswith("🚨")
    assert "rollback failed, 100% on " in header


async def test_while_nobody_can_read_where_it_stands_the_card_says_so(harness: Harness) -> None:
    """Each part of what is read may fail alone: here it is the target, which has the traffic."""
    deployment = await rolled_back_in_vain(harness, refused="GetDeploymentTarget")
    harness.clock.advance(seconds=30)
    await harness.until(lambda: "rollback failed, traffic unknown" in harness.card_text(deployment))
    harness.aws.faults.clear()
    harness.clock.advance(seconds=30)
    await harness.until(lambda: "rollback failed, 100% on " in harness.card_text(deployment))
