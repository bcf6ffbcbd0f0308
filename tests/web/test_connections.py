"""Clients that connect and send no request are disconnected; requests under way are not."""

import asyncio
from contextlib import AsyncExitStack

import pytest

from app.observability.metrics import HTTP_REFUSED
from tests.web.conftest import Serve
from tests.web.raw_client import connected

ASKED = b"POST /slack/events HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\nok"


async def test_a_connection_without_a_request_is_closed(serve: Serve) -> None:
    async with serve(header_seconds=0.2) as url, connected(url) as client:
        assert await client.rest() == b""


async def test_headers_that_trickle_in_are_cut_off(serve: Serve) -> None:
    async with serve(header_seconds=0.5) as url, connected(url) as client:
        await client.send(b"GET / HTTP/1.1\r\n")

        async def trickle() -> None:
            while True:
                await client.send(b"x")
                await asyncio.sleep(0.02)

        trickling = asyncio.create_task(trickle())
        assert await client.rest() == b""
        trickling.cancel()
        await asyncio.gather(trickling, return_exceptions=True)


async def test_the_deadline_is_for_each_request_and_not_for_the_connection(serve: Serve) -> None:
    async with serve(header_seconds=1.5) as url, connected(url) as client:
        for _ in range(4):
            await client.send(ASKED)
            assert (await client.until(b"\r\n\r\nok")).startswith(b"HTTP/1.1 200 ")
            await asyncio.sleep(0.5)
        await client.send(b"POST /slack")
        assert await client.rest() == b""


async def test_the_connection_that_was_silent_longest_makes_room(serve: Serve) -> None:
    async with serve(max_connections=5) as url, AsyncExitStack() as stack:
        silent = [await stack.enter_async_context(connected(url)) for _ in range(5)]
        await silent[0].send(ASKED)
        await silent[0].until(b"\r\n\r\nok")
        for _ in range(3):
            async with connected(url) as client:
                await client.send(ASKED)
                assert (await client.until(b"\r\n\r\nok")).startswith(b"HTTP/1.1 200 ")

        assert await silent[1].rest() == b""
        assert (await (await silent[0].send(ASKED)).until(b"\r\n\r\nok")).startswith(b"HTTP/1.1 200 ")


async def test_a_connection_that_was_answered_before_outlives_those_that_have_sent_nothing(
    serve: Serve,
) -> None:
    async with serve(max_connections=5) as url, AsyncExitStack() as stack:
        kept_alive = await stack.enter_async_context(connected(url))
        await kept_alive.send(ASKED)
        await kept_alive.until(b"\r\n\r\nok")
        silent = [await stack.enter_async_context(connected(url)) for _ in range(7)]

        for evicted in silent[:3]:
            assert await evicted.rest() == b""
        assert (await (await kept_alive.send(ASKED)).until(b"\r\n\r\nok")).startswith(b"HTTP/1.1 200 ")


LARGE = b"GET /large HTTP/1.1\r\nHost: x\r\n\r\n"


def refused(reason: str) -> float:
    value: float = HTTP_REFUSED.labels(reason=reason)._value.get()
    return value


async def answered(url: str) -> bool:
    async with connected(url) as client:
        await client.send(ASKED)
        return (await client.until(b"\r\n\r\nok")).startswith(b"HTTP/1.1 200 ")


@pytest.mark.parametrize("asked", [LARGE, LARGE * 3, LARGE.replace(b"Host", b"Connection: close\r\nHost")])
async def test_an_answer_that_nobody_reads_is_cut_off(serve: Serve, asked: bytes) -> None:
    before = refused("response_not_read")
    async with serve(write_seconds=0.5) as url, connected(url) as client:
        await client.send(asked)
        await client.until(b"\r\n\r\n")
        async with asyncio.timeout(60):
            while refused("response_not_read") == before:  # noqa: ASYNC110 - nothing notifies of it
                await asyncio.sleep(0.02)
        assert len(await client.rest()) < 32 * 1024 * 1024


async def test_a_large_answer_that_is_read_arrives_whole(serve: Serve) -> None:
    async with serve() as url, connected(url) as client:
        for _ in range(2):
            await client.send(LARGE)
            await client.until(b"\r\n\r\n")
            left = 32 * 1024 * 1024
            while left:
                left -= len(await client.read(left))


async def test_a_client_that_does_not_read_makes_room_for_a_new_one(serve: Serve) -> None:
    async with serve(max_connections=5) as url, AsyncExitStack() as stack:
        silent = [await stack.enter_async_context(connected(url)) for _ in range(5)]
        for each in silent:
            await each.send(LARGE * 10)
            await each.until(b"\r\n\r\n")
        for _ in range(3):
            assert await answered(url)


async def test_requests_are_not_heaped_up_behind_one_that_is_being_answered(serve: Serve) -> None:
    before = refused("too_many_pipelined")
    async with serve() as url, connected(url) as client:
        await client.send(ASKED * 8)
        for _ in range(8):
            assert (await client.until(b"\r\n\r\nok")).startswith(b"HTTP/1.1 200 ")
        await client.send(LARGE * 500)
        assert len(await client.rest()) < 32 * 1024 * 1024
    assert refused("too_many_pipelined") == before + 1
