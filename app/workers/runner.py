"""Runs a worker. Its work is in the database; it takes no input, and may do the same work twice.

A step claims jobs and returns them. The runner runs them concurrently with the next step, so that one slow call
delays nothing else. `wake`, called after a commit in this process, starts a step at once. The poll interval finds what
no wakeup announced, such as the work of a killed replica.
"""

import asyncio
import math
import time
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import structlog
from structlog.contextvars import bind_contextvars

from app.flow.ports.database import DatabaseUnavailable
from app.observability.metrics import WORKER_FAILURES, WORKER_LAST_SUCCESS, WORKER_POLL_INTERVAL
from app.workers.foreground import QUIET_PERIOD_SECONDS, ForegroundTracker

log = structlog.get_logger(__name__)

Jobs = Sequence[Coroutine[Any, Any, None]]
Step = Callable[[int], Awaitable[Jobs]]
"""Claims at most so many jobs and returns them, ready to run."""

PAUSE_AFTER_ERROR_SECONDS: Final = 1.0
"""After a step that failed, so that a persistent error does not fill the log."""


@dataclass(kw_only=True)
class Worker:
    """Runs at most `concurrency` jobs at once, and polls every `poll_interval` seconds when nothing wakes it.

    However often it is woken, a step starts `min_interval` seconds after the one before at the earliest.

    With `foreground`, it yields to requests: before each step it waits until there was none for `quiet_period`
    seconds, for `max_yield` seconds at most. While more requests are likely, it runs at most `busy_concurrency` jobs.
    """

    name: str
    step: Step
    concurrency: int
    poll_interval: float
    foreground: ForegroundTracker | None = None
    max_yield: float = 0.0
    quiet_period: float = QUIET_PERIOD_SECONDS
    busy_concurrency: int = 1
    min_interval: float = 0.0
    _last_started_at: float = field(default=-math.inf)
    _more_due: bool = False
    _woken: asyncio.Event = field(default_factory=asyncio.Event)
    _running: set[asyncio.Task[None]] = field(default_factory=set)

    def wake(self) -> None:
        """Starts a step now instead of after the poll interval."""
        self._woken.set()

    async def run(self) -> None:
        """Runs until cancelled. It needs a task of its own: the log lines of steps and jobs carry the worker's name."""
        bind_contextvars(worker=self.name)
        WORKER_POLL_INTERVAL.labels(worker=self.name).set(self.poll_interval)
        while True:
            try:
                await self._run_step()
                WORKER_LAST_SUCCESS.labels(worker=self.name).set(time.time())
            except DatabaseUnavailable as exc:
                log.warning("worker_waits_for_database", worker=self.name, problem=str(exc))
                await asyncio.sleep(PAUSE_AFTER_ERROR_SECONDS)
            except Exception:
                WORKER_FAILURES.labels(worker=self.name).inc()
                log.exception("worker_step_failed", worker=self.name)
                await asyncio.sleep(PAUSE_AFTER_ERROR_SECONDS)

    async def drain(self) -> None:
        """Waits for the running jobs."""
        if self._running:
            await asyncio.wait(list(self._running))

    @property
    def running_jobs(self) -> int:
        """How many jobs run now."""
        return len(self._running)

    def cancel(self) -> set[asyncio.Task[None]]:
        """Cancels the running jobs and returns them. Another replica takes each over when its lease ends."""
        for task in self._running:
            task.cancel()
        return set(self._running)

    async def run_until_idle(self) -> None:
        """Runs steps until nothing is due and nothing runs. For tests."""
        while True:
            jobs = await self.step(self.concurrency)
            if not jobs:
                return
            await asyncio.gather(*jobs)

    async def _run_step(self) -> None:
        await self._wait_for_interval()
        self._woken.clear()
        free = self.concurrency - len(self._running)
        if self.foreground is not None:
            await self.foreground.wait_until_quiet(self.max_yield, quiet_period=self.quiet_period)
            if not self.foreground.is_idle:
                free = min(free, self.busy_concurrency - len(self._running))
        jobs = await self.step(free) if free > 0 else []
        self._more_due = len(jobs) >= free
        for job in jobs:
            task = asyncio.create_task(self._run_job(job))
            self._running.add(task)
            task.add_done_callback(self._job_ended)
        if not jobs or not self._more_due:
            await self._wait_for_work()

    async def _wait_for_interval(self) -> None:
        time_of_loop = asyncio.get_running_loop().time
        await asyncio.sleep(max(0.0, self._last_started_at + self.min_interval - time_of_loop()))
        self._last_started_at = time_of_loop()

    async def _wait_for_work(self) -> None:
        try:
            async with asyncio.timeout(self.poll_interval):
                await self._woken.wait()
        except TimeoutError:
            return

    def _job_ended(self, task: asyncio.Task[None]) -> None:
        self._running.discard(task)
        if self._more_due:
            self._woken.set()  # all slots were taken; now one is free

    async def _run_job(self, job: Coroutine[Any, Any, None]) -> None:
        try:
            await job
        except DatabaseUnavailable as exc:
            log.warning("worker_waits_for_database", worker=self.name, problem=str(exc))
        except Exception:
            # The row stays leased and is due again when the lease ends.
            WORKER_FAILURES.labels(worker=self.name).inc()
            log.exception("worker_job_failed", worker=self.name)
