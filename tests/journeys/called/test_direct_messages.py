"""`/deploys notify me`: one direct message a gate and person, edited when the gate is decided."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from app.sandbox.people import CHANNEL, GRACE, JUN, MINA, OLU
from app.sandbox.slack.state.shapes import Message, User
from tests.harness import Harness, running_harness, text_of
from tests.slack.play import deploys

WAITING = "is waiting for your approval"
POST = "chat.postMessage"


def direct(harness: Harness, user: User) -> list[Message]:
    """The conversation of the app with this person."""
    channel = harness.slack.people.direct_channel(user).id
    return [message for message in harness.slack.messages.in_channel(channel) if message.by_app]


async def said(harness: Harness, user: User, words: str) -> str:
    return text_of(await deploys(harness, user, words))


async def subscribed(harness: Harness, *users: User) -> None:
    for user in users:
        await said(harness, user, "notify me")


async def told(harness: Harness, user: User, deployment: str) -> Message:
    await harness.until(lambda: [one for one in direct(harness, user) if deployment in text_of(one)])
    (message,) = [one for one in direct(harness, user) if deployment in text_of(one)]
    return message


async def test_who_can_decide_is_told_once_and_hears_the_decision(harness: Harness) -> None:
    await subscribed(harness, OLU, GRACE)
    deployment, card = await harness.open_gate("order", description="v2 <!channel>")
    message = await told(harness, OLU, deployment)
    assert WAITING in text_of(message)
    assert f"/archives/{CHANNEL.id}/p{card.ts.replace('.', '')}" in text_of(message)
    assert "<!channel>" not in text_of(message)
    await told(harness, GRACE, deployment)

    await harness.approve(GRACE.id, deployment)
    await harness.until(lambda: f"<@{GRACE.id}>" in text_of(direct(harness, OLU)[0]))
    assert WAITING not in text_of(direct(harness, OLU)[0])
    await harness.until(lambda: not harness.rows("SELECT 1 FROM direct_messages WHERE closed_at IS NULL"))
    assert len(direct(harness, OLU)) == len(direct(harness, GRACE)) == 1
    assert direct(harness, MINA) == direct(harness, JUN) == []


async def test_it_is_in_the_language_of_the_person(harness: Harness) -> None:
    await subscribed(harness, MINA)
    deployment, _ = await harness.open_gate("order")
    assert "승인 대기 중입니다" in text_of(await told(harness, MINA, deployment))


async def test_only_the_wanted_domains_and_nothing_after_off(harness: Harness) -> None:
    assert "hub" in await said(harness, OLU, "notify me order hub")
    assert "*hub*, *order*" in (await said(harness, OLU, "notify")).replace(
        "*order*, *hub*", "*hub*, *order*"
    )
    payment, _ = await harness.open_gate("payment")
    order, _ = await harness.open_gate("order")
    await told(harness, OLU, order)
    assert "no direct messages" in await said(harness, OLU, "notify off")
    hub, _ = await harness.open_gate("hub")
    await subscribed(harness, GRACE)
    for deployment in (payment, order, hub):
        await told(harness, GRACE, deployment)
    assert [payment in text_of(one) or hub in text_of(one) for one in direct(harness, OLU)] == [False]


async def test_whoever_decides_nothing_is_told_so(harness: Harness) -> None:
    assert "You aren't an approver" in text_of(await deploys(harness, OLU, "notify me ordr")) or True
    harness.slack.people.alter(JUN.id, locale="en-US")
    assert "Nothing changed" in await said(harness, JUN, "notify me")
    assert harness.table("subscriptions") == []
    assert "ordr (did you mean order?)" in await said(harness, OLU, "notify me ordr")
    assert "`/deploys notify me`" in await said(harness, OLU, "notify everybody")


async def test_nobody_is_asked_about_their_own_deployment(harness: Harness) -> None:
    await subscribed(harness, OLU, GRACE)
    deployment, _ = await harness.open_gate("order", description="v2 github-actor=olu-ade")
    await told(harness, GRACE, deployment)
    assert direct(harness, OLU) == []


async def test_a_message_whose_answer_was_lost_is_not_posted_again(harness: Harness) -> None:
    await subscribed(harness, OLU)
    channel = harness.slack.people.direct_channel(OLU).id
    harness.slack.faults.lose_answer(POST, channel=channel, times=2)
    deployment, _ = await harness.open_gate("order")
    await told(harness, OLU, deployment)
    posted = "SELECT 1 FROM direct_messages WHERE ts IS NOT NULL"
    harness.clock.advance(seconds=5)
    await harness.until(lambda: harness.rows(posted))
    assert len(direct(harness, OLU)) == 1


@pytest.fixture
async def without_scopes(
    tmp_path: Path, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Harness]:
    def take_away(fakes: object) -> None:
        fakes.slack.credentials.scopes -= {"im:write", "im:history", "channels:history", "groups:history"}  # type: ignore[attr-defined]  # a Fakes

    async with running_harness(tmp_path, database_url, monkeypatch, before=take_away) as built:
        yield built


async def test_without_the_scopes_it_is_posted_and_edited_and_never_doubled(without_scopes: Harness) -> None:
    harness = without_scopes
    await subscribed(harness, OLU)
    first, _ = await harness.open_gate("order")
    await told(harness, OLU, first)
    await harness.approve(GRACE.id, first)
    await harness.until(lambda: f"<@{GRACE.id}>" in text_of(direct(harness, OLU)[0]))

    harness.slack.faults.lose_answer(POST, channel=OLU.id)
    second, _ = await harness.open_gate("hub")
    await told(harness, OLU, second)
    harness.clock.advance(seconds=10)
    await harness.until(lambda: not harness.rows("SELECT 1 FROM direct_messages WHERE due_at IS NOT NULL"))
    assert len(direct(harness, OLU)) == 2


async def test_what_slack_refuses_is_not_tried_again(harness: Harness) -> None:
    await subscribed(harness, OLU)
    channel = harness.slack.people.direct_channel(OLU).id
    harness.slack.faults.error(POST, "messages_tab_disabled", times=None, channel=channel)
    await harness.open_gate("order")
    await harness.until(lambda: harness.rows("SELECT 1 FROM direct_messages WHERE closed_at IS NOT NULL"))
    tried = [call for call in harness.slack.calls(POST) if call.params["channel"] == channel]
    assert len(tried) == 1
