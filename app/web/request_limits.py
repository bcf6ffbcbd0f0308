"""Limits the size of a request's body and the time in which all of it has to arrive.

The body is read here, before any handler runs: a handler never waits for a slow client, and background work does not
yield to one.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.observability.metrics import HTTP_REFUSED
from app.web.problems import problem_response

BODY_SECONDS: Final = 5.0
"""From the headers to the last byte of the body. Every client of ours is a server that sends a body in one go."""

WITHOUT_BODY: Final = frozenset({"GET", "HEAD"})


@dataclass(frozen=True, kw_only=True, slots=True)
class BodyLimit:
    """How many bytes a body may have on the paths that begin with `prefix`, and the status of a larger one."""

    prefix: str
    max_bytes: int
    too_large_status: int = 413


BODY_LIMITS: Final = (
    # The contract has 400 for every hook that cannot be read.
    BodyLimit(prefix="/hooks/", max_bytes=64 * 1024, too_large_status=400),
    BodyLimit(prefix="/events/", max_bytes=64 * 1024, too_large_status=400),
    # A view has at most 250 kB (https://docs.slack.dev/reference/views); form encoding makes up to three of one byte,
    # and the view's state comes along.
    BodyLimit(prefix="/slack/events", max_bytes=1024 * 1024),
    BodyLimit(prefix="", max_bytes=16 * 1024),
)


class _TooLarge(Exception):
    """The body is over the limit of its path."""


class _Disconnected(Exception):
    """The client left before the body was complete."""


class RequestLimits:
    """ASGI middleware: answers 413 (400 for hooks) to a body that is too large, 408 to one that comes too slowly."""

    def __init__(
        self, app: ASGIApp, *, limits: Sequence[BodyLimit] = BODY_LIMITS, body_seconds: float = BODY_SECONDS
    ) -> None:
        self._app = app
        self._limits = limits
        self._body_seconds = body_seconds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] in WITHOUT_BODY:
            await self._app(scope, receive, send)
            return
        limit = next(each for each in self._limits if scope["path"].startswith(each.prefix))
        try:
            async with asyncio.timeout(self._body_seconds):
                body = await _read_body(scope, receive, limit.max_bytes)
        except _TooLarge:
            detail = f"the body is over {limit.max_bytes} bytes"
            await _rejection(limit.too_large_status, "too_large", detail)(scope, receive, send)
        except TimeoutError:
            detail = f"the body did not arrive within {self._body_seconds:g} seconds"
            await _rejection(408, "too_slow", detail)(scope, receive, send)
        except _Disconnected:
            HTTP_REFUSED.labels(reason="disconnected").inc()
        else:
            await self._app(scope, _replay(body, receive), send)


async def _read_body(scope: Scope, receive: Receive, max_bytes: int) -> bytes:
    """The whole body. Raises `_TooLarge` (nothing beyond the limit is kept) and `_Disconnected`."""
    announced = next((value for name, value in scope["headers"] if name == b"content-length"), b"")
    if announced.isdigit() and int(announced) > max_bytes:
        raise _TooLarge
    body = bytearray()
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise _Disconnected
        body += message.get("body", b"")
        if len(body) > max_bytes:
            raise _TooLarge
        if not message.get("more_body", False):
            return bytes(body)


def _replay(body: bytes, receive: Receive) -> Receive:
    """A `receive` that gives the body in one message, and then what the server gives."""
    given = False

    async def replayed() -> Message:
        nonlocal given
        if given:
            return await receive()
        given = True
        return {"type": "http.request", "body": body, "more_body": False}

    return replayed


def _rejection(status: int, reason: str, detail: str) -> Response:
    """The rest of the body is not read, so the connection cannot be used again."""
    HTTP_REFUSED.labels(reason=reason).inc()
    return problem_response(status, detail, code=reason, headers={"Connection": "close"})
