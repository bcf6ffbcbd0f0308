"""A request that the end of the server's grace period cuts off is answered."""

import asyncio

import pytest
from starlette.types import Message, Receive, Scope, Send

from app.web.shutdown import AnswerWhenStopped

SCOPE: Scope = {"type": "http", "method": "POST", "path": "/hooks/codedeploy", "headers": []}
START: Message = {"type": "http.response.start", "status": 200, "headers": []}


async def cut_off(*, has_begun: bool, sent: list[Message]) -> None:
    """Cancels a request that never ends; `has_begun`: after its response has begun."""
    entered = asyncio.Event()

    async def endless(scope: Scope, receive: Receive, send: Send) -> None:
        if has_begun:
            await send(START)
        entered.set()
        await asyncio.Event().wait()

    async def receive() -> Message:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Message) -> None:
        sent.append(message)

    task = asyncio.create_task(AnswerWhenStopped(endless)(SCOPE, receive, send))
    await entered.wait()
    task.cancel()
    await task


async def test_it_is_told_to_try_again() -> None:
    sent: list[Message] = []
    await cut_off(has_begun=False, sent=sent)

    assert sent[0]["status"] == 503
    assert b"try_again" in sent[1]["body"]


async def test_a_response_that_has_begun_is_cut() -> None:
    sent: list[Message] = []
    with pytest.raises(asyncio.CancelledError):
        await cut_off(has_begun=True, sent=sent)

    assert [message["type"] for message in sent] == ["http.response.start"]
