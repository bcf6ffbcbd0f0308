"""Skips rows that this replica cannot read or process for a while, so that one bad row does not block the others.

Nothing is stored: where a newer release wrote the value, a replica of that release takes the row at once.
"""

from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from time import monotonic
from typing import Any, Final

import structlog

from app.flow.backoff import backoff
from app.flow.ports.database import DatabaseUnavailable
from app.observability.metrics import ROWS_SET_ASIDE

log = structlog.get_logger(__name__)

FIRST_BACKOFF: Final = timedelta(seconds=4)
MAX_BACKOFF: Final = timedelta(minutes=1)
MAX_ROWS: Final = 10_000


@dataclass(kw_only=True, slots=True)
class _Quarantine:
    tries: int
    until: float


class Quarantine:
    """The keys of quarantined rows of one kind of work, in this process."""

    def __init__(self, work: str, *, clock: Callable[[], float] = monotonic) -> None:
        self._work = work
        self._clock = clock
        self._rows: dict[Hashable, _Quarantine] = {}

    def keys(self) -> list[Any]:
        """The keys to skip now."""
        now = self._clock()
        return [key for key, row in self._rows.items() if row.until > now]

    def add(self, key: Hashable, *, problem: str, exc: BaseException | None = None) -> None:
        """Quarantines a row, longer each time. Logs and counts it the first time."""
        known = self._rows.pop(key, None)
        tries = known.tries + 1 if known else 1
        wait = backoff(tries, first=FIRST_BACKOFF, longest=MAX_BACKOFF)
        self._rows[key] = _Quarantine(tries=tries, until=self._clock() + wait.total_seconds())
        if known is None:
            ROWS_SET_ASIDE.labels(work=self._work).inc()
            log.error("row_set_aside", work=self._work, row=str(key), problem=problem, exc_info=exc)
        while len(self._rows) > MAX_ROWS:
            self._rows.pop(next(iter(self._rows)))

    @contextmanager
    def guard(self, key: Hashable) -> Iterator[None]:
        """Quarantines the row if the block fails, and suppresses the error; `DatabaseUnavailable` passes."""
        try:
            yield
        except DatabaseUnavailable:
            raise
        except Exception as exc:
            self.add(key, problem=type(exc).__name__, exc=exc)
        else:
            self._rows.pop(key, None)
