"""Somebody answers CodeDeploy directly: an unapproved switch is shown and polled, and can be undone."""

from collections.abc import Awaitable, Callable

import pytest
from prometheus_client import REGISTRY

from app.sandbox.people import CHANNEL, GRACE, MINA, OLU
from tests.flow import outsiders
from tests.harness import Harness, text_of
from tests.journeys.test_switch_lifecycle import CANARY
from tests.journeys.undo.test_undo import undo
from tests.slack.play import deploys, press_in

ELSEWHERE = "Answered outside Switchgate"
TENTH = "10% of traffic on green"


async def rejected_too_late(harness: Harness, config: str = CANARY) -> str:
    """Grace rejects what somebody has let through already."""
    deployment, _ = await harness.open_gate("order", config=config)
    await outsiders.answers(harness, deployment, "Succeeded")
    await harness.reject(GRACE.id, deployment, "orders fail")
    await harness.until(lambda: harness.gate(deployment)["outcome"] == "conflict")
    return deployment


async def answered_while_it_waits(harness: Harness, config: str = CANARY) -> str:
    """No decision is recorded, and the next evidence read shows the answer."""
    deployment, _ = await harness.open_gate("order", config=config)
    await harness.until(lambda: "Healthy:" in harness.card_text(deployment))
    await outsiders.answers(harness, deployment, "Succeeded")
    return deployment


async def goes_back(harness: Harness, deployment: str) -> None:
    """Undo is on the card, and brings traffic back to blue."""
    await harness.until(lambda: "undo" in harness.actions(deployment))
    assert (await undo(harness, OLU.id, deployment)).outcome == "closed"
    await harness.until(lambda: harness.aws.calls("StopDeployment"))
    harness.aws.advance_until(lambda: harness.aws.deployment(deployment).over)
    rollback = harness.aws.deployment(deployment).rollback_id
    assert rollback is not None
    assert await harness.reported(rollback) == ["Succeeded"]
    harness.aws.advance_until(lambda: harness.aws.deployment(rollback).over)
    await harness.until(lambda: "Rolled back to blue" in harness.card_text(deployment))
    assert harness.aws.share("order") == {"blue": 100, "green": 0}
    assert "undo" not in harness.actions(deployment)


async def test_a_rejection_that_came_too_late_is_followed_and_taken_back(harness: Harness) -> None:
    deployment = await rejected_too_late(harness)
    harness.aws.advance_until(lambda: harness.aws.share("order")["green"] == 10)
    await harness.until(lambda: TENTH in harness.card_text(deployment))
    said = harness.card_text(deployment)
    assert "recorded a different result: Succeeded" in said
    assert "orders fail" in said
    assert harness.gate(deployment)["verdict"] == "rejected"
    assert harness.rows("SELECT green_percent FROM switches WHERE deployment_id = %s", deployment) == [
        {"green_percent": 10}
    ]
    assert "traffic_moved" in harness.audit(deployment)
    await goes_back(harness, deployment)


async def test_a_waiting_gate_closes_truthfully_and_is_taken_back(harness: Harness) -> None:
    counted = REGISTRY.get_sample_value("switchgate_answered_elsewhere_total") or 0
    deployment = await answered_while_it_waits(harness)
    harness.aws.advance_until(lambda: harness.aws.share("order")["green"] == 10)
    harness.clock.advance(seconds=30)
    await harness.until(lambda: TENTH in harness.card_text(deployment))
    said = harness.card_text(deployment)
    assert ELSEWHERE in said
    assert "Approved" not in said
    assert "stays on blue" not in said
    assert harness.actions(deployment) & {"approve", "reject", "break_glass"} == set()
    gate = harness.gate(deployment)
    assert (gate["phase"], gate["verdict"], gate["outcome"]) == ("closed", "withdrawn", None)
    assert gate["outcome_detail"] == "Succeeded"
    kinds = harness.audit(deployment)
    assert kinds.count("gate_withdrawn") == 1
    assert kinds.index("gate_withdrawn") < kinds.index("traffic_moved")
    assert harness.aws.answers(deployment) == ["Succeeded"], "nobody here has told CodeDeploy anything"
    assert REGISTRY.get_sample_value("switchgate_answered_elsewhere_total") == counted + 1
    assert "answered outside Switchgate, not approved here" in text_of(await deploys(harness, OLU, "order"))
    await goes_back(harness, deployment)


@pytest.mark.parametrize("case", [rejected_too_late, answered_while_it_waits])
async def test_once_finished_the_previous_revision_can_be_deployed(
    harness: Harness, case: Callable[[Harness, str], Awaitable[str]]
) -> None:
    deployment = await case(harness, "CodeDeployDefault.ECSAllAtOnce")
    harness.clock.advance(seconds=30)
    await harness.until(lambda: "undo" in harness.actions(deployment))
    harness.aws.advance_until(lambda: harness.aws.deployment(deployment).over)
    harness.clock.advance(minutes=6)
    await harness.until(lambda: "Completed" in harness.card_text(deployment))
    assert "takes minutes" in harness.card_text(deployment)
    await harness.slack.slash_async(OLU.id, CHANNEL.id, "/deploys", "undo order")
    await harness.until(lambda: harness.slack.views.top(OLU.id) is not None)


async def test_a_stop_before_anybody_looked_still_says_where_traffic_stayed(harness: Harness) -> None:
    deployment = await answered_while_it_waits(harness)
    harness.aws.advance_until(lambda: harness.aws.share("order")["green"] == 10)
    harness.aws.stop_deployment(deployment, rollback=False)
    harness.aws.advance_until(lambda: harness.aws.deployment(deployment).over)
    assert harness.gate(deployment)["phase"] == "awaiting"
    harness.clock.advance(seconds=30)
    await harness.until(
        lambda: "10%" in harness.card_text(deployment) and "undo" in harness.actions(deployment)
    )
    assert ELSEWHERE in harness.card_text(deployment)
    assert harness.rows("SELECT green_percent FROM switches WHERE deployment_id = %s", deployment) == [
        {"green_percent": 10}
    ]


async def test_failed_from_elsewhere_ends_with_the_deployment_and_offers_no_undo(harness: Harness) -> None:
    deployment, _ = await harness.open_gate("order", config=CANARY)
    await outsiders.answers(harness, deployment, "Failed")
    harness.aws.advance_until(lambda: harness.aws.deployment(deployment).over)
    harness.clock.advance(seconds=30)
    await harness.until(lambda: harness.gate(deployment)["phase"] == "closed")
    await harness.until(lambda: "*Closed*" in harness.card_text(deployment))
    assert ELSEWHERE not in harness.card_text(deployment)
    assert harness.gate(deployment)["outcome_detail"] is None
    assert harness.actions(deployment) & {"approve", "reject", "undo"} == set()


@pytest.mark.parametrize("shown", [0, 3])
async def test_while_the_event_does_not_show_it_the_gate_goes_on_waiting(
    harness: Harness, shown: int
) -> None:
    """CodeDeploy's reads lag behind: `InProgress` is no answer, and a press finds out what it holds."""
    deployment, _ = await harness.open_gate("order", config=CANARY)
    harness.aws.faults.delay_endings(shown)
    harness.clock.advance(seconds=30)
    polls = len(harness.aws.calls("GetDeploymentTarget"))
    await harness.until(lambda: len(harness.aws.calls("GetDeploymentTarget")) > polls)
    assert harness.gate(deployment)["phase"] == "awaiting"
    await harness.approve(MINA.id, deployment)
    assert await harness.reported(deployment) == ["Succeeded"]
    await harness.until(lambda: harness.gate(deployment)["event_read_at"] is not None)
    assert harness.gate(deployment)["outcome"] == "acknowledged"


async def test_a_press_on_an_old_list_is_told_that_the_gate_was_answered_elsewhere(harness: Harness) -> None:
    deployment = await answered_while_it_waits(harness)
    listed = await deploys(harness, OLU)
    harness.clock.advance(seconds=30)
    await harness.until(lambda: harness.gate(deployment)["phase"] == "closed")
    await press_in(harness, listed, OLU, "approve")
    await harness.until(lambda: "outside Switchgate, so traffic moves to green" in harness.ephemerals(OLU.id))
