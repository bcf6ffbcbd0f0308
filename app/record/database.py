"""The connection to Postgres. Nothing waits for it for long: a press must be answered within Slack's 3 s."""

from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager, suppress
from functools import lru_cache
from typing import Any, Final

import psycopg
from psycopg.rows import namedtuple_row
from sqlalchemy import URL, make_url, text
from sqlalchemy.dialects.postgresql.psycopg import PGDialect_psycopg
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from app.flow.record_ports import RecordAway

POOL: Final = 14
OVERFLOW: Final = 6
"""Bolt runs listeners without a cap, so a burst of presses needs headroom. What overflows the pool is closed after
each use and opened anew for the next, which costs several times the work itself."""

CONNECT_SECONDS: Final = 3

DEAD_PEER: Final = {
    "tcp_user_timeout": 8000,
    "keepalives_idle": 5,
    "keepalives_interval": 2,
    "keepalives_count": 2,
}
"""A server that vanished without a word (a failover, a cut line) is noticed in ten seconds, not in fifteen minutes."""

OTHER_RELEASE: Final = frozenset({"42P01", "42703"})
"""Postgres's codes for a table or a column that is not there."""


def sqlalchemy_url(url: str) -> URL:
    """`postgresql://…`, as everybody writes it, with the driver that we use."""
    return make_url(url).set(drivername="postgresql+psycopg")


class Database:
    """Two pools on one Postgres: one for transactions, one for statements that stand alone.

    Transactions are short; none is held across a call to Slack or AWS.
    """

    def __init__(self, url: str) -> None:
        self._engine = _engine(url)
        # A statement that is alone needs no BEGIN and COMMIT around it: one way to Postgres and back, not three.
        # Connections of their own: to turn another's autocommit on and off, whoever is cut off meanwhile loses it.
        self._alone = _engine(url, isolation_level="AUTOCOMMIT")

    @asynccontextmanager
    async def begin(self) -> AsyncIterator[AsyncConnection]:
        """One transaction, committed when the block ends. Raises `RecordAway`."""
        with _told_as_away():
            async with self._engine.begin() as connection:
                yield connection

    async def rows(self, statement: str, **values: Any) -> list[Any]:
        """Runs one statement in a transaction of its own and gives its rows. Raises `RecordAway`."""
        with _told_as_away():
            async with self._alone.connect() as connection:
                return await execute(connection, statement, values)

    async def ping(self) -> None:
        """Raises `RecordAway` when Postgres does not answer."""
        await self.rows("SELECT 1")

    async def close(self) -> None:
        await self._engine.dispose()
        await self._alone.dispose()


def _engine(url: str, **more: Any) -> AsyncEngine:
    return create_async_engine(
        sqlalchemy_url(url),
        pool_size=POOL,
        max_overflow=OVERFLOW,
        pool_use_lifo=True,
        pool_timeout=2,
        connect_args={
            "connect_timeout": CONNECT_SECONDS,
            **DEAD_PEER,
            "application_name": "switchgate",
            "options": "-c statement_timeout=5000 -c lock_timeout=2000 -c timezone=UTC"
            " -c idle_in_transaction_session_timeout=10000",
        },
        **more,
    )


@contextmanager
def _told_as_away() -> Iterator[None]:
    try:
        yield
    except PoolTimeout as trouble:
        raise RecordAway(str(trouble)) from trouble
    except DBAPIError as trouble:
        if trouble.connection_invalidated or _is_away(trouble.orig):
            raise RecordAway(_why(trouble.orig)) from trouble
        raise
    except psycopg.Error as trouble:
        if _is_away(trouble):
            raise RecordAway(_why(trouble)) from trouble
        raise


async def execute(connection: AsyncConnection, statement: str, values: Mapping[str, Any]) -> list[Any]:
    """Runs a statement with `:names` in the connection's transaction and gives its rows. Raises `psycopg.Error`.

    By the driver itself: SQLAlchemy would work out anew what a text's columns are, each time, and a press waits.
    """
    async with _driver(connection) as driver, driver.cursor(row_factory=namedtuple_row) as cursor:
        await cursor.execute(_in_drivers_words(statement), values, prepare=True)
        return await cursor.fetchall() if cursor.rownumber is not None else []


async def execute_in_turn(
    connection: AsyncConnection, statements: Sequence[str], values: Mapping[str, Any]
) -> list[list[Any]]:
    """Like `execute`, of statements that give rows, one after the other but sent at once: one way to Postgres and back.

    Each still has a snapshot of its own: the second sees what was committed while the first waited for a lock.
    """
    async with _driver(connection) as driver, driver.pipeline(), AsyncExitStack() as open_cursors:
        cursors = [
            await open_cursors.enter_async_context(driver.cursor(row_factory=namedtuple_row))
            for _ in statements
        ]
        for cursor, statement in zip(cursors, statements, strict=True):
            await cursor.execute(_in_drivers_words(statement), values, prepare=True)
        return [await cursor.fetchall() for cursor in cursors]


@asynccontextmanager
async def _driver(connection: AsyncConnection) -> AsyncIterator[psycopg.AsyncConnection[Any]]:
    """The driver's own connection. SQLAlchemy, which is gone past, hears of it where it must not be used again."""
    driver = (await connection.get_raw_connection()).driver_connection
    assert isinstance(driver, psycopg.AsyncConnection)  # noqa: S101 - for the type checker: it is our only driver
    try:
        yield driver
    except psycopg.Error:
        if driver.closed:
            # It finds out by itself, and then trusts none of the others that are as old.
            with suppress(DBAPIError):
                await connection.exec_driver_sql("SELECT 1")
        elif driver.pgconn.pipeline_status:
            await connection.invalidate()
        raise
    except BaseException:
        # Cut off half way. The driver may have left it in a pipeline, where whoever came next would read no rows.
        await connection.invalidate()
        raise


@lru_cache(maxsize=256)
def _in_drivers_words(statement: str) -> bytes:
    """`:name` as `%(name)s`. Ours are few, and translating them takes longer than some of them run."""
    return str(text(statement).compile(dialect=PGDialect_psycopg())).encode()  # type: ignore[no-untyped-call]  # not annotated


def _why(trouble: BaseException | None) -> str:
    """In a few words; what Postgres says of a failed connection holds no password."""
    state = getattr(trouble, "sqlstate", None)
    if state in OTHER_RELEASE:
        return "its tables are another release's: run `switchgate migrate`"
    if state is None and str(trouble):
        return str(trouble).splitlines()[0]
    return type(trouble).__name__


def _is_away(trouble: BaseException | None) -> bool:
    state = getattr(trouble, "sqlstate", None)
    if state is None:
        # The connection itself failed; a value that psycopg cannot send has no state either, and is our fault.
        return isinstance(trouble, psycopg.OperationalError | psycopg.InterfaceError)
    # 57P..: shut down, 55P03 and 57014: a time-out of ours, 40P01: the loser of a deadlock. All of them: nothing
    # was recorded, and trying again may help.
    again = {"55P03", "57014", "25P03", "40P01"} | OTHER_RELEASE
    return state.startswith(("08", "57P", "53")) or state in again
