"""Waiting for something that comes true by itself, in tests without a loop of their own."""

import time
from collections.abc import Callable


def until(predicate: Callable[[], object], timeout: float = 60) -> None:
    """Looks every few milliseconds. Raises `AssertionError` when it does not come true."""
    end = time.monotonic() + timeout
    while not predicate():
        assert time.monotonic() < end, "it did not come true in time"
        time.sleep(0.02)
