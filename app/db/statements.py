"""Runs statements on the driver directly: SQLAlchemy's overhead exceeds the run time of some, and a user waits."""

from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack
from functools import lru_cache
from typing import Any, Final

import psycopg
from psycopg.rows import namedtuple_row
from sqlalchemy import text
from sqlalchemy.dialects.postgresql.psycopg import PGDialect_psycopg

from app.db.errors import committing

Driver = psycopg.AsyncConnection[Any]


TRANSACTION_TIMEOUT_MIN_VERSION: Final = 170_000
"""The first server version with `transaction_timeout`."""


def has_transaction_timeout(driver: Driver) -> bool:
    """Whether Postgres itself ends a transaction that lasts too long, whatever its client has sent last.

    It stops watching an idle transaction when it reads the Flush that psycopg (3.3) sends last in a pipeline.
    """
    return driver.info.server_version >= TRANSACTION_TIMEOUT_MIN_VERSION


async def execute(driver: Driver, statement: str, values: Mapping[str, Any]) -> list[Any]:
    """Runs a statement with `:names` in the driver's transaction and gives its rows. Raises `psycopg.Error`."""
    async with driver.cursor(row_factory=namedtuple_row) as cursor:
        await cursor.execute(_compile_for_driver(statement), values, prepare=True)
        return await _rows(cursor)


async def execute_pipeline(
    driver: Driver, statements: Sequence[str], values: Mapping[str, Any]
) -> list[list[Any]]:
    """Like `execute`, for several statements in sequence: they are sent together, in one round trip.

    Each still has a snapshot of its own: the second sees what was committed while the first waited for a lock.
    On a server without `transaction_timeout` each statement is sent separately.
    """
    if not has_transaction_timeout(driver):
        return [await execute(driver, statement, values) for statement in statements]
    async with AsyncExitStack() as open_cursors:
        cursors = [
            await open_cursors.enter_async_context(driver.cursor(row_factory=namedtuple_row))
            for _ in statements
        ]
        async with driver.pipeline():
            for cursor, statement in zip(cursors, statements, strict=True):
                await cursor.execute(_compile_for_driver(statement), values, prepare=True)
        # Fetch after the pipeline: a fetch within it costs another round trip.
        return [await _rows(cursor) for cursor in cursors]


async def execute_and_commit(driver: Driver, statement: str, values: Mapping[str, Any]) -> list[Any]:
    """Like `execute`, for a transaction's last statement, which gives rows: sends it and COMMIT in one round trip.

    When the statement fails, nothing is committed.
    """
    with committing(lost=lambda: driver.closed):
        async with driver.cursor(row_factory=namedtuple_row) as last, driver.cursor() as commit:
            async with driver.pipeline():
                await last.execute(_compile_for_driver(statement), values, prepare=True)
                # The driver's own commit() would wait for the answer at once.
                await commit.execute("COMMIT", prepare=False)
            return await last.fetchall()


async def _rows(cursor: psycopg.AsyncCursor[Any]) -> list[Any]:
    return await cursor.fetchall() if cursor.rownumber is not None else []


@lru_cache(maxsize=256)
def _compile_for_driver(statement: str) -> bytes:
    """Translates `:name` to `%(name)s`. Cached: the translation takes longer than some statements."""
    return str(text(statement).compile(dialect=PGDialect_psycopg())).encode()  # type: ignore[no-untyped-call]  # not annotated
