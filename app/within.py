"""Waits so long and no longer, whatever the work does about being cancelled.

psycopg answers a cancellation by asking the server to cancel the query, and waits for that up to ten seconds;
where the server says nothing at all, `asyncio.timeout` is that much late. Who waits at a door cannot be.
"""

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")

_given_up: set[asyncio.Task[Any]] = set()


async def within(seconds: float, work: Coroutine[Any, Any, T]) -> T:
    """What `work` gives. Raises `TimeoutError` after `seconds`; the work is then cancelled, and ends by itself."""
    task = asyncio.create_task(work)
    try:
        await asyncio.wait({task}, timeout=seconds)
    finally:
        if not task.done():
            task.cancel()
            _given_up.add(task)
            task.add_done_callback(_forget)
    if not task.done():
        raise TimeoutError
    return task.result()


async def by(moment: float, work: Coroutine[Any, Any, T]) -> T:
    """The same until a moment of the running loop's time."""
    return await within(moment - asyncio.get_running_loop().time(), work)


def _forget(task: asyncio.Task[Any]) -> None:
    """How abandoned work ended is nobody's to hear: its transaction was rolled back."""
    _given_up.discard(task)
    if not task.cancelled():
        task.exception()
