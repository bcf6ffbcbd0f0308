"""Socket Mode's side of Slack: https://docs.slack.dev/apis/events-api/using-socket-mode."""

import asyncio
import json
from dataclasses import dataclass
from time import monotonic
from typing import Any, Final, Literal
from uuid import uuid4

from aiohttp import WSMsgType, web

from app.sandbox.slack.delivery.answers import Ack
from app.sandbox.slack.faults import Faults
from app.sandbox.slack.state.calls import Calls
from app.sandbox.slack.state.ids import new_secret
from app.sandbox.slack.state.lock import WorkspaceLock
from app.sandbox.slack.state.shapes import APP, Json

MAX_SOCKETS: Final = 10
HOST: Final = "stand-in"
CLOSE_SECONDS: Final = 0.3
"""How long a closing socket waits for the other side's close frame."""

Kind = Literal["interactive", "slash_commands", "events_api"]


@dataclass(eq=False, slots=True)
class _Socket:
    ws: web.WebSocketResponse
    transport: asyncio.Transport | None
    leaving: bool = False


class Sockets:
    """The connected sockets. Everything here runs on the server's loop.

    `url` begins the addresses that are handed out. `to_all`: every envelope goes to every socket, which
    Slack does not do, to prove that this harms nothing.
    """

    def __init__(self, *, faults: Faults, calls: Calls, lock: WorkspaceLock) -> None:
        self._faults = faults
        self._calls = calls
        self._lock = lock
        self._open: list[_Socket] = []
        self._next_socket = 0
        self._tickets: set[str] = set()
        self._awaited: dict[str, asyncio.Future[Json]] = {}
        self.url = ""
        self.to_all = False
        self.max_sockets = MAX_SOCKETS

    @property
    def count(self) -> int:
        """Sockets that get envelopes."""
        return len(self._ready())

    def issue_url(self) -> str:
        """A URL for one handshake."""
        ticket = new_secret(32)
        self._tickets.add(ticket)
        return f"{self.url}/link/?ticket={ticket}&app_id={APP}"

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """A socket's whole life."""
        ticket = request.query.get("ticket", "")
        stale = ticket not in self._tickets
        self._tickets.discard(ticket)
        if self._faults.take_handshake() or stale:
            return web.Response(status=408)
        ws = web.WebSocketResponse(timeout=CLOSE_SECONDS)
        await ws.prepare(request)
        if len(self._open) >= self.max_sockets:
            too_many = {
                "type": "disconnect",
                "reason": "too_many_websockets",
                "num_websockets": self.max_sockets,
            }
            await ws.send_json(too_many)
            await ws.close()
            return ws
        await self._serve(_Socket(ws, request.transport))
        return ws

    async def send(self, kind: Kind, payload: Json, *, seconds: float) -> Ack:
        """Sends one envelope to one socket, round robin. It is never sent again."""
        id_ = str(uuid4())
        envelope = {
            "envelope_id": id_,
            "type": kind,
            "accepts_response_payload": kind != "events_api",
            "payload": payload,
            **({"retry_attempt": 0, "retry_reason": ""} if kind == "events_api" else {}),
        }
        answer = self._awaited[id_] = asyncio.get_running_loop().create_future()
        began = monotonic()
        text = json.dumps(envelope)
        for socket in self._chosen() * self._faults.take_copies():
            await _send(socket, text)
        try:
            body = (await asyncio.wait_for(answer, seconds)).get("payload")
        except TimeoutError:
            return Ack(acked=False, seconds=monotonic() - began, via="socket", error="operation_timeout")
        finally:
            del self._awaited[id_]
        return Ack(acked=True, seconds=monotonic() - began, via="socket", body=body)

    async def disconnect(self, reason: str = "refresh_requested") -> None:
        """Announced: `warning` says that it comes, `refresh_requested` that this socket is over."""
        notice = {"type": "disconnect", "reason": reason, "debug_info": {"host": HOST}}
        for socket in self._ready():
            socket.leaving = reason != "warning"
            await _send(socket, json.dumps(notice))

    async def drop(self) -> None:
        """Every connection ends at once, unannounced."""
        for socket in self._open:
            if socket.transport is not None:
                socket.transport.abort()

    async def close(self, _app: web.Application) -> None:
        """Every connection ends, as it should."""
        await asyncio.gather(*(socket.ws.close() for socket in self._open))

    async def _serve(self, socket: _Socket) -> None:
        with self._lock.change():
            self._open.append(socket)
        try:
            hello = {
                "type": "hello",
                "num_connections": len(self._open),
                "debug_info": {"host": HOST, "build_number": 1, "approximate_connection_time": 18060},
                "connection_info": {"app_id": APP},
            }
            await _send(socket, json.dumps(hello))
            async for message in socket.ws:
                if message.type is WSMsgType.TEXT:
                    self._take_ack(message.data)
        finally:
            with self._lock.change():
                self._open.remove(socket)

    def _take_ack(self, text: str) -> None:
        try:
            answer: Any = json.loads(text)
        except ValueError:
            self._calls.note("ack", {"text": text}, "not_json")
            return
        waiting = self._awaited.get(str(answer.get("envelope_id")))
        if waiting is None or waiting.done():
            self._calls.note("ack", answer, "late")
            return
        self._calls.note("ack", answer, "ok")
        waiting.set_result(answer)

    def _ready(self) -> list[_Socket]:
        return [socket for socket in self._open if not socket.leaving and not socket.ws.closed]

    def _chosen(self) -> list[_Socket]:
        ready = self._ready()
        if self.to_all or not ready:
            return ready
        self._next_socket += 1
        return [ready[self._next_socket % len(ready)]]


async def _send(socket: _Socket, text: str) -> None:
    """A socket that is just closing gets nothing; its envelope is lost, as it is at Slack."""
    try:
        await socket.ws.send_str(text)
    except ConnectionError:
        return
