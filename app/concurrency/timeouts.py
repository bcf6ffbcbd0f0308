"""Enforces a timeout even when cancellation is slow.

psycopg answers a cancellation by asking the server to cancel the query, and waits for that up to ten seconds. If
the server does not respond at all, `asyncio.timeout` is late by as much. A request handler cannot wait that long.
"""

import asyncio
from collections.abc import Coroutine
from contextvars import ContextVar, copy_context
from typing import Any, TypeVar

from app.flow.ports.database import CommitOutcomeUnknown

T = TypeVar("T")


class _Progress:
    """Shared between the work and its caller."""

    commit_sent = False


_progress: ContextVar[_Progress | None] = ContextVar("progress", default=None)
_abandoned: set[asyncio.Task[Any]] = set()


async def run_with_timeout(seconds: float, work: Coroutine[Any, Any, T]) -> T:
    """The result of `work`. Raises `TimeoutError` after `seconds`; the work is then cancelled and ends by itself.

    Raises `CommitOutcomeUnknown` if the work had called `mark_commit_sent`.
    """
    progress, context = _Progress(), copy_context()
    context.run(_progress.set, progress)
    task = asyncio.create_task(work, context=context)
    try:
        await asyncio.wait({task}, timeout=seconds)
    finally:
        if not task.done():
            task.cancel()
            _abandoned.add(task)
            task.add_done_callback(_discard)
    if not task.done():
        raise CommitOutcomeUnknown("timed out") if progress.commit_sent else TimeoutError
    return task.result()


async def run_until(moment: float, work: Coroutine[Any, Any, T]) -> T:
    """As `run_with_timeout`, with a moment of the running loop's clock as the limit."""
    return await run_with_timeout(moment - asyncio.get_running_loop().time(), work)


def mark_commit_sent() -> None:
    """From here on a cancellation does not undo the work, because COMMIT is sent.

    This stays so after COMMIT was answered: the caller learns of the answer only when the work has ended.
    """
    progress = _progress.get()
    if progress is not None:
        progress.commit_sent = True


def _discard(task: asyncio.Task[Any]) -> None:
    """Ignores how abandoned work ended: it was rolled back, or its caller got `CommitOutcomeUnknown`."""
    _abandoned.discard(task)
    if not task.cancelled():
        task.exception()
