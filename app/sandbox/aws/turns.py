"""One change at a time, and who listens hears of it afterwards."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from time import monotonic


class Turns:
    """The stand-in's one lock. Listeners are called when a turn is over, outside of the lock."""

    def __init__(self) -> None:
        self._condition = threading.Condition(threading.RLock())
        self._depth = 0
        self._stirred = False
        self._changed: dict[str, None] = {}
        self._listeners: list[Callable[[str], object]] = []

    def listen(self, listener: Callable[[str], object]) -> None:
        """`listener` gets the name of a domain that changed, in whichever thread changed it: be quick."""
        self._listeners.append(listener)

    @contextmanager
    def turn(self) -> Iterator[None]:
        """Holds the lock; turns may nest."""
        told: list[str] = []
        with self._condition:
            self._depth += 1
            try:
                yield
            finally:
                self._depth -= 1
                if not self._depth:
                    told = self._end()
        for domain in told:
            for listener in self._listeners:
                listener(domain)

    def changed(self, domain: str) -> None:
        """To be called inside a turn: the domain looks different now."""
        self._changed[domain] = None
        self._stirred = True

    def stir(self) -> None:
        """To be called inside a turn: wakes those who wait, tells no listener."""
        self._stirred = True

    def wait_until(self, predicate: Callable[[], bool], timeout: float) -> bool:
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

    def _end(self) -> list[str]:
        if self._stirred:
            self._stirred = False
            self._condition.notify_all()
        told = list(self._changed)
        self._changed.clear()
        return told
