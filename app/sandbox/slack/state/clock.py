"""Slack's clock, used for trigger ids, response URLs, rates and message timestamps."""

import threading
from datetime import UTC, datetime
from time import time


class Clock:
    """The real time plus what `advance` added; with a `start` it is stopped and moved by `advance` only."""

    def __init__(self, start: datetime | None = None) -> None:
        self._still = start.timestamp() if start else None
        self._added = 0.0
        self._last_stamp = 0
        self._lock = threading.Lock()

    def seconds(self) -> float:
        """Since the epoch."""
        return (time() if self._still is None else self._still) + self._added

    def now(self) -> datetime:
        return datetime.fromtimestamp(self.seconds(), UTC)

    def advance(self, seconds: float) -> None:
        with self._lock:
            self._added += seconds

    def stamp(self) -> str:
        """A message's `ts`: seconds with six decimals, never the same twice."""
        with self._lock:
            self._last_stamp = max(self._last_stamp + 1, int(self.seconds() * 1_000_000))
            return f"{self._last_stamp // 1_000_000}.{self._last_stamp % 1_000_000:06d}"
