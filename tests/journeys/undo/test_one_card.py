"""A rollback that somebody here asked for has no card of its own: the first card follows it, and its thread says so."""

import pytest

from app.sandbox.people import CHANNEL, GRACE, OLU
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
    await harness.until(lambda: "10%" in harness.card_text(deployment))
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

    harness.clock.advance(minutes=2)
    said = await told(harness, deployment, f"Rolled back by the deployment {rollback}")
    assert said.count("Rolled back by") == 1


async def redeployed(harness: Harness, *, over: bool) -> tuple[str, str]:
    """A switch that a redeployment has rolled back, and that deployment. `over`: it has completed."""
    deployment = await finished(harness)
    await undo(harness, GRACE.id, deployment)
    await harness.until(lambda: harness.table("interventions")[0]["phase"] == "sent")
    again = harness.table("interventions")[0]["deployment_id"]
    await harness.advance_until(lambda: harness.aws.deployment(again).terminates_at is not None)
    await told(harness, deployment, "Rolled back by")
    if over:
        await harness.advance_until(lambda: harness.aws.deployment(again).over)
        harness.clock.advance(minutes=6)
        over_for_us = "SELECT 1 FROM switches WHERE deployment_id = %s AND ended_at IS NOT NULL"
        await harness.until(lambda: harness.rows(over_for_us, again))
    return deployment, again


async def return_by_command(harness: Harness) -> str:
    """Returns to the newer version; gives what the form said."""
    await harness.slack.slash_async(OLU.id, CHANNEL.id, "/deploys", "undo order")
    await harness.until(lambda: harness.slack.views.top(OLU.id) is not None)
    form = harness.slack.views.top(OLU.id)
    assert form is not None
    said = str(form.body)
    await harness.slack.submit_async(OLU.id, form.id, {"reason": "it was the database"})
    return said


async def test_a_return_in_the_bake_time_says_what_it_does_and_stays_on_the_first_card(
    harness: Harness,
) -> None:
    deployment, again = await redeployed(harness, over=False)

    said = await return_by_command(harness)

    assert "Return to newer version" in said
    assert f"{again} is the rollback" in said
    assert "within seconds" in said
    await harness.until(lambda: harness.aws.calls("StopDeployment"))
    rollback = await rolled_back(harness, again)
    thread = await told(harness, deployment, f"Returned to the newer version by the deployment {rollback}")
    assert "asked to return to the newer version: it was the database" in thread
    assert SIREN not in thread
    assert harness.gate(rollback)["returns"] is True
    assert harness.aws.share("order") == {"blue": 100, "green": 0}


async def test_a_return_after_the_end_redeploys_and_can_be_rolled_back_in_turn(harness: Harness) -> None:
    deployment, _ = await redeployed(harness, over=True)

    said = await return_by_command(harness)

    assert "takes *minutes*" in said
    assert "overrideAlarmConfiguration" in said
    await harness.until(lambda: harness.table("interventions")[-1]["phase"] == "sent")
    back = harness.aws.deployments("order")[-1].id
    await harness.advance_until(lambda: harness.aws.deployment(back).terminates_at is not None)
    await told(harness, deployment, f"Returned to the newer version by the deployment {back}")
    assert harness.gate(back)["shown_by"] == harness.gate(deployment)["id"]
    said = await return_by_command(harness)
    assert "returns to blue" in said


async def test_an_undo_that_fails_is_loud_on_the_first_card(harness: Harness) -> None:
    deployment = await finished(harness)
    await undo(harness, GRACE.id, deployment)
    await harness.until(lambda: harness.table("interventions")[0]["phase"] == "sent")
    again = harness.table("interventions")[0]["deployment_id"]
    await harness.until(lambda: harness.aws.answers(again))

    harness.aws.stop_deployment(again, rollback=False)
    harness.aws.clock.advance(5)
    harness.clock.advance(seconds=30)

    await harness.until(lambda: "Rollback failed" in thread_text(harness, deployment))
    assert SIREN in thread_text(harness, deployment)
    await harness.until(
        lambda: SIREN in harness.card_text(deployment) or "🚨" in harness.card_text(deployment)
    )
    assert len(harness.cards()) == 1
    assert "undo" in harness.actions(deployment)
