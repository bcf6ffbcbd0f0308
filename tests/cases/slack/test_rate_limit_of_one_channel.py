"""Slack limits posts by channel: a channel that is throttled delays no other."""

import pytest

from app.sandbox.cast import CHANNEL, OLU, config_text
from app.sandbox.slack.shapes import Channel, Message
from tests.house import House, text_of
from tests.slack.play import Build, opened

PAY = Channel(id="C02PAY", name="payments")
TWO_CHANNELS = config_text(payment=f'channel = "{PAY.id}"\n')


def card_in_pay(house: House) -> Message | None:
    said = house.slack.messages.in_channel(PAY.id)
    return next((message for message in said if message.by_app and not message.is_reply), None)


async def test_a_card_is_posted_at_once_while_another_channel_is_throttled(build: Build) -> None:
    async with build(config=TWO_CHANNELS) as house:
        house.slack.people.add(PAY)
        house.slack.faults.ratelimit("chat.postMessage", retry_after=30, times=None, channel=CHANNEL.id)
        await opened(house, "order")
        await house.until(lambda: house.slack.calls("chat.postMessage"))

        await opened(house, "payment")

        await house.until(lambda: card_in_pay(house) is not None, 10)
        assert house.cards() == []


@pytest.mark.parametrize("method", ["chat.update", "chat.postMessage"])
async def test_a_decision_is_shown_at_once_while_another_channel_is_throttled(
    build: Build, method: str
) -> None:
    async with build(config=TWO_CHANNELS) as house:
        house.slack.people.add(PAY)
        order, _ = await house.ask("order")
        await opened(house, "payment")
        await house.until(lambda: card_in_pay(house) is not None and "approve" in str(card_in_pay(house)))
        house.slack.faults.ratelimit(method, retry_after=30, times=None, channel=CHANNEL.id)
        await house.approve(OLU.id, order)
        limited = "ratelimited"
        await house.until(lambda: any(call.outcome == limited for call in house.slack.calls(method)))

        card = card_in_pay(house)
        assert card is not None
        await house.slack.press_async(OLU.id, card.channel, card.ts, "approve")

        def shown() -> str:
            said = [text_of(one) for one in house.slack.messages.in_channel(PAY.id)]
            return "\n".join(said)

        await house.until(lambda: "pproved" in shown(), 15)
        if method == "chat.postMessage":
            await house.until(lambda: "took the answer" in shown(), 15)
