"""uvicorn's protocol with what it leaves out: a deadline for the headers, and a bound on open connections.

A client that connects and sends nothing, or a header a minute, would keep its connection for ever; enough of them
use up the process's file descriptors, and no hook or press gets in any more.
"""

import asyncio
from typing import Any, Final

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

from app.metrics import HTTP_REFUSED

HEADER_SECONDS: Final = 5.0
"""From the connection, or from the first byte of another request on it, to the end of the headers."""

MAX_CONNECTIONS: Final = 512
"""Well below the 1,024 file descriptors that a process may have by default."""


class BoundedH11Protocol(H11Protocol):
    """For uvicorn's `http`. When the bound is reached, the connection that has been incomplete longest is closed."""

    header_seconds: float = HEADER_SECONDS
    max_connections: int = MAX_CONNECTIONS

    def __init__(self, *args: Any, **how: Any) -> None:
        super().__init__(*args, **how)
        self._header_deadline: asyncio.TimerHandle | None = None
        self.incomplete_since: float | None = None
        """The loop's time since which a request is awaited or read; None while one is answered."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # uvicorn narrows it, too
        """Arms the deadline, and makes room where there is none left."""
        super().connection_made(transport)
        self._await_request()
        if len(self.connections) > self.max_connections:
            self._make_room()

    def data_received(self, data: bytes) -> None:
        """Disarms the deadline once the headers are complete; arms it for the next request on the connection."""
        super().data_received(data)
        match self.conn.their_state:
            case h11.IDLE:
                if self._header_deadline is None:
                    self._await_request()
            case h11.SEND_BODY:
                self._cancel_deadline()
            case _:
                self._cancel_deadline()
                self.incomplete_since = None

    def on_response_complete(self) -> None:
        """From here uvicorn's keep-alive timer watches the connection."""
        super().on_response_complete()
        if self.conn.their_state is h11.IDLE:
            self.incomplete_since = self.loop.time()

    def connection_lost(self, exc: Exception | None) -> None:
        """Nothing is left to wait for."""
        self._cancel_deadline()
        super().connection_lost(exc)

    def _await_request(self) -> None:
        self.incomplete_since = self.loop.time()
        self._header_deadline = self.loop.call_later(self.header_seconds, self._headers_late)

    def _cancel_deadline(self) -> None:
        if self._header_deadline is not None:
            self._header_deadline.cancel()
            self._header_deadline = None

    def _headers_late(self) -> None:
        HTTP_REFUSED.labels(reason="headers_too_slow").inc()
        self._header_deadline = None
        self.transport.abort()

    def _make_room(self) -> None:
        HTTP_REFUSED.labels(reason="too_many_connections").inc()
        waiting = [
            each
            for each in self.connections
            if isinstance(each, BoundedH11Protocol) and each.incomplete_since is not None
        ]
        oldest = min(waiting, key=lambda each: each.incomplete_since or 0.0)
        oldest.transport.abort()
        # The transport tells it later; until then it must not be chosen again.
        self.connections.discard(oldest)
