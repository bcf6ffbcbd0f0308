"""Runs the loops: each carries something out of the record, takes no input, and may run twice.

A step gives the work that it claimed; the runner does it beside the next step, so that one slow call holds up
nothing else. A nudge (a commit in this process) wakes a loop at once; the tick is the safety net that also picks
up a killed replica's work.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import structlog

from app.flow.ports.database import DatabaseUnavailable
from app.observability.metrics import LOOP_FAILURES, LOOP_SECONDS
from app.workers.foreground import QUIET, Calm

log = structlog.get_logger(__name__)

Step = Callable[[int], Awaitable[Sequence[Coroutine[Any, Any, None]]]]
"""Claims at most so many pieces of work and gives them, ready to run."""

TROUBLE_SECONDS: Final = 1.0


@dataclass(kw_only=True)
class Loop:
    """One loop. `room`: pieces at once. `tick`: seconds between looks when nobody nudges.

    With `calm`, it lets whoever stands at a door go first, until nobody has for `quiet` seconds, for `patience`
    seconds at most; and while more may come it does no more than `crowded` pieces at once.
    """

    name: str
    step: Step
    room: int
    tick: float
    calm: Calm | None = None
    patience: float = 0.0
    quiet: float = QUIET
    crowded: int = 1
    _more: bool = False
    _wake: asyncio.Event = field(default_factory=asyncio.Event)
    _running: set[asyncio.Task[None]] = field(default_factory=set)

    def nudge(self) -> None:
        """There is work now."""
        self._wake.set()

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            try:
                await self._once()
                LOOP_SECONDS.labels(loop=self.name).set(time.time())
            except DatabaseUnavailable as trouble:
                log.warning("loop_waits_for_the_record", loop=self.name, problem=str(trouble))
                await asyncio.sleep(TROUBLE_SECONDS)
            except Exception:
                LOOP_FAILURES.labels(loop=self.name).inc()
                log.exception("loop_step_failed", loop=self.name)
                await asyncio.sleep(TROUBLE_SECONDS)

    async def drain(self) -> None:
        """Waits for the pieces under way."""
        if self._running:
            await asyncio.wait(list(self._running))

    @property
    def is_busy(self) -> bool:
        """Whether a piece is under way."""
        return bool(self._running)

    def cancel(self) -> set[asyncio.Task[None]]:
        """Cancels the pieces under way, and gives them; each is another replica's after its lease."""
        for task in self._running:
            task.cancel()
        return set(self._running)

    async def settle(self) -> None:
        """Steps by hand until nothing is due and nothing runs: for tests."""
        while True:
            work = await self.step(self.room)
            if not work:
                return
            await asyncio.gather(*work)

    async def _once(self) -> None:
        self._wake.clear()
        room = self.room - len(self._running)
        if self.calm is not None:
            await self.calm.wait(self.patience, quiet=self.quiet)
            room = room if self.calm.over else min(room, self.crowded - len(self._running))
        work = await self.step(room) if room > 0 else []
        self._more = len(work) >= room
        for piece in work:
            task = asyncio.create_task(self._guarded(piece))
            self._running.add(task)
            task.add_done_callback(self._done)
        if not work or not self._more:
            await self._rest()

    async def _rest(self) -> None:
        try:
            async with asyncio.timeout(self.tick):
                await self._wake.wait()
        except TimeoutError:
            return

    def _done(self, task: asyncio.Task[None]) -> None:
        self._running.discard(task)
        if self._more:
            self._wake.set()  # there was no room for all; now there is

    async def _guarded(self, piece: Coroutine[Any, Any, None]) -> None:
        try:
            await piece
        except DatabaseUnavailable as trouble:
            log.warning("loop_waits_for_the_record", loop=self.name, problem=str(trouble))
        except Exception:
            # The row stays leased and is due again when the lease ends.
            LOOP_FAILURES.labels(loop=self.name).inc()
            log.exception("loop_piece_failed", loop=self.name)
