"""Socket Mode with the real Bolt: what people do, and what the app answers."""

import asyncio
from typing import Any

import pytest
from slack_sdk.web.async_client import AsyncWebClient

from app.sandbox.slack.errors import NotInWorkspace
from app.sandbox.slack.stand_in import SlackStandIn
from app.sandbox.slack.state.shapes import Message
from tests.sandbox.slack.helpers import (
    TinyApp,
    actions,
    button,
    modal,
    reason_input,
    section,
    socket_mode,
)


def a_card(slack: SlackStandIn) -> Message:
    return slack.place("C01DEPLOY", "order asks", [section(), actions(button(), button("reject"))])


async def test_a_press_arrives_whole_and_is_acked(slack: SlackStandIn, client: AsyncWebClient) -> None:
    app, card = TinyApp(client), a_card(slack)
    async with socket_mode(app, slack):
        pressed = await slack.press_async("U01MINA", "C01DEPLOY", card.ts, "approve")
    assert (pressed.acked, pressed.ack.via, pressed.ack.error) == (True, "socket", "")
    assert 0 < pressed.ack.seconds < 3
    [body] = app.received
    assert body["user"] == {"id": "U01MINA", "username": "mina", "name": "mina", "team_id": "T0SANDBOX"}
    [action] = body["actions"]
    assert (action["action_id"], action["block_id"], action["value"]) == ("approve", "decide", "gate-1")
    assert body["container"] == {
        "type": "message",
        "message_ts": card.ts,
        "channel_id": "C01DEPLOY",
        "is_ephemeral": False,
    }
    assert body["message"]["blocks"] == list(card.blocks)
    assert body["channel"] == {"id": "C01DEPLOY", "name": "deploys"}
    assert body["response_url"].startswith(slack.url)
    assert body["team"]["id"] == "T0SANDBOX"
    assert body["is_enterprise_install"] is False


async def test_a_press_can_be_made_from_a_thread(slack: SlackStandIn, client: AsyncWebClient) -> None:
    app, card = TinyApp(client), a_card(slack)
    async with socket_mode(app, slack):
        pressed = await asyncio.to_thread(slack.press, "U05FAR", "C01DEPLOY", card.ts, "approve")
    assert pressed.acked
    assert app.received[0]["user"]["team_id"] == "T9OTHER"


async def test_an_altered_value_and_a_button_that_has_gone_can_still_be_pressed(
    slack: SlackStandIn, client: AsyncWebClient
) -> None:
    app, card = TinyApp(client), a_card(slack)
    await client.chat_update(channel="C01DEPLOY", ts=card.ts, text="Approved", blocks=[section("Approved")])
    async with socket_mode(app, slack):
        await slack.press_async("U01MINA", "C01DEPLOY", card.ts, "approve", value="gate-666")
        with pytest.raises(NotInWorkspace):
            await slack.press_async("U01MINA", "C01DEPLOY", card.ts, "undo")
    assert app.received[0]["actions"][0]["value"] == "gate-666"


async def test_an_unanswered_press_times_out_and_is_not_sent_again(
    slack: SlackStandIn, client: AsyncWebClient
) -> None:
    app, card = TinyApp(client), a_card(slack)
    app.silent = True
    slack.ack_seconds = 0.05
    async with socket_mode(app, slack):
        pressed = await slack.press_async("U01MINA", "C01DEPLOY", card.ts, "approve")
    assert (pressed.acked, pressed.ack.error) == (False, "operation_timeout")
    assert len(app.received) == 1


async def test_reject_opens_a_form_and_the_form_is_submitted(
    slack: SlackStandIn, client: AsyncWebClient
) -> None:
    app, card = TinyApp(client), a_card(slack)
    async with socket_mode(app, slack):
        await slack.press_async("U01MINA", "C01DEPLOY", card.ts, "reject")
        form = slack.views.top("U01MINA")
        assert form is not None
        empty = await slack.submit_async("U01MINA", form.id, {"reason": ""})
        assert (empty.outcome, list(empty.errors)) == ("not_sent", ["reason"])
        done = await slack.submit_async("U01MINA", form.id, {"reason": "스키마가 달라요"})
    assert (done.outcome, slack.views.top("U01MINA")) == ("closed", None)
    [body] = app.received
    typed = body["view"]["state"]["values"]["reason"]["reason"]
    assert typed == {"type": "plain_text_input", "value": "스키마가 달라요"}
    assert (body["type"], body["view"]["callback_id"]) == ("view_submission", "reject_reason")


@pytest.mark.parametrize(
    ("answer", "outcome"),
    [
        ({"response_action": "errors", "errors": {"reason": "Say more"}}, "errors"),
        ({"response_action": "errors", "errors": {"nowhere": "x"}}, "failed"),
        ({"response_action": "update", "view": modal(section("Too late"))}, "updated"),
        ({"response_action": "update", "view": modal(section("x" * 3001))}, "failed"),
        ({"response_action": "push", "view": modal(section("Sure?"))}, "pushed"),
        ({"response_action": "clear"}, "cleared"),
    ],
)
async def test_the_apps_answer_to_a_form_is_obeyed(
    slack: SlackStandIn, client: AsyncWebClient, answer: dict[str, Any], outcome: str
) -> None:
    app, card = TinyApp(client), a_card(slack)
    app.modal_answer = answer
    async with socket_mode(app, slack):
        await slack.press_async("U01MINA", "C01DEPLOY", card.ts, "reject")
        form = slack.views.top("U01MINA")
        assert form is not None
        result = await slack.submit_async("U01MINA", form.id, {"reason": "no"})
    assert result.outcome == outcome
    top = slack.views.top("U01MINA")
    assert (top is None) == (outcome == "cleared")
    if outcome == "errors":
        assert top is not None
        assert top.errors == {"reason": "Say more"}


async def test_past_the_client_an_empty_reason_reaches_the_app(
    slack: SlackStandIn, client: AsyncWebClient
) -> None:
    app, card = TinyApp(client), a_card(slack)
    async with socket_mode(app, slack):
        await slack.press_async("U01MINA", "C01DEPLOY", card.ts, "reject")
        form = slack.views.top("U01MINA")
        assert form is not None
        with pytest.raises(NotInWorkspace):
            await slack.submit_async("U01MINA", form.id, {"raison": "x"})
        await slack.submit_async("U01MINA", form.id, {}, bypass_client_checks=True)
    assert app.received[0]["view"]["state"]["values"]["reason"]["reason"]["value"] is None


async def test_closing_notifies_only_apps_that_asked(slack: SlackStandIn, client: AsyncWebClient) -> None:
    app = TinyApp(client)
    async with socket_mode(app, slack):
        quiet = slack.views.open("U01MINA", modal())
        assert await slack.close_async("U01MINA", quiet.id) is None
        loud = slack.views.open("U01MINA", modal(reason_input(), notify_on_close=True))
        ack = await slack.close_async("U01MINA", loud.id)
        assert ack is not None
        assert ack.acked
    assert app.received[0]["type"] == "view_closed"
    assert slack.views.top("U01MINA") is None


async def test_a_command_is_answered_to_its_giver_alone_and_its_buttons_work(
    slack: SlackStandIn, client: AsyncWebClient
) -> None:
    app = TinyApp(client)
    async with socket_mode(app, slack):
        said = await slack.slash_async("U02OLU", "C01DEPLOY", "/deploys", "order")
        assert said.message is not None
        await slack.press_async("U02OLU", "C01DEPLOY", said.message.ts, "approve", block_id="decide")
        with pytest.raises(NotInWorkspace):
            await slack.press_async("U01MINA", "C01DEPLOY", said.message.ts, "approve")
    assert [m.text for m in slack.messages.ephemerals("U02OLU")] == ["You said order"]
    assert slack.messages.in_channel("C01DEPLOY") == []
    command, press = app.received
    assert (command["command"], command["text"], command["user_id"]) == ("/deploys", "order", "U02OLU")
    assert (press["container"]["is_ephemeral"], "message" in press) == (True, False)
