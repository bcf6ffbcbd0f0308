"""Faults of Socket Mode connections, and several connections at once."""

import asyncio
from typing import Any

import pytest
from aiohttp import ClientSession, WSMsgType, WSServerHandshakeError
from slack_bolt.adapter.socket_mode.async_handler import AsyncSocketModeHandler
from slack_sdk.web.async_client import AsyncWebClient

from app.sandbox.slack.stand_in import SlackStandIn
from app.sandbox.slack.state.credentials import APP_TOKEN
from app.sandbox.slack.state.shapes import Message
from tests.sandbox.slack.helpers import (
    TinyApp,
    actions,
    button,
    closing,
    section,
    socket_mode,
)


def a_card(slack: SlackStandIn) -> Message:
    return slack.place("C01DEPLOY", "order asks", [section(), actions(button(), button("reject"))])


async def raw_socket(client: AsyncWebClient, session: ClientSession) -> Any:
    """A socket without the SDK; its hello has been read."""
    url = str((await client.apps_connections_open(app_token=APP_TOKEN))["url"])
    socket = await session.ws_connect(url)
    return socket, await socket.receive_json()


async def test_envelopes_rotate_between_sockets(slack: SlackStandIn, client: AsyncWebClient) -> None:
    one, two, card = TinyApp(client), TinyApp(client), a_card(slack)
    async with socket_mode(one, slack), socket_mode(two, slack):
        for _ in range(4):
            await slack.press_async("U01MINA", "C01DEPLOY", card.ts, "approve")
        assert (len(one.received), len(two.received)) == (2, 2)
        slack.deliver_to_all_sockets()
        await slack.press_async("U01MINA", "C01DEPLOY", card.ts, "approve")
        assert await slack.wait_until_async(lambda: (len(one.received), len(two.received)) == (3, 3))


async def test_a_duplicated_envelope_is_received_twice(slack: SlackStandIn, client: AsyncWebClient) -> None:
    app, card = TinyApp(client), a_card(slack)
    slack.faults.double_envelopes()
    async with socket_mode(app, slack):
        await slack.press_async("U01MINA", "C01DEPLOY", card.ts, "approve")
        assert await slack.wait_until_async(lambda: len(slack.calls("ack")) == 2)
    assert len(app.received) == 2
    assert [call.outcome for call in slack.calls("ack")] == ["ok", "late"]


async def test_a_url_is_good_for_one_handshake(
    slack: SlackStandIn, client: AsyncWebClient, session: ClientSession
) -> None:
    url = str((await client.apps_connections_open(app_token=APP_TOKEN))["url"])
    slack.faults.fail_handshakes()
    for _ in range(2):  # failed on purpose, then spent
        with pytest.raises(WSServerHandshakeError) as failed:
            await session.ws_connect(url)
        assert failed.value.status == 408
    socket, hello = await raw_socket(client, session)
    assert (hello["type"], hello["num_connections"]) == ("hello", 1)
    await socket.close()


async def test_a_client_whose_first_handshake_fails_stays_down(
    slack: SlackStandIn, client: AsyncWebClient
) -> None:
    """The SDK tries the spent URL for ever, until it is given none and so asks for a new one."""
    slack.faults.fail_handshakes()
    handler = AsyncSocketModeHandler(TinyApp(client).bolt, APP_TOKEN, ping_interval=0.02)
    async with closing(handler):
        opening = asyncio.create_task(handler.connect_async())  # type: ignore[no-untyped-call]
        assert not await slack.wait_until_async(lambda: slack.connected, timeout=0.2)
        assert len(slack.calls("apps.connections.open")) == 1
        handler.client.wss_uri = None
        assert await slack.wait_until_async(lambda: slack.connected == 1)
        await opening


async def test_an_eleventh_socket_is_one_too_many(
    slack: SlackStandIn, client: AsyncWebClient, session: ClientSession
) -> None:
    sockets = [(await raw_socket(client, session))[0] for _ in range(10)]
    extra, first = await raw_socket(client, session)
    assert (first["type"], first["reason"]) == ("disconnect", "too_many_websockets")
    assert (await extra.receive()).type is WSMsgType.CLOSE
    assert slack.connected == 10
    for socket in sockets:
        await socket.close()


async def test_a_refresh_makes_the_sdk_connect_anew(slack: SlackStandIn, client: AsyncWebClient) -> None:
    app, card = TinyApp(client), a_card(slack)
    async with socket_mode(app, slack):
        await slack.disconnect_sockets_async("refresh_requested")
        assert await slack.wait_until_async(
            lambda: slack.connected == 1 and len(slack.calls("apps.connections.open")) == 2
        )
        assert (await slack.press_async("U01MINA", "C01DEPLOY", card.ts, "approve")).acked


async def test_a_dropped_socket_gets_nothing_any_more(
    slack: SlackStandIn, client: AsyncWebClient, session: ClientSession
) -> None:
    card = a_card(slack)
    socket, _ = await raw_socket(client, session)
    await slack.drop_sockets_async()
    assert await slack.wait_until_async(lambda: slack.connected == 0)
    pressed = await slack.press_async("U01MINA", "C01DEPLOY", card.ts, "approve")
    assert (pressed.acked, pressed.ack.via, pressed.ack.error) == (False, "nowhere", "dispatch_failed")
    await socket.close()


async def test_a_warning_leaves_the_socket_in_use(
    slack: SlackStandIn, client: AsyncWebClient, session: ClientSession
) -> None:
    socket, _ = await raw_socket(client, session)
    await slack.disconnect_sockets_async("warning")
    assert (await socket.receive_json())["reason"] == "warning"
    assert slack.connected == 1
    await socket.close()
