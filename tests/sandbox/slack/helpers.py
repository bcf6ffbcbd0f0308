"""Helpers: blocks, a modal, a tiny Bolt app, and the errors of the SDK."""

import asyncio
from collections.abc import AsyncIterator, Awaitable
from contextlib import asynccontextmanager
from typing import Any

import pytest
from aiohttp import web
from slack_bolt.adapter.aiohttp import to_aiohttp_response, to_bolt_request
from slack_bolt.adapter.socket_mode.async_handler import AsyncSocketModeHandler
from slack_bolt.app.async_app import AsyncApp
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from app.sandbox.slack.stand_in import SlackStandIn
from app.sandbox.slack.state.credentials import APP_TOKEN, SIGNING_SECRET

Json = dict[str, Any]


def section(text: str = "hello", **more: Any) -> Json:
    return {"type": "section", "text": {"type": "mrkdwn", "text": text}, **more}


def button(action_id: str = "approve", **more: Any) -> Json:
    text = {"type": "plain_text", "text": "Approve"}
    return {"type": "button", "text": text, "action_id": action_id, "value": "gate-1", **more}


def actions(*elements: Json, block_id: str = "decide") -> Json:
    return {"type": "actions", "block_id": block_id, "elements": list(elements or (button(),))}


def reason_input(**more: Any) -> Json:
    return {
        "type": "input",
        "block_id": "reason",
        "label": {"type": "plain_text", "text": "Why?"},
        "element": {"type": "plain_text_input", "action_id": "reason", "multiline": True, "max_length": 40},
        **more,
    }


def modal(*blocks: Json, **more: Any) -> Json:
    return {
        "type": "modal",
        "callback_id": "reject_reason",
        "title": {"type": "plain_text", "text": "Reject"},
        "submit": {"type": "plain_text", "text": "Send"},
        "blocks": list(blocks or (reason_input(),)),
        **more,
    }


async def refused(call: Awaitable[Any]) -> Any:
    """Slack's answer to a call that it refuses; `["error"]` and the rest."""
    with pytest.raises(SlackApiError) as caught:
        await call
    return caught.value.response


class TinyApp:
    """A real Bolt app: records what it receives, opens a modal on `reject`, answers `/deploys`."""

    def __init__(self, client: AsyncWebClient, *, signing_secret: str = SIGNING_SECRET) -> None:
        self.received: list[Json] = []
        self.modal_answer: Json = {}
        self.silent = False
        self.bolt = AsyncApp(client=client, signing_secret=signing_secret, process_before_response=True)
        self.bolt.action("approve")(self._approve)
        self.bolt.action("reject")(self._reject)
        self.bolt.view("reject_reason")(self._submitted)
        self.bolt.view_closed("reject_reason")(self._approve)
        self.bolt.command("/deploys")(self._command)
        self.bolt.event("app_home_opened")(self._home)

    async def _approve(self, ack: Any, body: Json) -> None:
        self.received.append(body)
        if not self.silent:
            await ack()

    async def _reject(self, ack: Any, body: Json, client: AsyncWebClient) -> None:
        await ack()
        await client.views_open(trigger_id=body["trigger_id"], view=modal())

    async def _submitted(self, ack: Any, body: Json) -> None:
        self.received.append(body)
        await ack(**self.modal_answer)

    async def _command(self, ack: Any, body: Json) -> None:
        self.received.append(body)
        await ack(text=f"You said {body['text']}", blocks=[section("Nothing waits."), actions()])

    async def _home(self, body: Json, client: AsyncWebClient) -> None:
        view = {"type": "home", "blocks": [section("Welcome"), actions(block_id="home")]}
        await client.views_publish(user_id=body["event"]["user"], view=view)


@asynccontextmanager
async def socket_mode(
    app: TinyApp, slack: SlackStandIn, *, ping_interval: float = 10
) -> AsyncIterator[AsyncSocketModeHandler]:
    """The app connects as it does at Slack."""
    before = slack.connected
    handler = AsyncSocketModeHandler(app.bolt, APP_TOKEN, ping_interval=ping_interval)
    await handler.connect_async()  # type: ignore[no-untyped-call]  # Bolt leaves it bare
    assert await slack.wait_until_async(lambda: slack.connected > before)
    async with closing(handler):
        yield handler


@asynccontextmanager
async def closing(handler: AsyncSocketModeHandler) -> AsyncIterator[None]:
    """Closes it afterwards, and waits for the tasks that the SDK cancels without waiting."""
    try:
        yield
    finally:
        client = handler.client
        await handler.close_async()  # type: ignore[no-untyped-call]
        tasks = (client.message_processor, client.current_session_monitor, client.message_receiver)
        await asyncio.gather(*filter(None, tasks), return_exceptions=True)


@asynccontextmanager
async def http_mode(app: TinyApp, slack: SlackStandIn) -> AsyncIterator[None]:
    """The app listens, and Slack knows where."""

    async def receive(request: web.Request) -> web.Response:
        answer = await app.bolt.async_dispatch(await to_bolt_request(request))
        return await to_aiohttp_response(answer)

    server = web.Application()
    server.router.add_post("/slack/events", receive)
    runner = web.AppRunner(server, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    port = runner.addresses[0][1]
    slack.request_url = f"http://127.0.0.1:{port}/slack/events"
    try:
        yield
    finally:
        slack.request_url = None
        await runner.cleanup()
