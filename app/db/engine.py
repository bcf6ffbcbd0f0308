"""Connections to Postgres, kept and shared. Nothing waits for one for long: a press must be answered within 3 s."""

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
"""More than we have: each is prepared once a connection."""

TRANSACTION_TIMEOUT_MS: Final = 10_000
"""Milliseconds. Whoever stands still in one, frozen perhaps, loses it, and with it the locks that others wait for."""

CONNECTED_AT: Final = "born_at"

READ_ONLY_SQLSTATE: Final = "25006"
"""What a server says that was the primary until a failover: it lives, and takes no write any more."""


@dataclass(frozen=True, kw_only=True, slots=True)
class PoolSize:
    """`pool_size` connections stay open; `max_overflow` are opened when all are in use, and closed after each use."""

    pool_size: int
    max_overflow: int


# Forty in all: two replicas fit in a Postgres as it comes. Workers have a pool of their own, so that they can never
# take the last connection from a press or a hook.
REQUESTS: Final = PoolSize(pool_size=20, max_overflow=4)
"""For presses, hooks, the API and pages. Twenty people press at once without a new connection."""

WORKERS: Final = PoolSize(pool_size=12, max_overflow=4)

CHECKOUT_FAILED: Final = "its connections died as they were checked out"

KEEPALIVE_OPTIONS: Final = {
    "tcp_user_timeout": 8000,
    "keepalives_idle": 5,
    "keepalives_interval": 2,
    "keepalives_count": 2,
}
"""A server that vanished without a word (a failover, a cut line) is noticed in ten seconds, not in fifteen minutes."""


def sqlalchemy_url(url: str) -> URL:
    """`postgresql://…`, as everybody writes it, with the driver that we use."""
    return make_url(url).set(drivername="postgresql+psycopg")


class Pool:
    """SQLAlchemy's pool of connections, also for whoever uses the driver's own.

    Opening one costs several times the work that it is opened for; see `PoolSize`.
    """

    def __init__(self, url: str, size: PoolSize) -> None:
        self.engine = create_async_engine(
            sqlalchemy_url(url),
            pool_size=size.pool_size,
            max_overflow=size.max_overflow,
            pool_use_lifo=True,
            pool_timeout=2,
            # A statement that stands alone is one way to Postgres and back; a transaction says BEGIN itself.
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
        """A connection, by which the pool hears of it where it must not be used again.

        What is left open in it is rolled back when it goes home.
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
            # Cut off half way. The driver may have left it in a pipeline, where whoever came next would read no rows.
            await greenlet_spawn(pooled.invalidate)
            raise
        finally:
            await greenlet_spawn(pooled.close)

    @asynccontextmanager
    async def connection(self) -> AsyncIterator[AsyncConnection]:
        """The same connections by SQLAlchemy's own way."""
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
        """Raises `DatabaseUnavailable` where SQLAlchemy has given up on connections that died one after the other."""
        try:
            return await self.engine.raw_connection()
        except InvalidRequestError as exc:
            raise DatabaseUnavailable(CHECKOUT_FAILED) from exc

    def _reject_stale(self, connection: object, entry: ConnectionPoolEntry, proxy: object) -> None:
        """Where one connection has died, in a failover perhaps, none that is as old is trusted."""
        if entry.info[CONNECTED_AT] <= self._last_failure_at:
            raise DisconnectionError("as old as one that died")


def _prepare(connection: DBAPIConnection, entry: ConnectionPoolEntry) -> None:
    entry.info[CONNECTED_AT] = monotonic()
    driver = _driver_of(entry)
    driver.prepared_max = MAX_PREPARED_STATEMENTS
    if has_transaction_timeout(driver):
        # Not among the options: a server that does not know it would refuse the connection.
        cursor = connection.cursor()
        cursor.execute(f"SET transaction_timeout = {TRANSACTION_TIMEOUT_MS}")
        cursor.close()


def _driver_of(pooled: ManagesConnection) -> Driver:
    driver = pooled.driver_connection
    assert isinstance(driver, psycopg.AsyncConnection)  # noqa: S101 - for the type checker: it is our only driver
    return driver
