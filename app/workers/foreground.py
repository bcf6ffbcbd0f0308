"""Tracks foreground requests, so that background work yields to them: all of it shares one processor.

It is needed because reading the evidence of one gate takes ten boto3 calls: started in a burst of hooks, it delayed
each hook by seconds. How long a worker yields stands in its row of the registry.
"""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

RECENT_SECONDS: Final = 0.5
"""Seconds after a request in which more are expected, because they come in bursts: workers run one job at a time."""

QUIET_PERIOD_SECONDS: Final = 0.02
"""Seconds without a request that count as quiet: longer than the gaps in a burst, shorter than those of a busy hour."""


class ForegroundTracker:
    """Counts the requests in flight. One per process, used in its event loop only."""

    def __init__(self) -> None:
        self._in_flight = 0
        self._last_ended_at = 0.0
        self._none_in_flight = asyncio.Event()
        self._none_in_flight.set()

    @contextmanager
    def request(self) -> Iterator[None]:
        """Counts one request for as long as the context is open."""
        self._in_flight += 1
        self._none_in_flight.clear()
        try:
            yield
        finally:
            self._in_flight -= 1
            self._last_ended_at = asyncio.get_running_loop().time()
            if self._in_flight == 0:
                self._none_in_flight.set()

    @property
    def is_idle(self) -> bool:
        """Whether no request is in flight and none ended recently."""
        return not self._in_flight and self._remaining(RECENT_SECONDS) <= 0

    async def wait_until_quiet(self, timeout: float, *, quiet_period: float = QUIET_PERIOD_SECONDS) -> bool:
        """True once no request was in flight for `quiet_period` seconds; False if that takes longer than `timeout`."""
        try:
            async with asyncio.timeout(timeout):
                while self._in_flight or self._remaining(quiet_period) > 0:
                    await self._none_in_flight.wait()
                    await asyncio.sleep(max(0.0, self._remaining(quiet_period)))
        except TimeoutError:
            return False
        return True

    def _remaining(self, period: float) -> float:
        return self._last_ended_at + period - asyncio.get_running_loop().time()
