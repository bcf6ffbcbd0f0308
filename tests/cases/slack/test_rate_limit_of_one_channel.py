"""Slack limits posts by channel: a channel that is throttled delays no other."""

import pytest

from app.sandbox.people import CHANNEL, OLU, config_text
from app.sandbox.slack.state.shapes import Channel, Message
from tests.harness import Harness, text_of
from tests.slack.play import Build, opened

PAY = Channel(id="C02PAY", name="payments")
TWO_CHANNELS = config_text(payment=f'channel = "{PAY.id}"\n')


def card_in_pay(harness: Harness) -> Message | None:
    said = harness.slack.messages.in_channel(PAY.id)
    return next((message for message in said if message.by_app and not message.is_reply), None)


async def test_a_card_is_posted_at_once_while_another_channel_is_throttled(build: Build) -> None:
    async with build(config=TWO_CHANNELS) as harness:
        harness.slack.people.add(PAY)
        harness.slack.faults.ratelimit("chat.postMessage", retry_after=30, times=None, channel=CHANNEL.id)
        await opened(harness, "order")
        await harness.until(lambda: harness.slack.calls("chat.postMessage"))

        await opened(harness, "payment")

        await harness.until(lambda: card_in_pay(harness) is not None, 10)
        assert harness.cards() == []


@pytest.mark.parametrize("method", ["chat.update", "chat.postMessage"])
async def test_a_decision_is_shown_at_once_while_another_channel_is_throttled(
    build: Build, method: str
) -> None:
    async with build(config=TWO_CHANNELS) as harness:
        harness.slack.people.add(PAY)
        order, _ = await harness.open_gate("order")
        await opened(harness, "payment")
        await harness.until(
            lambda: card_in_pay(harness) is not None and "approve" in str(card_in_pay(harness))
        )
        harness.slack.faults.ratelimit(method, retry_after=30, times=None, channel=CHANNEL.id)
        await harness.approve(OLU.id, order)
        limited = "ratelimited"
        await harness.until(lambda: any(call.outcome == limited for call in harness.slack.calls(method)))

        card = card_in_pay(harness)
        assert card is not None
        await harness.slack.press_async(OLU.id, card.channel, card.ts, "approve")

        def shown() -> str:
            said = [text_of(one) for one in harness.slack.messages.in_channel(PAY.id)]
            return "\n".join(said)

        await harness.until(lambda: "pproved" in shown(), 15)
        if method == "chat.postMessage":
            await harness.until(lambda: "Sent to CodeDeploy" in shown(), 15)
