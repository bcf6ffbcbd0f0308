"""At most one log line per kind and interval; the next line says how many were left out."""

from collections.abc import Callable
from dataclasses import dataclass
from time import monotonic
from typing import Final

MAX_KINDS: Final = 100


@dataclass(slots=True)
class _Kind:
    logged_at: float
    suppressed: int = 0


class LogThrottle:
    """`admit` says whether a line may be written now."""

    def __init__(self, *, seconds: float, clock: Callable[[], float] = monotonic) -> None:
        self._seconds = seconds
        self._clock = clock
        self._kinds: dict[str, _Kind] = {}

    def admit(self, kind: str) -> int | None:
        """How many lines of this kind were left out before this one; None: leave this one out too."""
        now = self._clock()
        known = self._kinds.get(kind)
        if known is not None and now - known.logged_at < self._seconds:
            known.suppressed += 1
            return None
        if known is None and len(self._kinds) >= MAX_KINDS:
            self._kinds.clear()
        self._kinds[kind] = _Kind(now)
        return known.suppressed if known is not None else 0
