"""A body is bounded in size and in time before any handler sees it."""

import pytest

from tests.web.conftest import Serve
from tests.web.raw_client import connected


def post(path: str, *headers: str) -> bytes:
    return "\r\n".join([f"POST {path} HTTP/1.1", "Host: x", *headers, "", ""]).encode()


@pytest.mark.parametrize(("path", "status", "most"), [("/hooks/x", 400, 8), ("/slack/events", 413, 16)])
async def test_a_body_announced_as_too_large_is_refused_unread(
    serve: Serve, path: str, status: int, most: int
) -> None:
    async with serve() as url, connected(url) as client:
        said = await (await client.send(post(path, f"Content-Length: {most + 1}"))).rest()

    assert said.startswith(f"HTTP/1.1 {status} ".encode())
    assert f'"detail":"the body is over {most} bytes","error":"too_large"'.encode() in said


async def test_a_body_of_unknown_length_is_read_no_further_than_the_limit(serve: Serve) -> None:
    async with serve() as url, connected(url) as client:
        head = post("/slack/events", "Transfer-Encoding: chunked")
        said = await (await client.send(head + b"11\r\n" + b"x" * 17 + b"\r\n")).rest()  # and no end

    assert said.startswith(b"HTTP/1.1 413 ")


async def test_a_body_within_the_limit_reaches_the_handler_whole(serve: Serve) -> None:
    async with serve() as url, connected(url) as client:
        await client.send(post("/slack/events", "Content-Length: 16", "Connection: close") + b"x" * 7)
        said = await (await client.send(b"y" * 9)).rest()

    assert said.startswith(b"HTTP/1.1 200 ")
    assert said.endswith(b"x" * 7 + b"y" * 9)


async def test_a_body_that_does_not_come_is_refused_after_its_time(serve: Serve) -> None:
    async with serve(body_seconds=0.2) as url, connected(url) as client:
        said = await (await client.send(post("/slack/events", "Content-Length: 16") + b"x")).rest()

    assert said.startswith(b"HTTP/1.1 408 ")
    assert b"connection: close" in said.lower()


async def test_a_client_that_leaves_in_the_middle_of_its_body_disturbs_nobody(serve: Serve) -> None:
    async with serve() as url:
        async with connected(url) as client:
            await client.send(post("/slack/events", "Content-Length: 16") + b"x")
        async with connected(url) as client:
            said = await (
                await client.send(post("/slack/events", "Content-Length: 2", "Connection: close") + b"ok")
            ).rest()

    assert said.endswith(b"ok")


async def test_what_fails_inside_is_answered_with_the_headers_too(serve: Serve) -> None:
    async with serve() as url, connected(url) as client:
        said = (
            await (await client.send(b"GET /fails HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")).rest()
        ).lower()

    assert said.startswith(b"http/1.1 500 ")
    assert b"x-content-type-options: nosniff" in said


async def test_pages_alone_may_load_a_script(serve: Serve) -> None:
    policies = {}
    for path in ("/slack/events", "/api/docs"):
        async with serve() as url, connected(url) as client:
            asked = f"GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode()
            said = (await (await client.send(asked)).rest()).decode().lower()
            policies[path] = said.split("content-security-policy: ")[1].split("\r\n")[0]
            assert "cache-control: no-store" in said

    assert policies["/slack/events"] == "default-src 'none'; frame-ancestors 'none'"
    assert "script-src" in policies["/api/docs"]
