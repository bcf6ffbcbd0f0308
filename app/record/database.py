"""Postgres: transactions, and statements that stand alone."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from app.record.away import committing, told_as_away
from app.record.pool import Pool
from app.record.statements import Driver, execute


class Database:
    """Two pools on one Postgres: one for transactions, one for statements that stand alone.

    Transactions are short; none is held across a call to Slack or AWS.
    """

    def __init__(self, url: str) -> None:
        self._transactions = Pool(url)
        # A statement that is alone needs no BEGIN and COMMIT around it: one way to Postgres and back, not three.
        # Connections of their own: to turn another's autocommit on and off, whoever is cut off meanwhile loses it.
        self._alone = Pool(url, isolation_level="AUTOCOMMIT")

    @asynccontextmanager
    async def begin(self) -> AsyncIterator[AsyncConnection]:
        """One transaction, committed when the block ends. Raises `RecordAway`."""
        with told_as_away():
            async with self._transactions.engine.connect() as connection:
                yield connection
                with committing(lost=lambda: connection.invalidated):
                    await connection.commit()

    @asynccontextmanager
    async def begin_driver(self) -> AsyncIterator[Driver]:
        """The same by the driver itself, which costs a press half as much: see `execute`."""
        with told_as_away():
            async with self._transactions.driver() as driver:
                yield driver
                with committing(lost=lambda: driver.closed):
                    await driver.commit()

    async def rows(self, statement: str, **values: Any) -> list[Any]:
        """Runs one statement in a transaction of its own and gives its rows. Raises `RecordAway`."""
        with told_as_away():
            async with self._alone.driver() as driver:
                return await execute(driver, statement, values)

    async def ping(self) -> None:
        """Raises `RecordAway` when Postgres does not answer."""
        await self.rows("SELECT 1")

    async def close(self) -> None:
        await self._transactions.engine.dispose()
        await self._alone.engine.dispose()
