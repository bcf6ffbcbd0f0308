"""The stand-in's clock: it runs at any speed, is stopped, or is advanced by hand."""

import heapq
import itertools
import threading
from collections.abc import Callable
from datetime import UTC, datetime
from time import monotonic, time

from app.sandbox.aws.state.lock import AccountLock


class Clock:
    """Stand-in seconds since the epoch, and the work scheduled on it.

    `speed` is stand-in seconds per real second; 0 stops it, so that only `advance` moves it. Starts at
    the real time by default. Due work runs in the clock's own thread, or inside `advance`.
    """

    def __init__(self, lock: AccountLock, *, speed: float = 1.0, start: datetime | None = None) -> None:
        self._lock = lock
        self._speed = speed
        self._anchor = start.timestamp() if start else time()
        self._anchored_at = monotonic()
        self._held: float | None = None
        self._due: list[tuple[float, int, Callable[[], None]]] = []
        self._order = itertools.count()
        self._wake = threading.Event()
        self._stopping = False
        self._thread = threading.Thread(target=self._run, name="stand-in:clock", daemon=True)

    def seconds(self) -> float:
        """Now, as CodeDeploy writes its times: seconds since the epoch."""
        if self._held is not None:
            return self._held
        return self._anchor + (monotonic() - self._anchored_at) * self._speed

    def now(self) -> datetime:
        with self._lock.hold():
            return datetime.fromtimestamp(self.seconds(), UTC)

    @property
    def speed(self) -> float:
        return self._speed

    @speed.setter
    def speed(self, speed: float) -> None:
        if speed < 0:
            raise ValueError("time does not run backwards")
        with self._lock.hold():
            self._anchor, self._anchored_at = self.seconds(), monotonic()
            self._speed = speed
        self._wake.set()

    def after(self, seconds: float, work: Callable[[], None]) -> None:
        """With the lock held: `work` runs, under the lock, when `seconds` have passed."""
        heapq.heappush(self._due, (self.seconds() + seconds, next(self._order), work))
        self._wake.set()

    def advance(self, seconds: float) -> None:
        """Moves time forward; on return all work due by then has run, each at its own time."""
        if seconds < 0:
            raise ValueError("time does not run backwards")
        with self._lock.hold():
            target = self.seconds() + seconds
            self._run_due(target)
            self._anchor, self._anchored_at = target, monotonic()
        self._wake.set()

    def advance_to_next(self, *, at_most: float) -> float | None:
        """Moves to the next due work, at most so many seconds away; returns the seconds moved."""
        with self._lock.hold():
            if not self._due:
                return None
            step = max(0.0, self._due[0][0] - self.seconds())
            if step > at_most:
                return None
            self.advance(step)
            return step

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stopping = True
        self._wake.set()
        if self._thread.is_alive():
            self._thread.join(10)

    def _run(self) -> None:
        while not self._stopping:
            self._wake.clear()
            with self._lock.hold():
                self._run_due(self.seconds())
                wait = self._until_next()
            self._wake.wait(wait)

    def _until_next(self) -> float | None:
        """Real seconds; None for ever."""
        if not self._due or not self._speed:
            return None
        # An hour of a slow clock is longer than what the platform's wait takes.
        return min(60.0, max(0.0, (self._due[0][0] - self.seconds()) / self._speed))

    def _run_due(self, until: float) -> None:
        try:
            while self._due and self._due[0][0] <= until:
                due, _, work = heapq.heappop(self._due)
                self._held = max(due, self._anchor)
                work()
        finally:
            self._held = None
