"""Waiting on a `threading.Condition`, for the locks of both stand-ins."""

import threading
from collections.abc import Callable
from time import monotonic
from typing import Final

POLL_SECONDS: Final = 0.05


def wait_until(condition: threading.Condition, predicate: Callable[[], object], *, timeout: float) -> bool:
    """Whether the predicate became true within `timeout` real seconds. It runs with the condition's lock held.

    It is also polled, because it may read state that is changed without a notification.
    """
    end = monotonic() + timeout
    with condition:
        while not predicate():
            left = end - monotonic()
            if left <= 0:
                return False
            condition.wait(min(left, POLL_SECONDS))
        return True
