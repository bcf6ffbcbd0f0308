"""The load generator, a process of its own: reads a plan from standard input, writes its measurements to its output.

A plan's requests are complete HTTP messages, made beforehand, so that nothing but sending and reading is done here.
"""

import asyncio
import base64
import json
import sys
import time
from collections import deque
from dataclasses import dataclass, field
from typing import Any

RUN_TIMEOUT_SECONDS = 60.0


@dataclass
class Seen:
    """By the request's position in the plan. Seconds, and when each was sent in wall-clock time."""

    seconds: list[float] = field(default_factory=list)
    statuses: list[int] = field(default_factory=list)
    bodies: list[str] = field(default_factory=list)
    sent: list[float] = field(default_factory=list)
    took: float = 0.0


class Line(asyncio.Protocol):
    """One connection, kept alive; one request at a time."""

    def __init__(self) -> None:
        self._transport: asyncio.Transport | None = None
        self._buffer = b""
        self._answer: asyncio.Future[tuple[int, bytes]] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        head, found, rest = self._buffer.partition(b"\r\n\r\n")
        if not found or self._answer is None:
            return
        lines = head.split(b"\r\n")
        length = next(int(line[15:]) for line in lines if line.lower().startswith(b"content-length:"))
        if len(rest) >= length:
            self._buffer = b""
            self._answer.set_result((int(lines[0].split(b" ")[1]), rest))

    def connection_lost(self, exc: Exception | None) -> None:
        if self._answer is not None and not self._answer.done():
            self._answer.set_exception(exc or ConnectionError("hung up"))

    async def ask(self, request: bytes) -> tuple[int, bytes]:
        assert self._transport is not None
        self._answer = asyncio.get_running_loop().create_future()
        self._transport.write(request)
        async with asyncio.timeout(RUN_TIMEOUT_SECONDS):
            return await self._answer


async def run(plan: dict[str, Any]) -> Seen:
    """`at_once` connections, each as fast as it is answered; with a `rate`, so many requests a second whatever happens,
    on connections that are opened as they are needed."""
    requests = [base64.b64decode(each) for each in plan["requests"]]
    seen = Seen(*([0] * len(requests) for _ in range(4)))  # type: ignore[arg-type]  # filled in by place
    loop = asyncio.get_running_loop()
    lines: deque[Line] = deque()

    async def connect() -> Line:
        return (await loop.create_connection(Line, plan["host"], plan["port"]))[1]

    for _ in range(0 if plan["rate"] else plan["at_once"]):
        lines.append(await connect())

    async def ask(place: int, line: Line) -> None:
        seen.sent[place] = time.time()
        began = time.perf_counter()
        status, body = await line.ask(requests[place])
        seen.seconds[place] = time.perf_counter() - began
        seen.statuses[place], seen.bodies[place] = status, body.decode() if plan["bodies"] else ""

    async def one_after_another(line: Line, places: deque[int]) -> None:
        while places:
            await ask(places.popleft(), line)

    async def at_its_time(place: int, moment: float) -> None:
        await asyncio.sleep(moment - loop.time())
        line = lines.popleft() if lines else await connect()
        await ask(place, line)
        lines.append(line)

    began = time.perf_counter()
    if plan["rate"]:
        start = loop.time() + 0.05
        await asyncio.gather(*(at_its_time(n, start + n / plan["rate"]) for n in range(len(requests))))
    else:
        places = deque(range(len(requests)))
        await asyncio.gather(*(one_after_another(line, places) for line in list(lines)))
    seen.took = time.perf_counter() - began
    return seen


if __name__ == "__main__":
    json.dump(vars(asyncio.run(run(json.load(sys.stdin)))), sys.stdout)
