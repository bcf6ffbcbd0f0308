"""Whether somebody stands at a door. What can wait lets hooks and presses go first: they share one processor.

Evidence alone costs ten calls of boto3's a gate; begun in the midst of a burst of hooks it made each wait seconds.
"""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

LATELY: Final = 0.5
"""Seconds for which more are to be expected after somebody has left."""

QUIET: Final = 0.02
"""Seconds without anybody that count as calm: shorter than the gaps of a busy hour, longer than those of a burst."""


class Calm:
    """Counts who is at the doors. One a process, used in its loop only."""

    def __init__(self) -> None:
        self._inside = 0
        self._left_at = 0.0
        self._nobody = asyncio.Event()
        self._nobody.set()

    @contextmanager
    def busy(self) -> Iterator[None]:
        """Somebody is being served."""
        self._inside += 1
        self._nobody.clear()
        try:
            yield
        finally:
            self._inside -= 1
            self._left_at = asyncio.get_running_loop().time()
            if self._inside == 0:
                self._nobody.set()

    @property
    def over(self) -> bool:
        """Nobody is there, and nobody has been lately."""
        return not self._inside and self._rest(LATELY) <= 0

    async def wait(self, patience: float, *, quiet: float = QUIET) -> bool:
        """True once nobody has been there for `quiet` seconds; False when that took longer than `patience`."""
        try:
            async with asyncio.timeout(patience):
                while self._inside or self._rest(quiet) > 0:
                    await self._nobody.wait()
                    await asyncio.sleep(max(0.0, self._rest(quiet)))
        except TimeoutError:
            return False
        return True

    def _rest(self, quiet: float) -> float:
        return self._left_at + quiet - asyncio.get_running_loop().time()
