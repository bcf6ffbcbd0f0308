"""Socket Mode with supervision: replaces a socket that stays down, and reports its health.

If the first handshake on a fresh URL fails, the SDK's client retries that spent single-use URL for ever and says
nothing. Giving it no URL makes it ask for a new one.
"""

import asyncio
from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import datetime, timedelta
from typing import Final

import structlog
from aiohttp import ClientError
from slack_bolt.adapter.socket_mode.async_handler import AsyncSocketModeHandler
from slack_bolt.app.async_app import AsyncApp
from slack_sdk.socket_mode.aiohttp import SocketModeClient
from slack_sdk.socket_mode.request import SocketModeRequest
from slack_sdk.socket_mode.response import SocketModeResponse
from structlog.contextvars import bind_contextvars, clear_contextvars

from app.observability.metrics import SLACK_SOCKET_STATE

log = structlog.get_logger(__name__)

CONNECT_TIMEOUT_SECONDS: Final = 3
CHECK_INTERVAL_SECONDS: Final = 0.5
MAX_BACKOFF_SECONDS: Final = 15.0
"""Between failed connects; Slack limits apps.connections.open to about one a minute after too many calls."""

RECONNECT_AFTER: Final = timedelta(seconds=2)
UNHEALTHY_AFTER: Final = timedelta(seconds=30)


Listening = Callable[[], AbstractContextManager[None]]
"""Counts a request as running while it is entered."""


class _Handler(AsyncSocketModeHandler):
    """Bolt's handler; counts a request as running until its ack was sent."""

    def __init__(self, app: AsyncApp, app_token: str, *, listening: Listening) -> None:
        super().__init__(app, app_token)
        self._listening = listening

    async def handle(self, client: SocketModeClient, req: SocketModeRequest) -> None:  # type: ignore[override]  # as Bolt
        # The SDK handles one envelope after the other in the same task.
        clear_contextvars()
        bind_contextvars(request_id=req.envelope_id)
        with self._listening():
            try:
                await super().handle(client, req)
            except (ConnectionError, ClientError) as exc:
                # The socket was closed meanwhile. The work is done; Slack shows the user an error.
                log.warning("slack_ack_not_sent", kind=req.type, problem=type(exc).__name__)
            except Exception:
                # Ack it: a repeat by Slack would fail again.
                log.exception("slack_envelope_failed", kind=req.type)
                await client.send_socket_mode_response(SocketModeResponse(envelope_id=req.envelope_id))


class Socket:
    """One Socket Mode connection. Built and opened inside the running loop."""

    def __init__(
        self, app: AsyncApp, *, app_token: str, clock: Callable[[], datetime], listening: Listening
    ) -> None:
        self._app = app
        self._listening = listening
        self._token = app_token
        self._clock = clock
        self._handler: AsyncSocketModeHandler | None = None
        self._last_up: datetime | None = None
        self._created_at = clock()
        self._watch: asyncio.Task[None] | None = None

    def open(self) -> None:
        """Connects in the background, because deadlines must be kept while Slack is unreachable."""
        self._watch = asyncio.create_task(self._keep_open())

    async def close(self) -> None:
        """Takes no more envelopes. The caller waits for running listeners."""
        if self._watch is not None:
            self._watch.cancel()
            await asyncio.gather(self._watch, return_exceptions=True)
        await self._drop()

    async def is_up(self) -> bool:
        """Whether the socket is open now."""
        return self._handler is not None and await self._handler.client.is_connected()

    def is_healthy(self) -> bool:
        """False once the socket has been down longer than a reconnect takes."""
        return (
            self._clock() - (self._last_up or self._created_at) < UNHEALTHY_AFTER
            and self._last_up is not None
        )

    async def _keep_open(self) -> None:
        wait = CHECK_INTERVAL_SECONDS
        while True:
            try:
                await self._check()
                wait = CHECK_INTERVAL_SECONDS
            except Exception as exc:
                log.warning("slack_socket_error", problem=type(exc).__name__)
                await self._drop()
                wait = min(wait * 2, MAX_BACKOFF_SECONDS)
            await asyncio.sleep(wait)

    async def _check(self) -> None:
        if await self.is_up():
            self._last_up = self._clock()
            SLACK_SOCKET_STATE.state("connected")
            return
        SLACK_SOCKET_STATE.state("disconnected")
        down_since = self._last_up or self._created_at
        if self._handler is None or self._clock() - down_since > RECONNECT_AFTER:
            await self._drop()
            await self._connect()
            self._last_up = self._clock()
            SLACK_SOCKET_STATE.state("connected")

    async def _connect(self) -> None:
        self._handler = _Handler(self._app, self._token, listening=self._listening)
        async with asyncio.timeout(CONNECT_TIMEOUT_SECONDS):
            await self._handler.connect_async()  # type: ignore[no-untyped-call]  # Bolt does not annotate it
        log.info("slack_socket_open")

    async def _drop(self) -> None:
        handler, self._handler = self._handler, None
        if handler is None:
            return
        try:
            async with asyncio.timeout(CONNECT_TIMEOUT_SECONDS):
                await handler.close_async()  # type: ignore[no-untyped-call]  # Bolt does not annotate it
        except Exception as exc:
            log.warning("slack_socket_close_failed", problem=type(exc).__name__)
