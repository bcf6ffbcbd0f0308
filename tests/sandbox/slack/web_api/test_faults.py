"""Every injected fault of Slack's Web API, through the real SDK."""

import pytest
from aiohttp import ClientError, ClientSession
from slack_sdk.web.async_client import AsyncWebClient

from app.sandbox.slack.stand_in import SlackStandIn
from app.sandbox.slack.state.credentials import BOT_TOKEN
from tests.sandbox.slack.helpers import refused


async def test_429_carries_retry_after_and_ends(slack: SlackStandIn, client: AsyncWebClient) -> None:
    slack.faults.ratelimit("chat.postMessage", retry_after=7, times=2)
    for _ in range(2):
        answer = await refused(client.chat_postMessage(channel="C01DEPLOY", text="x"))
        assert (answer.status_code, answer["error"]) == (429, "ratelimited")
        assert answer.headers["Retry-After"] == "7"
    assert (await client.chat_postMessage(channel="C01DEPLOY", text="x"))["ok"]


async def test_a_500_comes_before_anything_is_done(slack: SlackStandIn, client: AsyncWebClient) -> None:
    slack.faults.server_error("chat.postMessage")
    answer = await refused(client.chat_postMessage(channel="C01DEPLOY", text="x"))
    assert answer.status_code == 500
    assert slack.messages.in_channel() == []


async def test_a_lost_answer_comes_after_the_work_is_done(
    slack: SlackStandIn, client: AsyncWebClient
) -> None:
    slack.faults.lose_answer("chat.postMessage")
    with pytest.raises(ClientError):
        await client.chat_postMessage(channel="C01DEPLOY", text="x")
    [message] = slack.messages.in_channel()
    slack.faults.lose_answer("chat.update")
    with pytest.raises(ClientError):
        await client.chat_update(channel="C01DEPLOY", ts=message.ts, text="y")
    assert slack.messages.get("C01DEPLOY", message.ts).text == "y"
    assert [call.outcome for call in slack.calls("chat.update")] == ["answer_lost"]


async def test_the_sdks_own_retries_post_twice_after_a_lost_answer(
    slack: SlackStandIn, session: ClientSession
) -> None:
    """The trap that the service avoids by not using them."""
    careless = AsyncWebClient(token=BOT_TOKEN, base_url=slack.api_url, session=session)
    slack.faults.lose_answer("chat.postMessage")
    await careless.chat_postMessage(channel="C01DEPLOY", text="x")
    assert len(slack.messages.in_channel()) == 2


async def test_any_error_string_can_be_had(slack: SlackStandIn, client: AsyncWebClient) -> None:
    slack.faults.error("usergroups.list", "paid_teams_only")
    answer = await refused(client.usergroups_list())
    assert (answer.status_code, answer["error"]) == (200, "paid_teams_only")


async def test_a_reset_loses_the_request_itself(slack: SlackStandIn, client: AsyncWebClient) -> None:
    slack.faults.reset("*")
    with pytest.raises(ClientError):
        await client.chat_postMessage(channel="C01DEPLOY", text="x")
    assert slack.messages.in_channel() == []


async def test_a_slow_method_is_slow(slack: SlackStandIn, session: ClientSession) -> None:
    slack.faults.slow("chat.postMessage", 5)
    impatient = AsyncWebClient(token=BOT_TOKEN, base_url=slack.api_url, timeout=1, retry_handlers=[])
    impatient.timeout = 0.1  # type: ignore[assignment]  # aiohttp takes fractions
    with pytest.raises(TimeoutError):
        await impatient.chat_postMessage(channel="C01DEPLOY", text="x")
    slack.faults.clear("chat.postMessage")
    assert (await impatient.chat_postMessage(channel="C01DEPLOY", text="x"))["ok"]


async def test_in_an_outage_nothing_works_until_it_ends(slack: SlackStandIn, client: AsyncWebClient) -> None:
    with slack.faults.away():
        assert (await refused(client.auth_test())).status_code == 503
    with slack.faults.away("reset"), pytest.raises(ClientError):
        await client.auth_test()
    assert (await client.auth_test())["ok"]


async def test_rates_are_off_until_they_are_turned_on(slack: SlackStandIn, client: AsyncWebClient) -> None:
    for _ in range(6):
        await client.chat_postMessage(channel="C01DEPLOY", text="x")
    slack.rates.turn_on()
    for _ in range(5):
        await client.chat_postMessage(channel="C01DEPLOY", text="x")
    answer = await refused(client.chat_postMessage(channel="C01DEPLOY", text="x"))
    assert answer.headers["Retry-After"] == "1"
    assert len(slack.messages.in_channel()) == 11
    assert (await client.chat_postMessage(channel="U01MINA", text="another channel"))["ok"]
    slack.clock.advance(1)
    assert (await client.chat_postMessage(channel="C01DEPLOY", text="x"))["ok"]
    slack.rates.turn_off()
    assert (await client.chat_postMessage(channel="C01DEPLOY", text="x"))["ok"]
