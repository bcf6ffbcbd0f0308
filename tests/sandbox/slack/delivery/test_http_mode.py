"""HTTP mode with the real Bolt: signed requests, replays, and answers that are no ack."""

import json
from urllib.parse import parse_qs

from slack_sdk.web.async_client import AsyncWebClient

from app.sandbox.slack.stand_in import SlackStandIn
from app.sandbox.slack.state.shapes import Message
from tests.sandbox.slack.helpers import TinyApp, actions, button, http_mode, section


def a_card(slack: SlackStandIn) -> Message:
    return slack.place("C01DEPLOY", "order asks", [section(), actions(button(), button("reject"))])


async def test_presses_forms_commands_and_events_arrive_signed(
    slack: SlackStandIn, client: AsyncWebClient
) -> None:
    app, card = TinyApp(client), a_card(slack)
    async with http_mode(app, slack):
        pressed = await slack.press_async("U01MINA", "C01DEPLOY", card.ts, "approve")
        assert (pressed.acked, pressed.ack.via, pressed.ack.status) == (True, "http", 200)
        await slack.press_async("U01MINA", "C01DEPLOY", card.ts, "reject")
        form = slack.views.top("U01MINA")
        assert form is not None
        assert (await slack.submit_async("U01MINA", form.id, {"reason": "no"})).outcome == "closed"
        said = await slack.slash_async("U01MINA", "C01DEPLOY", "/deploys", "help me & you")
        assert said.message is not None
        assert said.message.text == "You said help me &amp; you"  # as Slack escapes a command
        assert (await slack.open_home_async("U01MINA")).acked
    assert slack.views.home("U01MINA") is not None
    assert [body.get("type", "command") for body in app.received] == [
        "block_actions",
        "view_submission",
        "command",
    ]


async def test_a_wrong_signing_secret_is_refused_by_bolt(slack: SlackStandIn, client: AsyncWebClient) -> None:
    app, card = TinyApp(client, signing_secret="another"), a_card(slack)
    async with http_mode(app, slack):
        pressed = await slack.press_async("U01MINA", "C01DEPLOY", card.ts, "approve")
    assert (pressed.acked, pressed.ack.status, pressed.ack.error) == (False, 401, "dispatch_failed")
    assert app.received == []


async def test_a_replayed_request_runs_again_and_a_tampered_one_does_not(
    slack: SlackStandIn, client: AsyncWebClient
) -> None:
    app, card = TinyApp(client), a_card(slack)
    async with http_mode(app, slack):
        await slack.press_async("U01MINA", "C01DEPLOY", card.ts, "approve")
        assert (await slack.replay_async()).acked
        old = await slack.replay_async(headers={"X-Slack-Request-Timestamp": "1700000000"})
        forged = await slack.replay_async(body="payload=%7B%7D")
    assert (old.status, forged.status) == (401, 401)
    assert [body["trigger_id"] for body in app.received] == [app.received[0]["trigger_id"]] * 2


async def test_a_command_nobody_listens_to_fails(slack: SlackStandIn, client: AsyncWebClient) -> None:
    async with http_mode(TinyApp(client), slack):
        said = await slack.slash_async("U01MINA", "C01DEPLOY", "/unknown")
    assert (said.ack.acked, said.ack.status, said.message) == (False, 404, None)


async def test_an_absent_app_is_distinguished_from_a_slow_one(
    slack: SlackStandIn, client: AsyncWebClient
) -> None:
    card = a_card(slack)
    slack.request_url = "http://127.0.0.1:9/slack/events"
    pressed = await slack.press_async("U01MINA", "C01DEPLOY", card.ts, "approve")
    assert (pressed.ack.via, pressed.ack.error) == ("http", "dispatch_failed")


async def test_interactions_are_a_form_with_one_field(slack: SlackStandIn, client: AsyncWebClient) -> None:
    card = a_card(slack)
    async with http_mode(TinyApp(client), slack):
        await slack.press_async("U01MINA", "C01DEPLOY", card.ts, "approve")
        sent = slack.last_sent
    assert sent is not None
    assert sent.headers["Content-Type"] == "application/x-www-form-urlencoded"
    fields = parse_qs(sent.body)
    assert list(fields) == ["payload"]
    assert json.loads(fields["payload"][0])["type"] == "block_actions"
