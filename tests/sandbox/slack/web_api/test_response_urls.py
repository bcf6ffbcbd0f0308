"""Posts to a response URL, through Bolt's own client for them."""

from slack_sdk.web.async_client import AsyncWebClient
from slack_sdk.webhook.async_client import AsyncWebhookClient

from app.sandbox.slack.stand_in import SlackStandIn
from tests.sandbox.slack.helpers import TinyApp, actions, section, socket_mode


async def a_press(slack: SlackStandIn, client: AsyncWebClient) -> tuple[str, AsyncWebhookClient]:
    """The pressed message's ts, and its response URL."""
    card = slack.place("C01DEPLOY", "card", [actions()])
    app = TinyApp(client)
    async with socket_mode(app, slack):
        await slack.press_async("U01MINA", "C01DEPLOY", card.ts, "approve")
    return card.ts, AsyncWebhookClient(app.received[0]["response_url"], retry_handlers=[])


async def test_an_answer_is_ephemeral_unless_it_says_otherwise(
    slack: SlackStandIn, client: AsyncWebClient
) -> None:
    _, respond = await a_press(slack, client)
    assert (await respond.send(text="only you")).body == "ok"
    await respond.send(text="everybody", response_type="in_channel", blocks=[section("everybody")])
    assert [m.text for m in slack.messages.ephemerals("U01MINA")] == ["only you"]
    assert [m.text for m in slack.messages.in_channel("C01DEPLOY")] == ["card", "everybody"]


async def test_the_pressed_message_can_be_replaced_and_deleted(
    slack: SlackStandIn, client: AsyncWebClient
) -> None:
    ts, respond = await a_press(slack, client)
    await respond.send(text="replaced", replace_original=True)
    assert slack.messages.get("C01DEPLOY", ts).text == "replaced"
    await respond.send(delete_original=True)
    assert slack.messages.find("C01DEPLOY", ts) is None
    assert (await respond.send(text="x", replace_original=True)).status_code == 404


async def test_an_ephemeral_page_can_be_replaced(slack: SlackStandIn, client: AsyncWebClient) -> None:
    app = TinyApp(client)
    async with socket_mode(app, slack):
        said = await slack.slash_async("U01MINA", "C01DEPLOY", "/deploys")
        assert said.message is not None
        await slack.press_async("U01MINA", "C01DEPLOY", said.message.ts, "approve")
    respond = AsyncWebhookClient(app.received[1]["response_url"], retry_handlers=[])
    await respond.send(text="page two", replace_original=True)
    assert [m.text for m in slack.messages.ephemerals("U01MINA")] == ["page two"]


async def test_five_uses_and_thirty_minutes(slack: SlackStandIn, client: AsyncWebClient) -> None:
    _, respond = await a_press(slack, client)
    for _ in range(5):
        assert (await respond.send(text="x")).status_code == 200
    sixth = await respond.send(text="x")
    assert (sixth.status_code, "used_url" in sixth.body) == (404, True)
    _, fresh = await a_press(slack, client)
    slack.clock.advance(30 * 60 + 1)
    late = await fresh.send(text="x")
    assert (late.status_code, "expired_url" in late.body) == (404, True)


async def test_bad_blocks_are_refused_here_too(slack: SlackStandIn, client: AsyncWebClient) -> None:
    _, respond = await a_press(slack, client)
    answer = await respond.send(text="x", blocks=[section("y" * 3001)])
    assert "invalid_blocks" in answer.body
    slack.faults.server_error("response_url")
    assert (await respond.send(text="x")).status_code == 500
    assert slack.messages.ephemerals("U01MINA") == []
