"""Transactions, and single statements that Postgres commits by itself."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

from sqlalchemy import Executable
from sqlalchemy.ext.asyncio import AsyncConnection

from app.concurrency.timeouts import mark_commit_sent
from app.db.engine import REQUESTS, PoolSize, create_engine
from app.db.errors import translate_commit_errors, translate_errors
from app.db.statements import execute


class Database:
    """Keep transactions short. Never hold one across a call to Slack or AWS."""

    def __init__(self, url: str, *, size: PoolSize = REQUESTS) -> None:
        self.engine = create_engine(url, size)

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[AsyncConnection]:
        """One transaction, committed when the block ends. Raises `DatabaseUnavailable`."""
        with translate_errors():
            async with self.engine.connect() as connection:
                yield connection
                await commit(connection)

    async def execute(self, statement: str | Executable, **values: Any) -> Sequence[Any]:
        """Runs one statement, a read or a write, in a transaction of its own, and returns its rows.

        Postgres begins and ends that transaction itself, so this takes one round trip instead of three. Raises
        `DatabaseUnavailable`.
        """
        with translate_errors():
            async with self.engine.connect() as connection:
                # Not an option of the engine: cancelled while that is set, a task would leave the connection behind.
                await connection.execution_options(isolation_level="AUTOCOMMIT")
                return await execute(connection, statement, values)

    async def ping(self) -> None:
        """Raises `DatabaseUnavailable` when Postgres does not answer."""
        await self.execute("SELECT 1")

    async def close(self) -> None:
        await self.engine.dispose()


async def commit(connection: AsyncConnection) -> None:
    """Commits the transaction, if one is open. Raises `CommitOutcomeUnknown` when the connection is lost meanwhile."""
    if connection.in_transaction():
        mark_commit_sent()
        with translate_commit_errors():
            await connection.commit()
