"""The lock on the workspace's state. Listeners are notified after each change."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from app.sandbox.condition import wait_until


class WorkspaceLock:
    """The workspace's only lock. Listeners are called after the lock is released, if something changed."""

    def __init__(self) -> None:
        self._condition = threading.Condition(threading.RLock())
        self._depth = 0
        self._changed = False
        self._listeners: list[Callable[[], object]] = []

    def listen(self, listener: Callable[[], object]) -> None:
        """`listener` is called in the thread that made the change. It must be quick."""
        self._listeners.append(listener)

    @contextmanager
    def hold(self) -> Iterator[None]:
        """Holds the lock to read. Reentrant."""
        changed = False
        with self._condition:
            self._depth += 1
            try:
                yield
            finally:
                self._depth -= 1
                if not self._depth and self._changed:
                    changed, self._changed = True, False
                    self._condition.notify_all()
        for listener in self._listeners if changed else ():
            listener()

    @contextmanager
    def change(self) -> Iterator[None]:
        """Holds the lock to write, and notifies the listeners afterwards."""
        with self.hold():
            yield
            self._changed = True

    def wait_until(self, predicate: Callable[[], object], timeout: float) -> bool:
        """Whether the predicate became true within `timeout` real seconds. It runs with the lock held."""
        return wait_until(self._condition, predicate, timeout=timeout)
