"""A small application behind the real server, with bounds small enough to reach."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager

import pytest
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from app.web.connections import BoundedH11Protocol
from app.web.request_limits import BodyLimit, RequestLimits
from app.web.security_headers import SecurityHeaders

Serve = Callable[..., AbstractAsyncContextManager[str]]

SMALL = (
    BodyLimit(prefix="/hooks/", max_bytes=8, too_large_status=400),
    BodyLimit(prefix="", max_bytes=16),
)


async def echo(request: Request) -> Response:
    return PlainTextResponse(await request.body())


async def large(request: Request) -> Response:
    """More than the sockets of both sides keep."""
    return PlainTextResponse(bytes(32 * 1024 * 1024))


async def fails(request: Request) -> Response:
    raise RuntimeError("nobody expects this")


@pytest.fixture
def serve() -> Serve:
    """`async with serve(header_seconds=…, write_seconds=…, max_connections=…, body_seconds=…) as url`."""

    @asynccontextmanager
    async def served(
        *,
        header_seconds: float = 30,
        write_seconds: float = 30,
        max_connections: int = 100,
        body_seconds: float = 30,
    ) -> AsyncIterator[str]:
        routes = [
            Route(path, echo, methods=["GET", "POST"]) for path in ("/hooks/x", "/slack/events", "/api/docs")
        ]
        app = Starlette(routes=[*routes, Route("/large", large), Route("/fails", fails)])
        protocol = type(
            "SmallBounds",
            (BoundedH11Protocol,),
            {
                "header_seconds": header_seconds,
                "write_seconds": write_seconds,
                "max_connections": max_connections,
            },
        )
        config = uvicorn.Config(
            SecurityHeaders(RequestLimits(app, limits=SMALL, body_seconds=body_seconds)),
            host="127.0.0.1",
            port=0,
            log_config=None,
            lifespan="off",
            ws="none",
            http=protocol,
        )
        server = uvicorn.Server(config)
        server.install_signal_handlers = lambda: None  # type: ignore[attr-defined]
        task = asyncio.create_task(server.serve())
        while not server.started:  # noqa: ASYNC110 - uvicorn has no event for it
            await asyncio.sleep(0.005)
        try:
            yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
        finally:
            server.should_exit = True
            await task

    return served
