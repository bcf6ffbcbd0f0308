"""Ctrl-C, SIGTERM and a closed terminal as a question that is asked between steps, so that nothing is cut off."""

import os
import select
import signal
from types import FrameType
from typing import Final, Self

SIGNALS: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class ShutdownSignal:
    """Up once somebody wants us to stop; more of the same then changes nothing, so that stopping is not cut off
    either. Listens from `listen()` on, which only the main thread may call."""

    def __init__(self) -> None:
        self.requested = False
        self._read, self._write = os.pipe()
        os.set_blocking(self._write, False)

    def listen(self) -> Self:
        for number in SIGNALS:
            signal.signal(number, self._request)
        return self

    def wait(self, seconds: float | None = None) -> bool:
        """Whether it is up, at once or within so many real seconds; None: waits until it is."""
        select.select([self._read], [], [], seconds)
        return self.requested

    def _request(self, _signal: int, _frame: FrameType | None) -> None:
        if not self.requested:
            self.requested = True
            # The pipe is never read, so that from now on every wait ends at once.
            os.write(self._write, b".")
