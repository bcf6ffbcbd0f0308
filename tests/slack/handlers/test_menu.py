"""The menu of a card: each choice does what its button would."""

import pytest

from app.sandbox.people import GRACE, MINA, OLU
from app.slack.cards.overflow import MORE
from tests.harness import Harness, pressable
from tests.slack.play import TWO_APPROVALS, Build, block_actions, send, wait_for_reply


async def test_a_vote_is_withdrawn_by_the_menu(build: Build) -> None:
    async with build(config=TWO_APPROVALS, socket_mode=False) as harness:
        deployment, _ = await harness.open_gate("order")
        await harness.approve(OLU.id, deployment)
        await harness.until(lambda: "take_back" in harness.actions(deployment))
        card = harness.card(deployment)
        choice = pressable(card.shown.blocks)["take_back"]
        assert choice["action_id"] == MORE
        pressed = await harness.slack.press_async(
            OLU.id, card.channel, card.ts, MORE, value=choice["selected"]
        )
        assert pressed.ack.acked
        await harness.until(lambda: "vote_retracted" in harness.audit(deployment))
        await harness.until(lambda: "take_back" not in harness.actions(deployment))


async def test_a_link_in_the_menu_is_acknowledged(harness: Harness) -> None:
    deployment, _ = await harness.open_gate("order")
    pressed = await harness.press(MINA.id, deployment, "open_codedeploy")
    assert pressed.ack.acked
    assert harness.gate(deployment)["phase"] == "awaiting"


async def test_break_glass_in_the_menu_is_for_admins(build: Build) -> None:
    async with build(config=TWO_APPROVALS, socket_mode=False) as harness:
        deployment, _ = await harness.open_gate("order")
        harness.aws.set_health("order", "green", "unhealthy", reason="Target.Timeout")
        harness.clock.advance(seconds=20)
        await harness.until(lambda: "break_glass" in harness.actions(deployment))
        await harness.press(OLU.id, deployment, "break_glass")
        await wait_for_reply(harness, OLU, f"<@{GRACE.id}>")
        await harness.press(GRACE.id, deployment, "break_glass")
        await harness.until(lambda: harness.slack.views.top(GRACE.id) is not None)


@pytest.mark.parametrize("option", [{"value": "dance x"}, {"value": "no option of ours"}, {}])
async def test_a_choice_that_is_not_known_is_acknowledged_and_does_nothing(
    build: Build, option: dict[str, str]
) -> None:
    async with build(socket_mode=False) as harness:
        deployment, _ = await harness.open_gate("order")
        chosen = {"type": "overflow", "action_id": MORE, "block_id": "card.1", "selected_option": option}
        assert (await send(harness, block_actions(chosen)))[0] == 200
        assert harness.gate(deployment)["phase"] == "awaiting"
