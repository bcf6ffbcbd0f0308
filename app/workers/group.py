"""The workers of one replica, started and stopped together."""

import asyncio
from collections.abc import Mapping
from typing import Any

from app.workers.runner import Worker


class WorkerGroup:
    """`stop`, then `drain` or `cancel`."""

    def __init__(self, workers: Mapping[str, Worker]) -> None:
        self._workers = workers
        self._running: list[asyncio.Task[None]] = []

    def __getitem__(self, name: str) -> Worker:
        return self._workers[name]

    def start(self) -> None:
        """Runs every worker in a task of its own."""
        self._running = [asyncio.create_task(each.run(), name=name) for name, each in self._workers.items()]

    async def stop(self) -> None:
        """Claims nothing more. Jobs go on."""
        for task in self._running:
            task.cancel()
        await asyncio.gather(*self._running, return_exceptions=True)

    async def drain(self) -> None:
        """Waits for the running jobs."""
        await asyncio.gather(*(worker.drain() for worker in self._workers.values()))

    def running_jobs(self) -> dict[str, int]:
        """How many jobs run, of each worker that has any."""
        return {name: worker.running_jobs for name, worker in self._workers.items() if worker.running_jobs}

    def cancel(self) -> set[asyncio.Task[Any]]:
        """Cancels workers and jobs, and returns their tasks. Another replica takes the jobs when their leases end."""
        for task in self._running:
            task.cancel()
        return set(self._running).union(*(worker.cancel() for worker in self._workers.values()))
