"""Waits so long and no longer, whatever the work does about being cancelled.

psycopg answers a cancellation by asking the server to cancel the query, and waits for that up to ten seconds;
where the server says nothing at all, `asyncio.timeout` is that much late. Who waits at a door cannot be.
"""

import asyncio
from collections.abc import Coroutine
from contextvars import ContextVar, copy_context
from typing import Any, TypeVar

T = TypeVar("T")


class InDoubt(TimeoutError):
    """The time was up when the work could not be called back any more: whether it was done is not known here."""


class _Waiter:
    """What a piece of work tells whoever waits for it."""

    past_recall = False


_waiter: ContextVar[_Waiter | None] = ContextVar("waiter", default=None)
_given_up: set[asyncio.Task[Any]] = set()


async def within(seconds: float, work: Coroutine[Any, Any, T]) -> T:
    """What `work` gives. Raises `TimeoutError` after `seconds`; the work is then cancelled, and ends by itself.

    `InDoubt`, where it was past recall.
    """
    waiter, context = _Waiter(), copy_context()
    context.run(_waiter.set, waiter)
    task = asyncio.create_task(work, context=context)
    try:
        await asyncio.wait({task}, timeout=seconds)
    finally:
        if not task.done():
            task.cancel()
            _given_up.add(task)
            task.add_done_callback(_forget)
    if not task.done():
        raise InDoubt if waiter.past_recall else TimeoutError
    return task.result()


async def by(moment: float, work: Coroutine[Any, Any, T]) -> T:
    """The same until a moment of the running loop's time."""
    return await within(moment - asyncio.get_running_loop().time(), work)


def past_recall() -> None:
    """From here on cancelling undoes nothing: a COMMIT is sent, say.

    Nor after it was answered: until the work is over, whoever waits has not heard the answer.
    """
    waiter = _waiter.get()
    if waiter is not None:
        waiter.past_recall = True


def _forget(task: asyncio.Task[Any]) -> None:
    """How abandoned work ended is nobody's to hear: its transaction was rolled back, or it is `InDoubt`."""
    _given_up.discard(task)
    if not task.cancelled():
        task.exception()
