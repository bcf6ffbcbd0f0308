"""Declaring and lifting a freeze is one message an act in each channel."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from app.sandbox.people import CHANNEL, GRACE, config_text
from app.sandbox.slack.state.shapes import Channel, Message
from tests.harness import Harness, running_harness, text_of
from tests.journeys.called.scenes import GROUP
from tests.journeys.rules.test_freezes import TOKENS, ask, say

PAYMENTS = Channel(id="C02PAY", name="payments")
CONFIG = config_text(payment=f'channel = "{PAYMENTS.id}"\n')


@pytest.fixture
async def harness(
    tmp_path: Path, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Harness]:
    async with running_harness(
        tmp_path, database_url, monkeypatch, config=CONFIG, environment=TOKENS
    ) as built:
        built.slack.people.add(PAYMENTS)
        yield built


def said(harness: Harness, words: str, channel: str = CHANNEL.id) -> list[Message]:
    return [message for message in harness.slack.messages.in_channel(channel) if words in text_of(message)]


async def posted(harness: Harness) -> None:
    """Everything that was to be announced is."""
    for table in ("announcements", "channel_announcements"):
        waiting = f"SELECT 1 FROM {table} WHERE due_at IS NOT NULL"
        await harness.until(lambda waiting=waiting: not harness.rows(waiting))  # type: ignore[misc]  # the loop's own


async def test_an_act_on_several_domains_is_one_message_in_each_channel(harness: Harness) -> None:
    await say(harness, GRACE.id, "freeze order hub payment for 1h card network <!channel>")
    await harness.until(lambda: said(harness, "card network") and said(harness, "card network", PAYMENTS.id))
    await posted(harness)
    (here,), (there,) = said(harness, "card network"), said(harness, "card network", PAYMENTS.id)
    assert text_of(here) == text_of(there)
    for words in (f"<@{GRACE.id}> froze", "*order*", "*hub*", "*payment*"):
        assert words in text_of(here)
    assert "<!channel>" not in text_of(here)

    await say(harness, GRACE.id, "unfreeze all")
    await harness.until(lambda: said(harness, "lifted the freeze", PAYMENTS.id))
    await posted(harness)
    assert len(said(harness, "lifted the freeze")) == 1
    assert len(said(harness, "lifted the freeze", PAYMENTS.id)) == 1


@pytest.mark.parametrize("ends_by", ["lift", "clock"])
async def test_its_end_calls_the_approvers_of_all_that_wait_in_one_message(
    harness: Harness, ends_by: str
) -> None:
    order, _ = await harness.open_gate("order")
    hub, _ = await harness.open_gate("hub")
    await say(harness, GRACE.id, "freeze all for 20m stocktaking")
    await harness.until(
        lambda: "stocktaking" in harness.card_text(order) and "stocktaking" in harness.card_text(hub)
    )
    frozen = "SELECT 1 FROM gate_rule_snapshots WHERE frozen"
    await harness.until(lambda: len(harness.rows(frozen)) == 2)
    if ends_by == "lift":
        await say(harness, GRACE.id, "unfreeze all")
    else:
        harness.clock.advance(minutes=21)
    words = "lifted the freeze" if ends_by == "lift" else "has ended"
    await harness.until(lambda: said(harness, words))
    await harness.until(lambda: "stocktaking" not in harness.card_text(order) + harness.card_text(hub))
    await posted(harness)
    (message,) = said(harness, words)
    for wanted in ("*order*", order, "*hub*", hub, GROUP, "/archives/"):
        assert wanted in text_of(message)
    assert harness.rows("SELECT kind FROM announcements") == []
    assert not [one for one in harness.slack.messages.in_channel(CHANNEL.id) if one.broadcast]


async def test_a_freeze_by_the_api_is_told_once_although_slack_loses_the_answer(harness: Harness) -> None:
    harness.slack.faults.lose_answer("chat.postMessage", channel=CHANNEL.id)
    until = (datetime.now(UTC) + timedelta(hours=1)).isoformat()
    status, body = await ask(
        harness, "POST", "", {"until": until, "reason": "inventory", "domains": ["order"]}
    )
    assert status == 201
    await harness.until(lambda: said(harness, "inventory"))
    harness.clock.advance(seconds=40)
    await posted(harness)
    (message,) = said(harness, "inventory")
    assert "api∶calendar froze" in text_of(message) or "api:calendar froze" in text_of(message)
    assert (await ask(harness, "DELETE", f"/{body['id']}"))[0] == 204
    await harness.until(lambda: said(harness, "lifted the freeze"))
    assert (await ask(harness, "DELETE", f"/{body['id']}"))[0] == 404
    await posted(harness)
    assert len(said(harness, "lifted the freeze")) == 1


async def test_a_gate_that_another_freeze_holds_is_not_called_for(harness: Harness) -> None:
    order, _ = await harness.open_gate("order")
    hub, _ = await harness.open_gate("hub")
    await say(harness, GRACE.id, "freeze order for 1h incident")
    await say(harness, GRACE.id, "freeze all for 20m stocktaking")
    await harness.until(lambda: "stocktaking" in harness.card_text(hub))
    harness.clock.advance(minutes=21)
    await harness.until(lambda: said(harness, "has ended"))
    (message,) = said(harness, "has ended")
    assert hub in text_of(message)
    assert order not in text_of(message)
