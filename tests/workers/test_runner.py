"""Workers: no wake-up is lost, no error ends them, and one slow job delays no other."""

import asyncio
from collections.abc import AsyncIterator, Coroutine, Sequence
from contextlib import asynccontextmanager, suppress
from itertools import pairwise
from typing import Any

import pytest
from prometheus_client import REGISTRY

from app.flow.ports.database import DatabaseUnavailable
from app.workers.foreground import ForegroundTracker
from app.workers.runner import Worker

NEVER = 3600.0


class Work:
    """Jobs that wait to be claimed, each running until it is let go."""

    def __init__(self, *jobs: str) -> None:
        self.due = list(jobs)
        self.running: set[str] = set()
        self.done: list[str] = []
        self.steps = 0
        self._go: dict[str, asyncio.Event] = {}
        self._moved = asyncio.Condition()

    async def step(self, limit: int) -> Sequence[Coroutine[Any, Any, None]]:
        async with self._moved:
            self.steps += 1
            self._moved.notify_all()
        taken, self.due = self.due[:limit], self.due[limit:]
        return [self._run(job) for job in taken]

    def let_go(self, job: str) -> None:
        self._go.setdefault(job, asyncio.Event()).set()

    async def until(self, predicate: Any) -> None:
        async with asyncio.timeout(10), self._moved:
            await self._moved.wait_for(predicate)

    async def _run(self, job: str) -> None:
        async with self._moved:
            self.running.add(job)
            self._moved.notify_all()
        await self._go.setdefault(job, asyncio.Event()).wait()
        if job == "bad":
            raise ValueError(job)
        async with self._moved:
            self.running.discard(job)
            self.done.append(job)
            self._moved.notify_all()


@asynccontextmanager
async def running(worker: Worker) -> AsyncIterator[None]:
    task = asyncio.create_task(worker.run())
    yield
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task
    await worker.drain()


async def test_a_wake_wakes_a_resting_worker() -> None:
    work = Work()
    worker = Worker(name="test", step=work.step, concurrency=2, poll_interval=NEVER)
    async with running(worker):
        await work.until(lambda: work.steps == 1)
        work.due.append("a")
        worker.wake()
        await work.until(lambda: work.running == {"a"})
        work.let_go("a")
        await work.until(lambda: work.done == ["a"])


async def test_a_wake_that_comes_during_a_step_is_not_lost() -> None:
    work = Work()
    waked = asyncio.Event()

    async def step(limit: int) -> Sequence[Coroutine[Any, Any, None]]:
        found = await work.step(limit)
        if not waked.is_set():
            waked.set()
            work.due.append("late")  # committed after the claim has looked
            worker.wake()
        return found

    worker = Worker(name="test", step=step, concurrency=2, poll_interval=NEVER)
    async with running(worker):
        await work.until(lambda: work.running == {"late"})
        work.let_go("late")


async def test_steps_start_an_interval_apart_however_often_the_worker_is_woken() -> None:
    work, started = Work(), list[float]()

    async def step(limit: int) -> Sequence[Coroutine[Any, Any, None]]:
        started.append(asyncio.get_running_loop().time())
        worker.wake()  # by what is committed during the step
        return await work.step(limit)

    worker = Worker(name="test", step=step, concurrency=1, poll_interval=NEVER, min_interval=0.03)
    async with running(worker):
        await work.until(lambda: len(started) >= 4)
    assert all(later - earlier >= 0.029 for earlier, later in pairwise(started))


async def test_a_full_worker_goes_on_as_soon_as_a_slot_is_free() -> None:
    work = Work("a", "b", "c")
    worker = Worker(name="test", step=work.step, concurrency=2, poll_interval=NEVER)
    async with running(worker):
        await work.until(lambda: work.running == {"a", "b"})
        work.let_go("b")
        await work.until(lambda: work.running == {"a", "c"})
        for job in "ac":
            work.let_go(job)
        await work.until(lambda: len(work.done) == 3)


async def test_a_slow_job_delays_no_other() -> None:
    work = Work("slow")
    worker = Worker(name="test", step=work.step, concurrency=2, poll_interval=NEVER)
    async with running(worker):
        await work.until(lambda: work.running == {"slow"})
        work.due.append("quick")
        work.let_go("quick")
        worker.wake()
        await work.until(lambda: work.done == ["quick"])
        assert work.running == {"slow"}
        work.let_go("slow")


async def test_a_job_that_fails_is_counted_and_ends_nothing() -> None:
    work = Work("bad", "good")
    work.let_go("bad")
    work.let_go("good")
    worker = Worker(name="fails", step=work.step, concurrency=2, poll_interval=NEVER)
    sample = ("switchgate_worker_failures_total", {"worker": "fails"})
    before = REGISTRY.get_sample_value(*sample) or 0
    async with running(worker):
        await work.until(lambda: work.done == ["good"])
        work.due.append("next")
        work.let_go("next")
        worker.wake()
        await work.until(lambda: "next" in work.done)
    assert REGISTRY.get_sample_value(*sample) == before + 1


@pytest.mark.parametrize("error", [DatabaseUnavailable("away"), ValueError("ours")])
async def test_a_step_that_fails_is_taken_again(error: Exception) -> None:
    work = Work("a")
    work.let_go("a")
    failed = False

    async def step(limit: int) -> Sequence[Coroutine[Any, Any, None]]:
        nonlocal failed
        if not failed:
            failed = True
            raise error
        return await work.step(limit)

    async with running(Worker(name="test", step=step, concurrency=1, poll_interval=NEVER)):
        await work.until(lambda: work.done == ["a"])
    assert failed


async def test_running_jobs_are_waited_for_when_the_worker_stops() -> None:
    work = Work("a")
    worker = Worker(name="test", step=work.step, concurrency=1, poll_interval=NEVER)
    task = asyncio.create_task(worker.run())
    await work.until(lambda: work.running == {"a"})
    task.cancel()
    draining = asyncio.create_task(worker.drain())
    work.let_go("a")
    await draining
    assert work.done == ["a"]
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_while_a_request_is_in_flight_a_worker_runs_one_job_at_a_time() -> None:
    work = Work("a", "b")
    foreground = ForegroundTracker()
    worker = Worker(
        name="test", step=work.step, concurrency=2, poll_interval=NEVER, foreground=foreground, max_yield=0.01
    )
    with foreground.request():
        async with running(worker):
            await work.until(lambda: work.running == {"a"})
            work.let_go("a")
            await work.until(lambda: work.running == {"b"})
            assert work.done == ["a"]
            work.let_go("b")


async def test_a_worker_starts_as_soon_as_the_last_request_has_ended() -> None:
    work = Work("a")
    work.let_go("a")
    foreground = ForegroundTracker()
    worker = Worker(
        name="test",
        step=work.step,
        concurrency=1,
        poll_interval=NEVER,
        foreground=foreground,
        max_yield=NEVER,
        quiet_period=0.0,
    )
    with foreground.request():
        async with running(worker):
            await asyncio.sleep(0)
            with foreground.request():
                pass
            await asyncio.sleep(0)
            assert work.steps == 0

    async with running(worker):
        await work.until(lambda: work.done == ["a"])


async def test_without_recent_requests_a_worker_uses_all_its_slots() -> None:
    work = Work("a", "b")
    foreground = ForegroundTracker()
    worker = Worker(
        name="test",
        step=work.step,
        concurrency=2,
        poll_interval=NEVER,
        foreground=foreground,
        max_yield=NEVER,
    )
    async with running(worker):
        await work.until(lambda: work.running == {"a", "b"})
        for job in "ab":
            work.let_go(job)
