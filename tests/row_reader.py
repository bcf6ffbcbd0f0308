"""Reads rows for a test, as often as a condition is polled, without a new connection each time."""

from threading import Lock
from typing import Any, Final

import psycopg
from psycopg.rows import dict_row

READ_ONLY: Final = "-c default_transaction_read_only=on"
"""Waiting for a row lock here would block its holder, who runs in the same event loop."""


class RowReader:
    """One connection, opened at first use and again after it was lost. Safe in several threads."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._connection: psycopg.Connection[dict[str, Any]] | None = None
        self._lock = Lock()

    def rows(self, statement: str, *values: Any) -> list[dict[str, Any]]:
        """In a transaction of its own."""
        with self._lock:
            return self._rows(statement, list(values))

    def _rows(self, statement: str, values: list[Any]) -> list[dict[str, Any]]:
        if self._connection is not None:
            try:
                return self._connection.execute(statement, values).fetchall()
            except psycopg.OperationalError:
                if not self._connection.closed:
                    raise
        self._connection = self._connect()
        return self._connection.execute(statement, values).fetchall()

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _connect(self) -> psycopg.Connection[dict[str, Any]]:
        # Not prepared: a test may change a table between two reads.
        return psycopg.connect(
            self.url, autocommit=True, row_factory=dict_row, options=READ_ONLY, prepare_threshold=None
        )
