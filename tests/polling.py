"""Polling for a condition, in tests without an event loop."""

import time
from collections.abc import Callable


def until(predicate: Callable[[], object], timeout: float = 60) -> None:
    """Polls every few milliseconds. Raises `AssertionError` on a timeout."""
    end = time.monotonic() + timeout
    while not predicate():
        assert time.monotonic() < end, "timed out"
        time.sleep(0.02)
