"""Whether somebody stands at a door. What can wait lets hooks and presses go first: they share one processor.

Evidence alone costs ten calls of boto3's a gate; begun in the midst of a burst of hooks it made each wait seconds.
"""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

QUIET: Final = 0.02
"""Seconds without anybody that count as calm: shorter than the gaps of a busy hour, longer than those of a burst."""


class Calm:
    """Counts who is at the doors. One a process, used in its loop only."""

    def __init__(self) -> None:
        self._inside = 0
        self._left_at = 0.0

    @contextmanager
    def busy(self) -> Iterator[None]:
        """Somebody is being served."""
        self._inside += 1
        try:
            yield
        finally:
            self._inside -= 1
            self._left_at = asyncio.get_running_loop().time()

    async def wait(self, patience: float) -> bool:
        """True once it is calm; False when it did not become so within `patience` seconds."""
        loop = asyncio.get_running_loop()
        end = loop.time() + patience
        while (rest := self._until_calm(loop.time())) > 0:
            if loop.time() >= end:
                return False
            await asyncio.sleep(min(rest, max(0.0, end - loop.time())))
        return True

    def _until_calm(self, now: float) -> float:
        return QUIET if self._inside else self._left_at + QUIET - now
