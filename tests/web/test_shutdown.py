"""A request that the end of the server's grace period cuts off is answered."""

import asyncio

import pytest
from starlette.types import Message, Receive, Scope, Send

from app.web.shutdown import AnswerWhenStopped

SCOPE: Scope = {"type": "http", "method": "POST", "path": "/hooks/codedeploy", "headers": []}


async def receive() -> Message:
    return {"type": "http.request", "body": b"", "more_body": False}


async def test_it_is_told_to_try_again() -> None:
    entered, sent = asyncio.Event(), list[Message]()

    async def slow(scope: Scope, receive: Receive, send: Send) -> None:
        entered.set()
        await asyncio.Event().wait()

    async def send(message: Message) -> None:
        sent.append(message)

    task = asyncio.create_task(AnswerWhenStopped(slow)(SCOPE, receive, send))
    await entered.wait()
    task.cancel()
    await task

    assert sent[0]["status"] == 503
    assert b"try_again" in sent[1]["body"]


async def test_a_response_that_has_begun_is_cut() -> None:
    entered, sent = asyncio.Event(), list[Message]()

    async def slow(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        entered.set()
        await asyncio.Event().wait()

    async def send(message: Message) -> None:
        sent.append(message)

    task = asyncio.create_task(AnswerWhenStopped(slow)(SCOPE, receive, send))
    await entered.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task

    assert [message["type"] for message in sent] == ["http.response.start"]
