"""Postgres: transactions, and statements that stand alone."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

from sqlalchemy import Select

from app.record.away import committing, told_as_away
from app.record.pool import Pool
from app.record.statements import Driver, execute


class Database:
    """Two pools on one Postgres: one for transactions, one for statements that stand alone.

    Transactions are short; none is held across a call to Slack or AWS.
    """

    def __init__(self, url: str) -> None:
        # Forty in all: two replicas fit in a Postgres as it comes. Twenty people press at once without a new one.
        self._transactions = Pool(url, kept=20, more=4)
        # A statement that is alone needs no BEGIN and COMMIT around it: one way to Postgres and back, not three.
        # Connections of their own: to turn another's autocommit on and off, whoever is cut off meanwhile loses it.
        self._alone = Pool(url, kept=12, more=4, isolation_level="AUTOCOMMIT")

    @asynccontextmanager
    async def begin(self) -> AsyncIterator[Driver]:
        """One transaction, committed when the block ends; see `execute`. Raises `RecordAway`."""
        with told_as_away():
            async with self._transactions.driver() as driver:
                yield driver
                with committing(lost=lambda: driver.closed):
                    await driver.commit()

    async def select(self, statement: Select[Any]) -> Sequence[Any]:
        """The rows of a query that was composed. Raises `RecordAway`."""
        with told_as_away():
            async with self._alone.engine.connect() as connection:
                return list((await connection.execute(statement)).all())

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
