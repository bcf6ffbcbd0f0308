"""A rollback that somebody here asked for has no card of its own: the first card follows it, and its thread says so."""

import pytest

from app.sandbox.people import GRACE, OLU
from tests.harness import Harness
from tests.journeys.test_switch_lifecycle import CANARY, approved
from tests.journeys.test_timeline import thread_text
from tests.journeys.undo.test_undo import finished, undo

SIREN = ":rotating_light:"


async def rolled_back(harness: Harness, deployment: str) -> str:
    """CodeDeploy's rollback of the deployment, once it is over."""
    harness.aws.advance_until(lambda: harness.aws.deployment(deployment).rollback_id is not None)
    rollback = harness.aws.deployment(deployment).rollback_id or ""
    harness.clock.advance(seconds=30)
    assert await harness.reported(rollback) == ["Succeeded"]
    harness.aws.advance_until(lambda: harness.aws.deployment(rollback).over)
    harness.clock.advance(seconds=30)
    return rollback


async def in_canary(harness: Harness) -> str:
    deployment = await approved(harness, config=CANARY)
    harness.aws.advance_until(lambda: harness.aws.share("order")["green"] == 10)
    await harness.until(lambda: "10 %" in harness.card_text(deployment))
    return deployment


async def told(harness: Harness, deployment: str, *words: str) -> str:
    """The first card's thread, once it has these words; nothing else is in the channel."""
    await harness.until(lambda: all(word in thread_text(harness, deployment) for word in words))
    await harness.until(lambda: not any(row["due_at"] for row in harness.table("cards")))
    assert len(harness.cards()) == 1
    return thread_text(harness, deployment)


async def test_a_rejections_rollback_is_one_line_in_the_thread(harness: Harness) -> None:
    deployment, _ = await harness.open_gate("order")
    await harness.reject(OLU.id, deployment, "not today")
    await harness.reported(deployment)

    rollback = await rolled_back(harness, deployment)

    said = await told(harness, deployment, f"Rolled back by the deployment {rollback}")
    assert SIREN not in said
    assert said.count(rollback) == 2, "that it began, and how it ended"
    await harness.until(lambda: rollback in harness.card_text(deployment))
    assert "never left blue" in harness.card_text(deployment)
    assert SIREN not in harness.card_text(deployment)
    assert harness.audit(rollback)[:2] == ["gate_opened", "gate_decided"]


async def test_an_undo_while_blue_runs_stays_on_the_first_card(harness: Harness) -> None:
    deployment = await in_canary(harness)
    await undo(harness, OLU.id, deployment)
    await harness.until(lambda: harness.aws.calls("StopDeployment"))

    rollback = await rolled_back(harness, deployment)

    said = await told(harness, deployment, f"Rolled back by the deployment {rollback}")
    assert SIREN not in said
    assert said.count("Rolled back by") == 1


async def test_an_undo_by_a_redeployment_stays_on_the_first_card(harness: Harness) -> None:
    deployment = await finished(harness)
    await undo(harness, GRACE.id, deployment)
    await harness.until(lambda: harness.table("interventions")[0]["phase"] == "sent")
    again = harness.table("interventions")[0]["deployment_id"]

    await harness.advance_until(lambda: harness.aws.deployment(again).over)

    said = await told(harness, deployment, f"Rolled back by the deployment {again} in")
    assert f"Rolling back by the deployment {again}" in said
    assert SIREN not in said
    assert harness.gate(again)["shown_by"] == harness.gate(deployment)["id"]


@pytest.mark.parametrize("how", ["alarm", "console"])
async def test_a_rollback_that_nobody_here_asked_for_has_a_card(harness: Harness, how: str) -> None:
    deployment = await in_canary(harness)
    if how == "alarm":
        harness.aws.set_alarm("order", "ALARM")
    else:
        harness.aws.stop_deployment(deployment)
    harness.aws.clock.advance(5)

    rollback = await rolled_back(harness, deployment)

    await harness.until(lambda: len(harness.cards()) == 2)
    await harness.until(
        lambda: f"Rolled back by the deployment {rollback}" in thread_text(harness, deployment)
    )
    assert harness.gate(rollback)["shown_by"] is None


async def test_a_hook_before_the_answer_to_create_deployment_makes_no_card(harness: Harness) -> None:
    deployment = await finished(harness)
    harness.aws.faults.add("CreateDeployment", "drop_after_commit", times=1)
    harness.aws.faults.add("GetDeploymentGroup", "throttle", times=4)  # so that nobody finds it for a while

    await undo(harness, GRACE.id, deployment)
    await harness.until(lambda: len(harness.table("gates")) == 2)
    again = harness.aws.deployments("order")[-1].id
    assert harness.gate(again)["phase"] == "awaiting"
    await harness.until(lambda: not any(row["due_at"] for row in harness.table("cards")))
    assert len(harness.cards()) == 1

    harness.clock.advance(minutes=1)
    await harness.advance_until(lambda: harness.aws.answers(again) == ["Succeeded"])
    await harness.advance_until(lambda: harness.aws.deployment(again).over)
    await told(harness, deployment, f"Rolled back by the deployment {again} in")


async def test_an_outage_of_slack_delays_the_line_and_neither_loses_nor_doubles_it(harness: Harness) -> None:
    deployment, _ = await harness.open_gate("order")
    await harness.reject(OLU.id, deployment, "not today")
    await harness.reported(deployment)
    await told(harness, deployment, "not today")
    harness.slack.faults.lose_answer("chat.postMessage", times=2)

    rollback = await rolled_back(harness, deployment)

    await harness.until(lambda: any(row["last_error"] for row in harness.table("threads")))
    harness.clock.advance(minutes=2)
    said = await told(harness, deployment, f"Rolled back by the deployment {rollback}")
    assert said.count("Rolled back by") == 1
