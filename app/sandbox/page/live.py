"""Changes as server-sent events: https://html.spec.whatwg.org/multipage/server-sent-events.html."""

import asyncio
import json
from collections.abc import Callable
from contextlib import suppress
from typing import Any, Final

from aiohttp import web

Pieces = dict[str, Any]

POLL_SECONDS: Final = 1.0
"""The delay until a change without a notification is found."""

BATCH_SECONDS: Final = 0.04
"""Changes come in bursts; they are collected for this long."""

KEEPALIVE_SECONDS: Final = 15.0
"""Proxies drop a stream that is silent for longer."""


class ChangeNotifier:
    """Wakes subscribers on their event loops. `notify` may be called from any thread."""

    def __init__(self) -> None:
        self._listening: set[tuple[asyncio.AbstractEventLoop, asyncio.Event]] = set()

    def notify(self, *_: object) -> None:
        for loop, event in list(self._listening):
            with suppress(RuntimeError):  # a loop that has just been closed
                loop.call_soon_threadsafe(event.set)

    def subscribe(self) -> asyncio.Event:
        """An event that is set at every `notify` until `unsubscribe`."""
        event = asyncio.Event()
        self._listening.add((asyncio.get_running_loop(), event))
        return event

    def unsubscribe(self, event: asyncio.Event) -> None:
        self._listening = {one for one in self._listening if one[1] is not event}


def difference(old: Pieces, new: Pieces) -> Pieces:
    """`{"put": new or changed pieces, "gone": removed keys}`; empty if nothing changed."""
    put = {key: piece for key, piece in new.items() if key not in old or old[key] != piece}
    gone = [key for key in old if key not in new]
    return {"put": put, "gone": gone} if put or gone else {}


async def stream(
    request: web.Request,
    notifier: ChangeNotifier,
    *,
    read: Callable[[], Pieces],
    stamp: Callable[[], dict[str, float]],
) -> web.StreamResponse:
    """Sends everything, then the differences, each with its `stamp`, until the client disconnects."""
    response = web.StreamResponse(
        headers={"Content-Type": "text/event-stream", "Cache-Control": "no-store", "X-Accel-Buffering": "no"}
    )
    await response.prepare(request)
    changed = notifier.subscribe()
    try:
        await _send_changes(response, changed, read=read, stamp=stamp)
    except ConnectionError:
        pass
    finally:
        notifier.unsubscribe(changed)
    return response


async def _send_changes(
    response: web.StreamResponse,
    changed: asyncio.Event,
    *,
    read: Callable[[], Pieces],
    stamp: Callable[[], dict[str, float]],
) -> None:
    shown: Pieces = {}
    event, silence = "all", 0.0
    while True:
        stamped, pieces = stamp(), read()
        change = difference(shown, pieces)
        if change:
            data = json.dumps({**stamped, **change}, ensure_ascii=False)
            await response.write(f"event: {event}\ndata: {data}\n\n".encode())
            shown, event, silence = pieces, "change", 0.0
        elif silence > KEEPALIVE_SECONDS:
            await response.write(b": still here\n\n")
            silence = 0.0
        with suppress(TimeoutError):
            await asyncio.wait_for(changed.wait(), POLL_SECONDS)
        silence += POLL_SECONDS
        await asyncio.sleep(BATCH_SECONDS)
        changed.clear()
