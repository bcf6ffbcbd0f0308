"""uvicorn's protocol with what it lacks: deadlines for the headers and for the response, and bounds on connections.

A client that connects and sends nothing, sends a header a minute, or never reads the response would keep its connection
open. Enough of them use up the process's file descriptors, and hooks and presses are then refused.
"""

import asyncio
import re
from typing import Any, Final

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

from app.observability.metrics import HTTP_REFUSED

HEADER_SECONDS: Final = 5.0
"""From the connection, or from the first byte of another request on it, to the end of the headers."""

WRITE_SECONDS: Final = 10.0
"""In which the client takes what was written to it. Answers are small, and every client of ours is a server."""

KEPT_ALIVE_SECONDS: Final = 5.0
"""A load balancer keeps connections open between requests. Clients that send nothing must not close them."""

MAX_CONNECTIONS: Final = 512
"""Well below the 1,024 file descriptors that a process may have by default."""

MAX_PIPELINED: Final = 16
"""Requests received behind the one that is being answered. No client of ours sends any."""

_END_OF_HEADERS: Final = re.compile(rb"\n\r?\n")


class BoundedH11Protocol(H11Protocol):
    """For uvicorn's `http`. When the bound is reached, the connection that has waited longest for its client, to send
    a request or to read an answer, is closed."""

    header_seconds: float = HEADER_SECONDS
    write_seconds: float = WRITE_SECONDS
    max_connections: int = MAX_CONNECTIONS
    max_pipelined: int = MAX_PIPELINED

    def __init__(self, *args: Any, **how: Any) -> None:
        super().__init__(*args, **how)
        self._header_deadline: asyncio.TimerHandle | None = None
        self._write_deadline: asyncio.TimerHandle | None = None
        self._request_awaited_since: float | None = None
        self._unread_since: float | None = None
        self._was_answered = False

    @property
    def waiting_since(self) -> float | None:
        """The loop's time since which the client is to send a request or to read an answer; None: it waits for us.

        `KEPT_ALIVE_SECONDS` later where the connection was answered before and everything was read.
        """
        if self._unread_since is not None or self._request_awaited_since is None:
            return self._unread_since
        return self._request_awaited_since + (KEPT_ALIVE_SECONDS if self._was_answered else 0)

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # uvicorn narrows it, too
        """Arms the deadline, and closes another connection if there are too many."""
        super().connection_made(transport)
        # Writing is then paused exactly as long as the client has not taken everything.
        transport.set_write_buffer_limits(high=0)
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
                self._cancel_header_deadline()
            case _:
                self._cancel_header_deadline()
                self._request_awaited_since = None
                if len(_END_OF_HEADERS.findall(self.conn.trailing_data[0])) > self.max_pipelined:
                    self._abort("too_many_pipelined")

    def on_response_complete(self) -> None:
        """From here uvicorn's keep-alive timer watches the connection."""
        super().on_response_complete()
        self._was_answered = True
        if self.conn.their_state is h11.IDLE:
            self._request_awaited_since = self.loop.time()

    def pause_writing(self) -> None:
        """The client has not taken everything that was written: from here it has `write_seconds`."""
        super().pause_writing()
        self._unread_since = self.loop.time()
        self._write_deadline = self.loop.call_later(self.write_seconds, self._abort, "response_not_read")

    def resume_writing(self) -> None:
        """The client has taken everything."""
        self._cancel_write_deadline()
        super().resume_writing()

    def connection_lost(self, exc: Exception | None) -> None:
        """Nothing is left to wait for."""
        self._cancel_header_deadline()
        self._cancel_write_deadline()
        super().connection_lost(exc)

    def _await_request(self) -> None:
        self._request_awaited_since = self.loop.time()
        self._header_deadline = self.loop.call_later(self.header_seconds, self._abort, "headers_too_slow")

    def _cancel_header_deadline(self) -> None:
        if self._header_deadline is not None:
            self._header_deadline.cancel()
            self._header_deadline = None

    def _cancel_write_deadline(self) -> None:
        self._unread_since = None
        if self._write_deadline is not None:
            self._write_deadline.cancel()
            self._write_deadline = None

    def _abort(self, reason: str) -> None:
        HTTP_REFUSED.labels(reason=reason).inc()
        self.transport.abort()

    def _make_room(self) -> None:
        """Closes another connection; this one only if all others are being served."""
        waiting = [
            (each.waiting_since, each)
            for each in self.connections
            if isinstance(each, BoundedH11Protocol) and each is not self and each.waiting_since is not None
        ]
        _, longest = min(waiting, key=lambda each: each[0], default=(0, self))
        longest._abort("too_many_connections")
        # The transport reports it later; until then it must not be chosen again.
        self.connections.discard(longest)
