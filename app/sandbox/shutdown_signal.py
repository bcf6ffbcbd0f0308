"""Ctrl-C, SIGTERM and SIGHUP as a flag that is checked between steps, so that no step is interrupted."""

import os
import select
import signal
from types import FrameType
from typing import Final, Self

SIGNALS: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class ShutdownSignal:
    """Set by the first signal; further signals do nothing, so that the shutdown is not interrupted either.
    Handles signals after `listen()`, which only the main thread may call."""

    def __init__(self) -> None:
        self.requested = False
        self._read, self._write = os.pipe()
        os.set_blocking(self._write, False)

    def listen(self) -> Self:
        for number in SIGNALS:
            signal.signal(number, self._request)
        return self

    def wait(self, seconds: float | None = None) -> bool:
        """Whether a shutdown was requested within so many real seconds; None: waits until it is."""
        select.select([self._read], [], [], seconds)
        return self.requested

    def _request(self, _signal: int, _frame: FrameType | None) -> None:
        if not self.requested:
            self.requested = True
            # The pipe is never read, so that from now on every wait ends at once.
            os.write(self._write, b".")
