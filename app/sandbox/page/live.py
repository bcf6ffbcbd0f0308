"""What has changed since, as server-sent events: https://html.spec.whatwg.org/multipage/server-sent-events.html."""

import asyncio
import json
from collections.abc import Callable
from contextlib import suppress
from typing import Any, Final

from aiohttp import web

Pieces = dict[str, Any]

POLL_SECONDS: Final = 1.0
"""How long a change that nobody rang for stays unseen."""

BATCH_SECONDS: Final = 0.04
"""Changes come in bursts; this long they are gathered."""

KEEPALIVE_SECONDS: Final = 15.0
"""A stream that says nothing for longer is taken for dead by something on the way."""


class ChangeNotifier:
    """Rung from any thread after a change; whoever listens on a loop wakes."""

    def __init__(self) -> None:
        self._listening: set[tuple[asyncio.AbstractEventLoop, asyncio.Event]] = set()

    def notify(self, *_: object) -> None:
        for loop, event in list(self._listening):
            with suppress(RuntimeError):  # a loop that has just been closed
                loop.call_soon_threadsafe(event.set)

    def subscribe(self) -> asyncio.Event:
        """Set at every notify until `unsubscribe`."""
        event = asyncio.Event()
        self._listening.add((asyncio.get_running_loop(), event))
        return event

    def unsubscribe(self, event: asyncio.Event) -> None:
        self._listening = {one for one in self._listening if one[1] is not event}


def difference(old: Pieces, new: Pieces) -> Pieces:
    """`{"put": what is new or other, "gone": keys}`; empty when there is none."""
    put = {key: piece for key, piece in new.items() if key not in old or old[key] != piece}
    gone = [key for key in old if key not in new]
    return {"put": put, "gone": gone} if put or gone else {}


async def stream(
    request: web.Request, notifier: ChangeNotifier, *, read: Callable[[], Pieces], now: Callable[[], float]
) -> web.StreamResponse:
    """Everything at first, then the differences, each with the stand-in's time, until the reader leaves."""
    response = web.StreamResponse(
        headers={"Content-Type": "text/event-stream", "Cache-Control": "no-store", "X-Accel-Buffering": "no"}
    )
    await response.prepare(request)
    changed = notifier.subscribe()
    try:
        await _send_changes(response, changed, read=read, now=now)
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
    now: Callable[[], float],
) -> None:
    shown: Pieces = {}
    event, silence = "all", 0.0
    while True:
        pieces = read()
        change = difference(shown, pieces)
        if change:
            data = json.dumps({"now": now(), **change}, ensure_ascii=False)
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
