"""The connection pool. Waits are short: Slack expects an answer within 3 seconds."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from time import monotonic
from typing import Final

import psycopg
from sqlalchemy import URL, event, make_url
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import DisconnectionError, InvalidRequestError
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine
from sqlalchemy.pool import ConnectionPoolEntry, ManagesConnection, PoolProxiedConnection
from sqlalchemy.util import greenlet_spawn

from app.db.statements import Driver, has_transaction_timeout
from app.flow.ports.database import DatabaseUnavailable

CONNECT_TIMEOUT_SECONDS: Final = 3
MAX_PREPARED_STATEMENTS: Final = 400
"""More than there are statements: each is prepared once per connection."""

TRANSACTION_TIMEOUT_MS: Final = 10_000
"""Milliseconds. Postgres ends a longer transaction, of a frozen process for example, and releases its locks."""

CONNECTED_AT: Final = "born_at"

READ_ONLY_SQLSTATE: Final = "25006"
"""The error of a former primary after a failover: it answers, but accepts no writes."""


@dataclass(frozen=True, kw_only=True, slots=True)
class PoolSize:
    """`pool_size` connections stay open; `max_overflow` are opened when all are in use, and closed after each use."""

    pool_size: int
    max_overflow: int


# Forty in total: two replicas fit into Postgres's default of 100. Workers have their own pool, so that they never take
# the last connection from a request.
REQUESTS: Final = PoolSize(pool_size=20, max_overflow=4)
"""For Slack actions, hooks, the API and pages: twenty concurrent requests without a new connection."""

WORKERS: Final = PoolSize(pool_size=12, max_overflow=4)

CHECKOUT_FAILED: Final = "its connections died as they were checked out"

KEEPALIVE_OPTIONS: Final = {
    "tcp_user_timeout": 8000,
    "keepalives_idle": 5,
    "keepalives_interval": 2,
    "keepalives_count": 2,
}
"""Detects a server that vanished (failover, network loss) within ten seconds instead of fifteen minutes."""


def sqlalchemy_url(url: str) -> URL:
    """The URL with the psycopg driver name."""
    return make_url(url).set(drivername="postgresql+psycopg")


class Pool:
    """SQLAlchemy's connection pool; gives its own connections or those of the driver.

    Opening a connection costs several times as much as a typical statement; see `PoolSize`.
    """

    def __init__(self, url: str, size: PoolSize) -> None:
        self.engine = create_async_engine(
            sqlalchemy_url(url),
            pool_size=size.pool_size,
            max_overflow=size.max_overflow,
            pool_use_lifo=True,
            pool_timeout=2,
            # A single statement is one round trip; a transaction sends BEGIN itself.
            isolation_level="AUTOCOMMIT",
            connect_args={
                "connect_timeout": CONNECT_TIMEOUT_SECONDS,
                **KEEPALIVE_OPTIONS,
                "application_name": "switchgate",
                "options": "-c statement_timeout=5000 -c lock_timeout=2000 -c timezone=UTC"
                f" -c idle_in_transaction_session_timeout={TRANSACTION_TIMEOUT_MS}",
            },
        )
        self._last_failure_at = 0.0
        pool = self.engine.sync_engine.pool
        event.listen(pool, "connect", _prepare)
        event.listen(pool, "checkout", self._reject_stale)

    @asynccontextmanager
    async def driver(self) -> AsyncIterator[Driver]:
        """The driver's connection. The pool discards it after a failure that makes it unusable.

        An open transaction is rolled back on return to the pool.
        """
        pooled = await self._check_out()
        driver = _driver_of(pooled)
        try:
            yield driver
        except Exception as exc:
            is_dead = driver.closed or getattr(exc, "sqlstate", None) == READ_ONLY_SQLSTATE
            if is_dead:
                self._last_failure_at = monotonic()
            if is_dead or driver.pgconn.pipeline_status:
                await greenlet_spawn(pooled.invalidate)
            raise
        except BaseException:
            # Cancelled. The connection may still be in pipeline mode, in which its next user would read no rows.
            await greenlet_spawn(pooled.invalidate)
            raise
        finally:
            await greenlet_spawn(pooled.close)

    @asynccontextmanager
    async def connection(self) -> AsyncIterator[AsyncConnection]:
        """A SQLAlchemy connection of the same pool."""
        connection = self.engine.connect()
        try:
            await connection.start()
        except InvalidRequestError as exc:
            raise DatabaseUnavailable(CHECKOUT_FAILED) from exc
        try:
            yield connection
        finally:
            await connection.close()

    async def _check_out(self) -> PoolProxiedConnection:
        """Raises `DatabaseUnavailable` where several pooled connections in a row were dead."""
        try:
            return await self.engine.raw_connection()
        except InvalidRequestError as exc:
            raise DatabaseUnavailable(CHECKOUT_FAILED) from exc

    def _reject_stale(self, connection: object, entry: ConnectionPoolEntry, proxy: object) -> None:
        """Discards connections as old as one that failed, after a failover for example."""
        if entry.info[CONNECTED_AT] <= self._last_failure_at:
            raise DisconnectionError("as old as one that died")


def _prepare(connection: DBAPIConnection, entry: ConnectionPoolEntry) -> None:
    entry.info[CONNECTED_AT] = monotonic()
    driver = _driver_of(entry)
    driver.prepared_max = MAX_PREPARED_STATEMENTS
    if has_transaction_timeout(driver):
        # Not a connection option: a server without this setting would refuse the connection.
        cursor = connection.cursor()
        cursor.execute(f"SET transaction_timeout = {TRANSACTION_TIMEOUT_MS}")
        cursor.close()


def _driver_of(pooled: ManagesConnection) -> Driver:
    driver = pooled.driver_connection
    assert isinstance(driver, psycopg.AsyncConnection)  # noqa: S101 - for the type checker: it is our only driver
    return driver
