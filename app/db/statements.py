"""Statements by the driver itself: what SQLAlchemy does around each takes longer than some run, and a press waits."""

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

    It stops watching one that stands idle when it reads the Flush that psycopg (3.3) sends last in a pipeline.
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
    """Like `execute`, of statements one after the other but sent at once: one way to Postgres and back.

    Each still has a snapshot of its own: the second sees what was committed while the first waited for a lock.
    On a server that would not watch how long their transaction then stands idle, each goes alone.
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
        # Afterwards: to fetch within a pipeline is a way to Postgres of its own.
        return [await _rows(cursor) for cursor in cursors]


async def execute_and_commit(driver: Driver, statement: str, values: Mapping[str, Any]) -> list[Any]:
    """Like `execute`, of a transaction's last statement, which gives rows: it and COMMIT in one way to Postgres.

    When the statement fails, nothing is committed.
    """
    with committing(lost=lambda: driver.closed):
        async with driver.cursor(row_factory=namedtuple_row) as last, driver.cursor() as commit:
            async with driver.pipeline():
                await last.execute(_compile_for_driver(statement), values, prepare=True)
                # Not by the driver's own commit(), which waits for its answer there and then.
                await commit.execute("COMMIT", prepare=False)
            return await last.fetchall()


async def _rows(cursor: psycopg.AsyncCursor[Any]) -> list[Any]:
    return await cursor.fetchall() if cursor.rownumber is not None else []


@lru_cache(maxsize=256)
def _compile_for_driver(statement: str) -> bytes:
    """`:name` as `%(name)s`. Ours are few, and translating them takes longer than some of them run."""
    return str(text(statement).compile(dialect=PGDialect_psycopg())).encode()  # type: ignore[no-untyped-call]  # not annotated
