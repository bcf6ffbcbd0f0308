"""After the approval: the card shows the switch until it ends, however it ends."""

import asyncio
from typing import Final

from app.sandbox.aws.state.topology import SandboxDomain
from app.sandbox.people import MINA
from tests.harness import Harness

CANARY: Final = "CodeDeployDefault.ECSCanary10Percent5Minutes"


async def approved(harness: Harness, domain: str = "order", **how: str) -> str:
    """A switch that Mina approved."""
    deployment, _ = await harness.open_gate(domain, **how)
    await harness.approve(MINA.id, deployment)
    assert await harness.reported(deployment) == ["Succeeded"]
    return deployment


async def test_a_canary_goes_from_ten_percent_to_the_end_of_blue(harness: Harness) -> None:
    deployment = await approved(harness, config=CANARY)

    harness.aws.advance_until(lambda: harness.aws.share("order")["green"] == 10)
    await harness.until(lambda: "10% of traffic" in harness.card_text(deployment))
    assert "Next: 100% at about" in harness.card_text(deployment)
    harness.aws.clock.advance(5 * 60)
    await harness.until(lambda: "100% on green" in harness.card_text(deployment))
    assert "Rolling back takes seconds until" in harness.card_text(deployment)
    harness.aws.clock.advance(6 * 60)
    harness.clock.advance(minutes=6)
    await harness.until(lambda: "Completed" in harness.card_text(deployment))
    assert "takes minutes" in harness.card_text(deployment)
    assert harness.audit(deployment)[-4:] == [
        "report_acknowledged",
        "traffic_moved",
        "switched",
        "switch_ended",
    ]


async def test_a_stop_in_the_console_closes_a_waiting_card_and_says_so(harness: Harness) -> None:
    deployment, _ = await harness.open_gate("order")

    harness.aws.stop_deployment(deployment)
    harness.aws.clock.advance(5)
    harness.clock.advance(seconds=30)
    await harness.until(lambda: harness.gate(deployment)["phase"] == "closed")

    assert harness.gate(deployment)["verdict"] == "withdrawn"
    await harness.until(lambda: "stopped by a user" in harness.card_text(deployment))
    assert harness.actions(deployment) & {"approve", "reject", "undo"} == set()


async def test_an_alarm_after_the_switch_shows_its_rollback_until_blue_serves_again(harness: Harness) -> None:
    deployment = await approved(harness, config=CANARY)
    harness.aws.advance_until(lambda: harness.aws.share("order")["green"] == 10)
    await harness.until(lambda: "10% of traffic" in harness.card_text(deployment))

    harness.aws.set_alarm("order", "ALARM")
    harness.aws.clock.advance(5)
    harness.clock.advance(seconds=30)
    await harness.until(lambda: "rollback" in harness.card_text(deployment))
    rollback = harness.aws.deployment(deployment).rollback_id
    assert rollback is not None
    assert await harness.reported(rollback) == ["Succeeded"]
    harness.aws.advance_until(lambda: harness.aws.deployment(rollback).over)

    await harness.until(lambda: "Rolled back to blue" in harness.card_text(deployment))
    assert harness.aws.share("order") == {"blue": 100, "green": 0}
    assert "undo" not in harness.actions(deployment)


async def test_no_card_asks_while_another_says_that_it_was_rolled_back(harness: Harness) -> None:
    """The rollback's hook comes long before the waiting deployment would be polled again."""
    deployment, _ = await harness.open_gate("order")
    await harness.until(lambda: harness.table("switches")[0]["attempts"] == 0)
    harness.aws.set_alarm("order", "ALARM")
    harness.aws.advance_until(lambda: harness.aws.deployment(deployment).rollback_id is not None)
    rollback = harness.aws.deployment(deployment).rollback_id
    assert rollback is not None
    harness.aws.advance_until(
        lambda: bool(harness.aws.deployment(rollback).waits_for or harness.aws.answers(rollback))
    )
    assert harness.gate(deployment)["phase"] == "awaiting"

    await harness.reported(rollback)
    came = asyncio.get_running_loop().time()
    await harness.until(lambda: harness.gate(deployment)["phase"] == "closed")
    assert asyncio.get_running_loop().time() - came < 10, "not only at its next poll"
    await harness.until(lambda: not harness.actions(deployment) & {"approve", "reject"})


async def test_a_rollback_without_hooks_is_followed_all_the_same(harness: Harness) -> None:
    harness.aws.add_domain(SandboxDomain("bare", 7000, rollback_runs_hooks=False))
    harness.fakes.config_file.write_text(
        harness.fakes.config_file.read_text()
        + '\n[domains.bare]\napplication = "klp-logistics-bare-app"\n'
        + 'deployment_group = "klp-logistics-bare-dg"\n'
    )
    harness.reload_config()
    deployment = await approved(harness, "bare", config=CANARY)
    harness.aws.advance_until(lambda: harness.aws.share("bare")["green"] == 10)

    harness.aws.stop_deployment(deployment)
    harness.aws.advance_until(lambda: harness.aws.share("bare")["green"] == 0)
    harness.clock.advance(seconds=30)

    await harness.until(lambda: "Rolled back to blue" in harness.card_text(deployment))
