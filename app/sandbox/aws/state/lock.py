"""The lock on the stand-in's state. Listeners are notified after each change."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from app.sandbox.condition import wait_until


class AccountLock:
    """The stand-in's only lock. Listeners are called after the lock is released."""

    def __init__(self) -> None:
        self._condition = threading.Condition(threading.RLock())
        self._depth = 0
        self._waiters_due = False
        self._changed_domains: dict[str, None] = {}
        self._listeners: list[Callable[[str], object]] = []

    def listen(self, listener: Callable[[str], object]) -> None:
        """`listener` gets the name of the changed domain, in the thread that changed it. It must be quick."""
        self._listeners.append(listener)

    @contextmanager
    def hold(self) -> Iterator[None]:
        """Holds the lock. Reentrant."""
        changed: list[str] = []
        with self._condition:
            self._depth += 1
            try:
                yield
            finally:
                self._depth -= 1
                if not self._depth:
                    changed = self._release()
        for domain in changed:
            for listener in self._listeners:
                listener(domain)

    def notify_changed(self, domain: str) -> None:
        """Records that the domain changed. Call with the lock held."""
        self._changed_domains[domain] = None
        self._waiters_due = True

    def notify(self) -> None:
        """Wakes `wait_until` without calling listeners. Call with the lock held."""
        self._waiters_due = True

    def wait_until(self, predicate: Callable[[], bool], timeout: float) -> bool:
        """Whether the predicate became true within `timeout` real seconds. It runs with the lock held."""
        return wait_until(self._condition, predicate, timeout=timeout)

    def _release(self) -> list[str]:
        if self._waiters_due:
            self._waiters_due = False
            self._condition.notify_all()
        changed = list(self._changed_domains)
        self._changed_domains.clear()
        return changed
