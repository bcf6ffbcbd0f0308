"""Background tasks after the ack, and the listeners that run now. Shutdown waits for both."""

import asyncio
from collections.abc import Awaitable, Iterator
from contextlib import contextmanager
from typing import Any, Final

import structlog

from app.flow.ports.database import DatabaseUnavailable
from app.slack.client import SLACK_CALL_ERRORS, error_code_of
from app.workers.foreground import ForegroundTracker

log = structlog.get_logger(__name__)

TASK_TIMEOUT_SECONDS: Final = 16


class BackgroundTasks:
    """One per process, used in its event loop only."""

    def __init__(self, foreground: ForegroundTracker) -> None:
        self._foreground = foreground
        self._tasks: set[asyncio.Task[None]] = set()
        self._listeners = 0
        self._idle = asyncio.Event()

    def run(self, work: Awaitable[Any], *, what: str) -> None:
        """Runs `work` in a task; failures are logged."""
        task = asyncio.create_task(self._logged(work, what))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    @contextmanager
    def listening(self) -> Iterator[None]:
        """Counts a running listener, because closing the socket does not wait for them."""
        self._listeners += 1
        try:
            with self._foreground.request():
                yield
        finally:
            self._listeners -= 1
            if self._listeners == 0:
                self._idle.set()

    async def wait_until_idle(self) -> None:
        """Waits until no listener runs."""
        self._idle.clear()
        if self._listeners:
            await self._idle.wait()

    async def drain(self) -> None:
        """Waits for all tasks, and for those that they start."""
        while self._tasks:
            await asyncio.wait(list(self._tasks))

    def cancel(self) -> set[asyncio.Task[None]]:
        """Cancels and returns all tasks; they may take a moment to end."""
        for task in self._tasks:
            task.cancel()
        return set(self._tasks)

    async def _logged(self, work: Awaitable[Any], what: str) -> None:
        try:
            async with asyncio.timeout(TASK_TIMEOUT_SECONDS):
                await work
        except SLACK_CALL_ERRORS as exc:
            log.warning("slack_reply_failed", what=what, problem=error_code_of(exc))
        except DatabaseUnavailable as exc:
            log.warning("slack_reply_without_database", what=what, problem=str(exc))
        except Exception:
            log.exception("slack_reply_failed", what=what)
