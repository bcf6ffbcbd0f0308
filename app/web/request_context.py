"""Gives each HTTP request an id, which every log line of the request carries and the response returns."""

import re
import secrets
from typing import Final

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from structlog.contextvars import bind_contextvars, clear_contextvars

HEADER: Final = "X-Request-Id"

ACCEPTED: Final = re.compile(r"[A-Za-z0-9_-]{8,64}")
"""An id that a proxy or a client sends is used, unless it could be mistaken for something else in a log."""


class RequestContext:
    """ASGI middleware, outside all others.

    Bound as structlog's documentation says: cleared and bound where a request begins. Tasks that the request starts
    copy its context, so that their lines have its id, too.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request_id = _request_id(Headers(scope=scope).get(HEADER, ""))
        clear_contextvars()
        bind_contextvars(request_id=request_id)

        async def send_with_id(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message)[HEADER] = request_id
            await send(message)

        await self._app(scope, receive, send_with_id)


def _request_id(sent: str) -> str:
    return sent if ACCEPTED.fullmatch(sent) else secrets.token_hex(8)
