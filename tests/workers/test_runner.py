"""The loops: no nudge is lost, no trouble ends them, and one slow piece holds up nothing else."""

import asyncio
from collections.abc import AsyncIterator, Coroutine, Sequence
from contextlib import asynccontextmanager, suppress
from typing import Any

import pytest
from prometheus_client import REGISTRY

from app.flow.ports.database import DatabaseUnavailable
from app.workers.foreground import Calm
from app.workers.runner import Loop

NEVER = 3600.0


class Work:
    """Pieces that wait to be claimed, each running until it is let go."""

    def __init__(self, *pieces: str) -> None:
        self.due = list(pieces)
        self.running: set[str] = set()
        self.done: list[str] = []
        self.steps = 0
        self._go: dict[str, asyncio.Event] = {}
        self._moved = asyncio.Condition()

    async def step(self, room: int) -> Sequence[Coroutine[Any, Any, None]]:
        async with self._moved:
            self.steps += 1
            self._moved.notify_all()
        taken, self.due = self.due[:room], self.due[room:]
        return [self._run(piece) for piece in taken]

    def let_go(self, piece: str) -> None:
        self._go.setdefault(piece, asyncio.Event()).set()

    async def until(self, predicate: Any) -> None:
        async with asyncio.timeout(10), self._moved:
            await self._moved.wait_for(predicate)

    async def _run(self, piece: str) -> None:
        async with self._moved:
            self.running.add(piece)
            self._moved.notify_all()
        await self._go.setdefault(piece, asyncio.Event()).wait()
        if piece == "bad":
            raise ValueError(piece)
        async with self._moved:
            self.running.discard(piece)
            self.done.append(piece)
            self._moved.notify_all()


@asynccontextmanager
async def running(loop: Loop) -> AsyncIterator[None]:
    task = asyncio.create_task(loop.run())
    yield
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task
    await loop.drain()


async def test_a_nudge_wakes_a_resting_loop() -> None:
    work = Work()
    loop = Loop(name="test", step=work.step, room=2, tick=NEVER)
    async with running(loop):
        await work.until(lambda: work.steps == 1)
        work.due.append("a")
        loop.nudge()
        await work.until(lambda: work.running == {"a"})
        work.let_go("a")
        await work.until(lambda: work.done == ["a"])


async def test_a_nudge_that_comes_during_a_step_is_not_lost() -> None:
    work = Work()
    nudged = asyncio.Event()

    async def step(room: int) -> Sequence[Coroutine[Any, Any, None]]:
        found = await work.step(room)
        if not nudged.is_set():
            nudged.set()
            work.due.append("late")  # committed after the claim has looked
            loop.nudge()
        return found

    loop = Loop(name="test", step=step, room=2, tick=NEVER)
    async with running(loop):
        await work.until(lambda: work.running == {"late"})
        work.let_go("late")


async def test_a_full_loop_goes_on_as_soon_as_there_is_room() -> None:
    work = Work("a", "b", "c")
    loop = Loop(name="test", step=work.step, room=2, tick=NEVER)
    async with running(loop):
        await work.until(lambda: work.running == {"a", "b"})
        work.let_go("b")
        await work.until(lambda: work.running == {"a", "c"})
        for piece in "ac":
            work.let_go(piece)
        await work.until(lambda: len(work.done) == 3)


async def test_a_slow_piece_holds_up_no_other() -> None:
    work = Work("slow")
    loop = Loop(name="test", step=work.step, room=2, tick=NEVER)
    async with running(loop):
        await work.until(lambda: work.running == {"slow"})
        work.due.append("quick")
        work.let_go("quick")
        loop.nudge()
        await work.until(lambda: work.done == ["quick"])
        assert work.running == {"slow"}
        work.let_go("slow")


async def test_a_piece_that_fails_is_counted_and_ends_nothing() -> None:
    work = Work("bad", "good")
    work.let_go("bad")
    work.let_go("good")
    loop = Loop(name="fails", step=work.step, room=2, tick=NEVER)
    sample = ("switchgate_loop_failures_total", {"loop": "fails"})
    before = REGISTRY.get_sample_value(*sample) or 0
    async with running(loop):
        await work.until(lambda: work.done == ["good"])
        work.due.append("next")
        work.let_go("next")
        loop.nudge()
        await work.until(lambda: "next" in work.done)
    assert REGISTRY.get_sample_value(*sample) == before + 1


@pytest.mark.parametrize("trouble", [DatabaseUnavailable("away"), ValueError("ours")])
async def test_a_step_that_fails_is_taken_again(trouble: Exception) -> None:
    work = Work("a")
    work.let_go("a")
    failed = False

    async def step(room: int) -> Sequence[Coroutine[Any, Any, None]]:
        nonlocal failed
        if not failed:
            failed = True
            raise trouble
        return await work.step(room)

    async with running(Loop(name="test", step=step, room=1, tick=NEVER)):
        await work.until(lambda: work.done == ["a"])
    assert failed


async def test_what_is_under_way_is_waited_for_when_the_loop_stops() -> None:
    work = Work("a")
    loop = Loop(name="test", step=work.step, room=1, tick=NEVER)
    task = asyncio.create_task(loop.run())
    await work.until(lambda: work.running == {"a"})
    task.cancel()
    draining = asyncio.create_task(loop.drain())
    work.let_go("a")
    await draining
    assert work.done == ["a"]
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_while_somebody_is_at_the_door_a_loop_does_one_piece_at_a_time() -> None:
    work = Work("a", "b")
    calm = Calm()
    loop = Loop(name="test", step=work.step, room=2, tick=NEVER, calm=calm, patience=0.01)
    with calm.busy():
        async with running(loop):
            await work.until(lambda: work.running == {"a"})
            work.let_go("a")
            await work.until(lambda: work.running == {"b"})
            assert work.done == ["a"]
            work.let_go("b")


async def test_a_loop_starts_as_soon_as_the_last_has_left() -> None:
    work = Work("a")
    work.let_go("a")
    calm = Calm()
    loop = Loop(name="test", step=work.step, room=1, tick=NEVER, calm=calm, patience=NEVER, quiet=0.0)
    with calm.busy():
        async with running(loop):
            await asyncio.sleep(0)
            with calm.busy():
                pass
            await asyncio.sleep(0)
            assert work.steps == 0

    async with running(loop):
        await work.until(lambda: work.done == ["a"])


async def test_once_it_is_long_calm_a_loop_does_all_it_has_room_for() -> None:
    work = Work("a", "b")
    calm = Calm()
    loop = Loop(name="test", step=work.step, room=2, tick=NEVER, calm=calm, patience=NEVER)
    async with running(loop):
        await work.until(lambda: work.running == {"a", "b"})
        for piece in "ab":
            work.let_go(piece)
