"""Answers requests that a stop of the server cuts off."""

import asyncio

import structlog
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.web.problems import problem_response

log = structlog.get_logger(__name__)


class AnswerWhenStopped:
    """ASGI middleware: answers 503 to a request that is cancelled because the server's grace period is over.

    The sender tries again and reaches another replica. Uvicorn would close the connection and log a stack trace.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        started = False

        async def send_noted(message: Message) -> None:
            nonlocal started
            started = started or message["type"] == "http.response.start"
            await send(message)

        try:
            await self._app(scope, receive, send_noted)
        except asyncio.CancelledError:
            if started or scope["type"] != "http":
                raise
            log.warning("request_cut_off", path=scope["path"])
            response = problem_response(503, "this replica is stopping", code="try_again")
            await response(scope, receive, send)
