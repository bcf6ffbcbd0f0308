"""A deployer withdraws their own switch: CodeDeploy is told, and the card, the record and the metrics say by whom."""

import asyncio

from prometheus_client import REGISTRY

from app.sandbox.people import CHANNEL, GRACE, JUN, MINA, OLU, config_text
from app.sandbox.slack.delivery.answers import SubmitResult
from app.sandbox.slack.state.shapes import User, View
from tests.flow import outsiders
from tests.harness import Harness
from tests.slack.play import Build, wait_for_reply

BY_JUN = "v1.4.2: delivery fee\ngithub-actor=jun-lee"


async def say(harness: Harness, user: User, words: str) -> str:
    """What `/deploys withdraw …` answers; empty where a form opens instead."""
    said = await harness.slack.slash_async(user.id, CHANNEL.id, "/deploys", f"withdraw {words}".strip())
    assert said.ack.acked
    return said.message.text if said.message else ""


async def form(harness: Harness, user: User, words: str = "order") -> View:
    """The form that `/deploys withdraw …` opens."""
    assert await say(harness, user, words) == ""
    await harness.until(lambda: harness.slack.views.top(user.id))
    view = harness.slack.views.top(user.id)
    assert view is not None
    return view


async def withdraw(harness: Harness, user: User, reason: str = "") -> SubmitResult:
    shown = await form(harness, user)
    return await harness.slack.submit_async(user.id, shown.id, {"reason": reason} if reason else {})


async def test_who_deployed_withdraws_it_although_they_may_not_approve(harness: Harness) -> None:
    metric = ("switchgate_decisions_total", {"verdict": "withdrawn", "domain": "order"})
    before = REGISTRY.get_sample_value(*metric) or 0
    deployment, _ = await harness.open_gate("order", description=BY_JUN)
    await withdraw(harness, JUN, "wrong build")
    assert await harness.reported(deployment) == ["Failed"]
    await harness.until(lambda: harness.gate(deployment)["phase"] in {"reported", "closed"})
    gate = harness.gate(deployment)
    assert (gate["verdict"], gate["basis"], gate["decided_by"]) == ("withdrawn", None, JUN.id)
    assert (gate["reason"], gate["outcome"]) == ("wrong build", "acknowledged")
    await harness.until(lambda: f"*Withdrawn* by <@{JUN.id}>" in harness.card_text(deployment))
    assert "wrong build" in harness.card_text(deployment)
    assert "approve" not in harness.actions(deployment)
    (event,) = harness.rows("SELECT * FROM audit_events WHERE kind = 'gate_withdrawn'")
    assert (event["actor_kind"], event["actor"], event["detail"]) == (
        "person",
        JUN.id,
        {"reason": "wrong build"},
    )
    assert "gate_decided" not in harness.audit(deployment)
    assert REGISTRY.get_sample_value(*metric) == before + 1


async def test_the_cards_menu_offers_it_and_no_reason_need_be_given(harness: Harness) -> None:
    deployment, _ = await harness.open_gate("order", description=BY_JUN)
    await harness.press(OLU.id, deployment, "withdraw")
    await wait_for_reply(harness, OLU, f"<@{JUN.id}>")
    await harness.press(JUN.id, deployment, "withdraw")
    await harness.until(lambda: harness.slack.views.top(JUN.id))
    shown = harness.slack.views.top(JUN.id)
    assert shown is not None
    await harness.slack.submit_async(JUN.id, shown.id, {})
    assert await harness.reported(deployment) == ["Failed"]
    assert harness.gate(deployment)["verdict"] == "withdrawn"
    await harness.until(lambda: f"*Withdrawn* by <@{JUN.id}>" in harness.card_text(deployment))


async def test_nobody_withdraws_what_others_deployed(harness: Harness) -> None:
    deployment, _ = await harness.open_gate("order", description=BY_JUN)
    assert f"Only its deployer can withdraw order: <@{JUN.id}>" in await say(harness, OLU, "order")
    assert harness.gate(deployment)["phase"] == "awaiting"
    (event,) = harness.rows("SELECT * FROM audit_events WHERE kind = 'vote_denied'")
    assert event["detail"] == {"choice": "withdraw", "code": "not_the_deployer"}
    assert harness.slack.views.top(OLU.id) is None


async def test_a_form_that_was_opened_by_the_deployer_is_worth_nothing_to_others(harness: Harness) -> None:
    """Who withdraws is in Slack's signed payload, never in the form."""
    deployment, _ = await harness.open_gate("order", description=BY_JUN)
    other, _ = await harness.open_gate("payment", description="github-actor=olu-ade")
    shown = await form(harness, OLU, "payment")
    gate = harness.gate(deployment)
    shown.body["private_metadata"] = f"{gate['id']}.{gate['prompt_version']}"
    result = await harness.slack.submit_async(OLU.id, shown.id, {})
    assert "Only its deployer" in str(result.view and result.view.body)
    assert {harness.gate(one)["phase"] for one in (deployment, other)} == {"awaiting"}


async def test_what_was_decided_meanwhile_stands(harness: Harness) -> None:
    deployment, _ = await harness.open_gate("order", description=BY_JUN)
    shown = await form(harness, JUN)
    await harness.approve(OLU.id, deployment)
    assert await harness.reported(deployment) == ["Succeeded"]
    result = await harness.slack.submit_async(JUN.id, shown.id, {"reason": "wrong build"})
    assert f"<@{OLU.id}>" in str(result.view and result.view.body)
    assert harness.gate(deployment)["verdict"] == "approved"


async def test_a_withdrawal_and_an_approval_at_once_make_one_decision(harness: Harness) -> None:
    deployment, card = await harness.open_gate("order", description=BY_JUN)
    shown = await form(harness, JUN)
    await asyncio.gather(
        harness.slack.submit_async(JUN.id, shown.id, {}),
        harness.slack.press_async(OLU.id, card.channel, card.ts, "approve"),
    )
    expected = {"approved": "Succeeded", "withdrawn": "Failed"}[harness.gate(deployment)["verdict"]]
    assert await harness.reported(deployment) == [expected]
    kinds = harness.audit(deployment)
    assert kinds.count("gate_decided") + kinds.count("gate_withdrawn") == 1


async def test_a_press_after_a_withdrawal_learns_who_withdrew(harness: Harness) -> None:
    deployment, card = await harness.open_gate("order", description=BY_JUN)
    await withdraw(harness, JUN)
    await harness.slack.press_async(
        OLU.id, card.channel, card.ts, "approve", value=_value(harness, deployment)
    )
    await wait_for_reply(harness, OLU, f"<@{JUN.id}> already withdrew order")


def _value(harness: Harness, deployment: str) -> str:
    gate = harness.gate(deployment)
    return f"{gate['id']}.{gate['prompt_version']}"


async def test_frozen_blocked_and_own_by_policy_make_no_difference(build: Build) -> None:
    config = config_text(order='own_deployment = true\nrequired_checks = ["smoke"]\n')
    async with build(config=config) as harness:
        deployment = await harness.deploy("order", description=BY_JUN)
        await harness.until(lambda: "smoke" in harness.card_text(deployment))
        await harness.slack.slash_async(GRACE.id, CHANNEL.id, "/deploys", "freeze order for 1h inventory")
        await withdraw(harness, JUN)
        assert await harness.reported(deployment) == ["Failed"]


async def test_what_codedeploy_holds_instead_is_shown(harness: Harness) -> None:
    deployment, _ = await harness.open_gate("order", description=BY_JUN)
    shown = await form(harness, JUN)
    await outsiders.answers(harness, deployment, "Succeeded")
    await harness.slack.submit_async(JUN.id, shown.id, {})
    await harness.until(lambda: harness.gate(deployment)["outcome"] == "conflict")
    assert harness.gate(deployment)["verdict"] == "withdrawn"
    await harness.until(lambda: f"<@{JUN.id}>" in harness.card_text(deployment))


async def test_the_command_says_what_is_missing(harness: Harness) -> None:
    for words in ("", "order payment"):
        assert "Usage: `/deploys withdraw order`" in await say(harness, OLU, words)
    assert "`/deploys 철회 order`" in await say(harness, MINA, "")
    assert "did you mean order?" in await say(harness, OLU, "ordr")
    assert "in order" in await say(harness, OLU, "order")  # nothing waits there
