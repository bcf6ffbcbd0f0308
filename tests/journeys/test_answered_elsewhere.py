"""Somebody answers CodeDeploy past us: traffic that nobody approved here is shown, followed and can be taken back."""

from collections.abc import Awaitable, Callable

import pytest
from prometheus_client import REGISTRY

from app.sandbox.cast import CHANNEL, GRACE, MINA, OLU
from tests.flow import outsiders
from tests.house import House, text_of
from tests.journeys.test_following import CANARY
from tests.journeys.test_undo import undo
from tests.slack.play import deploys, press_in

ELSEWHERE = "Answered elsewhere"
TENTH = "10 % of the traffic is on green"


async def rejected_too_late(house: House, config: str = CANARY) -> str:
    """Grace rejects what somebody has let through already."""
    deployment, _ = await house.ask("order", config=config)
    await outsiders.answers(house, deployment, "Succeeded")
    await house.reject(GRACE.id, deployment, "orders fail")
    await house.until(lambda: house.gate(deployment)["outcome"] == "contradicted")
    return deployment


async def answered_while_it_waits(house: House, config: str = CANARY) -> str:
    """Nobody here has decided, and the next look at the evidence shows the answer."""
    deployment, _ = await house.ask("order", config=config)
    await house.until(lambda: "Green looks fit" in house.says(deployment))
    await outsiders.answers(house, deployment, "Succeeded")
    return deployment


async def goes_back(house: House, deployment: str) -> None:
    """Undo is on the card, and brings traffic back to blue."""
    await house.until(lambda: "undo" in house.actions(deployment))
    assert (await undo(house, OLU.id, deployment)).outcome == "closed"
    await house.until(lambda: house.aws.calls("StopDeployment"))
    house.aws.play_until(lambda: house.aws.deployment(deployment).over)
    rollback = house.aws.deployment(deployment).rollback_id
    assert rollback is not None
    assert await house.told(rollback) == ["Succeeded"]
    house.aws.play_until(lambda: house.aws.deployment(rollback).over)
    await house.until(lambda: "Taken back to blue" in house.says(deployment))
    assert house.aws.share("order") == {"blue": 100, "green": 0}
    assert "undo" not in house.actions(deployment)


async def test_a_rejection_that_came_too_late_is_followed_and_taken_back(house: House) -> None:
    deployment = await rejected_too_late(house)
    house.aws.play_until(lambda: house.aws.share("order")["green"] == 10)
    await house.until(lambda: TENTH in house.says(deployment))
    said = house.says(deployment)
    assert "holds another answer: Succeeded" in said
    assert "orders fail" in said
    assert house.gate(deployment)["verdict"] == "rejected"
    assert house.rows("SELECT green_percent FROM switches WHERE deployment_id = %s", deployment) == [
        {"green_percent": 10}
    ]
    assert "traffic_moved" in house.audit(deployment)
    await goes_back(house, deployment)


async def test_a_waiting_gate_closes_truthfully_and_is_taken_back(house: House) -> None:
    counted = REGISTRY.get_sample_value("switchgate_answered_elsewhere_total") or 0
    deployment = await answered_while_it_waits(house)
    house.aws.play_until(lambda: house.aws.share("order")["green"] == 10)
    house.clock.advance(seconds=30)
    await house.until(lambda: TENTH in house.says(deployment))
    said = house.says(deployment)
    assert ELSEWHERE in said
    assert "Approved" not in said
    assert "stays on blue" not in said
    assert house.actions(deployment) & {"approve", "reject", "break_glass"} == set()
    gate = house.gate(deployment)
    assert (gate["phase"], gate["verdict"], gate["outcome"]) == ("closed", "withdrawn", None)
    assert gate["outcome_detail"] == "Succeeded"
    kinds = house.audit(deployment)
    assert kinds.count("gate_withdrawn") == 1
    assert kinds.index("gate_withdrawn") < kinds.index("traffic_moved")
    assert house.aws.answers(deployment) == ["Succeeded"], "nobody here has told CodeDeploy anything"
    assert REGISTRY.get_sample_value("switchgate_answered_elsewhere_total") == counted + 1
    assert "answered elsewhere, not approved here" in text_of(await deploys(house, OLU, "order"))
    await goes_back(house, deployment)


@pytest.mark.parametrize("case", [rejected_too_late, answered_while_it_waits])
async def test_once_finished_the_previous_revision_can_be_deployed(
    house: House, case: Callable[[House, str], Awaitable[str]]
) -> None:
    deployment = await case(house, "CodeDeployDefault.ECSAllAtOnce")
    house.clock.advance(seconds=30)
    await house.until(lambda: "undo" in house.actions(deployment))
    house.aws.play_until(lambda: house.aws.deployment(deployment).over)
    house.clock.advance(minutes=6)
    await house.until(lambda: "Finished" in house.says(deployment))
    assert "takes minutes" in house.says(deployment)
    await house.slack.slash_async(OLU.id, CHANNEL.id, "/deploys", "undo order")
    await house.until(lambda: house.slack.views.top(OLU.id) is not None)


async def test_a_stop_before_anybody_looked_still_says_where_traffic_stayed(house: House) -> None:
    deployment = await answered_while_it_waits(house)
    house.aws.play_until(lambda: house.aws.share("order")["green"] == 10)
    house.aws.stop_deployment(deployment, rollback=False)
    house.aws.play_until(lambda: house.aws.deployment(deployment).over)
    assert house.gate(deployment)["phase"] == "awaiting"
    house.clock.advance(seconds=30)
    await house.until(lambda: "10 %" in house.says(deployment) and "undo" in house.actions(deployment))
    assert ELSEWHERE in house.says(deployment)
    assert house.rows("SELECT green_percent FROM switches WHERE deployment_id = %s", deployment) == [
        {"green_percent": 10}
    ]


async def test_failed_from_elsewhere_ends_with_the_deployment_and_offers_no_undo(house: House) -> None:
    deployment, _ = await house.ask("order", config=CANARY)
    await outsiders.answers(house, deployment, "Failed")
    house.aws.play_until(lambda: house.aws.deployment(deployment).over)
    house.clock.advance(seconds=30)
    await house.until(lambda: house.gate(deployment)["phase"] == "closed")
    await house.until(lambda: "Withdrawn" in house.says(deployment))
    assert ELSEWHERE not in house.says(deployment)
    assert house.gate(deployment)["outcome_detail"] is None
    assert house.actions(deployment) & {"approve", "reject", "undo"} == set()


@pytest.mark.parametrize("shown", [0, 3])
async def test_while_the_event_does_not_show_it_the_gate_goes_on_waiting(house: House, shown: int) -> None:
    """CodeDeploy's reads lag behind: `InProgress` is no answer, and a press finds out what it holds."""
    deployment, _ = await house.ask("order", config=CANARY)
    house.aws.faults.delay_endings(shown)
    house.clock.advance(seconds=30)
    looks = len(house.aws.calls("GetDeploymentTarget"))
    await house.until(lambda: len(house.aws.calls("GetDeploymentTarget")) > looks)
    assert house.gate(deployment)["phase"] == "awaiting"
    await house.approve(MINA.id, deployment)
    assert await house.told(deployment) == ["Succeeded"]
    await house.until(lambda: house.gate(deployment)["event_read_at"] is not None)
    assert house.gate(deployment)["outcome"] == "told"


async def test_whoever_presses_on_an_old_list_hears_that_it_was_answered_elsewhere(house: House) -> None:
    deployment = await answered_while_it_waits(house)
    listed = await deploys(house, OLU)
    house.clock.advance(seconds=30)
    await house.until(lambda: house.gate(deployment)["phase"] == "closed")
    await press_in(house, listed, OLU, "approve")
    await house.until(lambda: "past this gate, so traffic moves to green" in house.whispered(OLU.id))
