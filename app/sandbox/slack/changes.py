"""One change at a time, and who listens hears of it afterwards."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from time import monotonic


class Changes:
    """The workspace's one lock. Listeners are called when a turn that changed something is over, outside of it."""

    def __init__(self) -> None:
        self._condition = threading.Condition(threading.RLock())
        self._depth = 0
        self._stirred = False
        self._listeners: list[Callable[[], object]] = []

    def listen(self, listener: Callable[[], object]) -> None:
        """`listener` is called in whichever thread made the change: be quick."""
        self._listeners.append(listener)

    @contextmanager
    def turn(self) -> Iterator[None]:
        """Holds the lock to look; turns may nest."""
        stirred = False
        with self._condition:
            self._depth += 1
            try:
                yield
            finally:
                self._depth -= 1
                if not self._depth and self._stirred:
                    stirred, self._stirred = True, False
                    self._condition.notify_all()
        for listener in self._listeners if stirred else ():
            listener()

    @contextmanager
    def change(self) -> Iterator[None]:
        """Holds the lock to change something."""
        with self.turn():
            yield
            self._stirred = True

    def wait_until(self, predicate: Callable[[], object], timeout: float) -> bool:
        """Whether the predicate came true within `timeout` real seconds; it is asked under the lock."""
        end = monotonic() + timeout
        with self._condition:
            while not predicate():
                left = end - monotonic()
                if left <= 0:
                    return False
                # A predicate may look at something that no turn announces, so it is asked again anyway.
                self._condition.wait(min(left, 0.05))
            return True
