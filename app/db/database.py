"""Transactions, and single statements in a transaction of their own."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any

from sqlalchemy import Select

from app.db.engine import REQUESTS, Pool, PoolSize
from app.db.errors import committing, translate_errors
from app.db.statements import Driver, execute, execute_pipeline


class Database:
    """Keep transactions short. Never hold one across a call to Slack or AWS."""

    def __init__(self, url: str, *, size: PoolSize = REQUESTS) -> None:
        self._pool = Pool(url, size)

    @asynccontextmanager
    async def begin(self) -> AsyncIterator[Driver]:
        """One transaction, committed when the block ends; see `execute`. Raises `RecordAway`."""
        async with self.begin_pipeline([], {}) as (driver,):
            yield driver

    @asynccontextmanager
    async def begin_pipeline(
        self, statements: Sequence[str], values: Mapping[str, Any]
    ) -> AsyncIterator[tuple[Any, ...]]:
        """Like `begin`, but sends these statements with BEGIN in one round trip. Gives the driver and the rows of each.

        See `execute_pipeline`.
        """
        with translate_errors():
            async with self._pool.driver() as driver:
                _, *rows = await execute_pipeline(driver, ["BEGIN", *statements], values)
                yield driver, *rows
                with committing(lost=lambda: driver.closed):
                    await driver.commit()

    async def select(self, statement: Select[Any]) -> Sequence[Any]:
        """The rows of a SQLAlchemy query. Raises `RecordAway`."""
        with translate_errors():
            async with self._pool.connection() as connection:
                return list((await connection.execute(statement)).all())

    async def rows(self, statement: str, **values: Any) -> list[Any]:
        """Runs one statement in a transaction of its own and gives its rows. Raises `RecordAway`."""
        with translate_errors():
            async with self._pool.driver() as driver:
                return await execute(driver, statement, values)

    async def ping(self) -> None:
        """Raises `RecordAway` when Postgres does not answer."""
        await self.rows("SELECT 1")

    async def close(self) -> None:
        await self._pool.engine.dispose()
