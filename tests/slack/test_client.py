"""What the failures of a call mean: whether Slack may have done it, and when to ask again."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import timedelta

import pytest
from aiohttp import ClientSession, web
from slack_sdk.web.async_client import AsyncWebClient

from app.flow.notify.slack_errors import MessageGone, SlackCallFailed
from app.slack.client import RetryAfterTracker, web_client
from tests.harness import TestClock

Answer = Callable[[], web.Response]


@asynccontextmanager
async def answering(answer: Answer) -> AsyncIterator[AsyncWebClient]:
    """The real SDK against something that answers every call so."""

    async def handle(_request: web.Request) -> web.Response:
        return answer()

    server = web.Application()
    server.router.add_route("*", "/api/{method}", handle)
    runner = web.AppRunner(server, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    url = f"http://127.0.0.1:{runner.addresses[0][1]}/api/"
    async with ClientSession() as session:
        yield web_client(token="xoxb-1", api_url=url, session=session)
    await runner.cleanup()


async def not_drawn(answer: Answer, retry_after_tracker: RetryAfterTracker | None = None) -> SlackCallFailed:
    """How a post that is answered so fails."""
    async with answering(answer) as client:
        with pytest.raises(SlackCallFailed) as caught:
            await (retry_after_tracker or RetryAfterTracker(TestClock())).call(
                "chat.postMessage", lambda: client.chat_postMessage(channel="C1", text="x")
            )
    return caught.value


def refusing(error: str, *, status: int = 200, **headers: str) -> Answer:
    return lambda: web.json_response({"ok": False, "error": error}, status=status, headers=headers)


def proxy(body: str, *, status: int, kind: str) -> Answer:
    return lambda: web.Response(text=body, status=status, content_type=kind)


@pytest.mark.parametrize(
    "answer",
    [
        proxy("upstream connect error", status=503, kind="text/plain"),
        proxy("<html>", status=502, kind="text/html"),
        proxy("ok", status=200, kind="text/plain"),
        proxy("not json", status=200, kind="application/json"),
        proxy("", status=504, kind="application/json"),
        refusing("internal_error"),
        refusing("fatal_error", status=500),
    ],
)
async def test_an_answer_that_says_nothing_certain_may_have_been_a_success(answer: Answer) -> None:
    assert (await not_drawn(answer)).uncertain


@pytest.mark.parametrize(
    "answer",
    [
        refusing("channel_not_found"),
        refusing("invalid_blocks"),
        refusing("service_unavailable", status=503),
        refusing("ratelimited", status=429),
    ],
)
async def test_a_clear_refusal_did_nothing(answer: Answer) -> None:
    assert not (await not_drawn(answer)).uncertain


async def test_nobody_listening_did_nothing() -> None:
    async with answering(refusing("x")) as client:
        pass
    async with ClientSession() as session:
        gone = web_client(token="xoxb-1", api_url=client.base_url, session=session)
        with pytest.raises(SlackCallFailed) as caught:
            await RetryAfterTracker(TestClock()).call(
                "chat.postMessage", lambda: gone.chat_postMessage(channel="C1", text="x")
            )
    assert not caught.value.uncertain


@pytest.mark.parametrize(
    ("header", "seconds"), [("30", 30), ("0", 1), ("soon", 1), ("1000000", 3600), (None, 1)]
)
async def test_slacks_own_word_says_how_long_to_wait(header: str | None, seconds: int) -> None:
    headers = {"Retry-After": header} if header is not None else {}
    exc = await not_drawn(refusing("ratelimited", status=429, **headers))
    assert exc.retry_after == timedelta(seconds=seconds)


async def test_until_then_nothing_is_sent() -> None:
    clock = TestClock()
    retry_after_tracker, calls = RetryAfterTracker(clock), 0

    def answer() -> web.Response:
        nonlocal calls
        calls += 1
        return refusing("ratelimited", status=429, **{"Retry-After": "30"})()

    await not_drawn(answer, retry_after_tracker)
    clock.advance(seconds=29)
    again = await not_drawn(answer, retry_after_tracker)
    assert calls == 1
    assert again.retry_after is not None
    assert again.retry_after <= timedelta(seconds=1)
    clock.advance(seconds=2)
    await not_drawn(answer, retry_after_tracker)
    assert calls == 2


async def test_a_message_that_is_gone_has_a_name_of_its_own() -> None:
    async with answering(refusing("message_not_found")) as client:
        with pytest.raises(MessageGone):
            await RetryAfterTracker(TestClock()).call(
                "chat.update", lambda: client.chat_update(channel="C1", ts="1.0", text="x")
            )
