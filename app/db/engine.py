"""The engine and its connection pool. Waits are short: Slack expects an answer within 3 seconds."""

from dataclasses import dataclass
from typing import Any, Final

import psycopg
from sqlalchemy import URL, event, make_url
from sqlalchemy.engine import ExceptionContext
from sqlalchemy.engine.interfaces import DBAPIConnection, Dialect
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.pool import ConnectionPoolEntry

CONNECT_TIMEOUT_SECONDS: Final = 3
MAX_PREPARED_STATEMENTS: Final = 400
"""More than there are statements: each is prepared once per connection."""

TRANSACTION_TIMEOUT_MS: Final = 10_000
"""Milliseconds. Postgres ends a longer transaction, of a frozen process for example, and releases its locks."""

TRANSACTION_TIMEOUT_MIN_VERSION: Final = 170_000
"""The first server version with `transaction_timeout`. An older one ends a transaction that is idle so long."""

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

KEEPALIVE_OPTIONS: Final = {
    "tcp_user_timeout": 8000,
    "keepalives_idle": 5,
    "keepalives_interval": 2,
    "keepalives_count": 2,
}
"""Detects a server that vanished (failover, network loss) within ten seconds instead of fifteen minutes."""


def sqlalchemy_url(url: str) -> URL:
    """The URL with the psycopg driver name. A role or password in its query counts more, as for libpq, and is moved to
    where SQLAlchemy looks for it and hides it."""
    made = make_url(url).set(drivername="postgresql+psycopg")
    named = made.normalized_query
    given = {name: named[name][-1] for name in ("user", "password") if name in named}
    return made.difference_update_query(given).set(username=given.get("user"), password=given.get("password"))


def create_engine(url: str, size: PoolSize) -> AsyncEngine:
    """Opens no connection before the first statement.

    When a connection dies, SQLAlchemy discards it and every pooled one that is as old: a failover costs one statement.
    """
    engine = create_async_engine(
        sqlalchemy_url(url),
        pool_size=size.pool_size,
        max_overflow=size.max_overflow,
        pool_use_lifo=True,
        pool_timeout=2,
        hide_parameters=True,  # they hold execution ids, which must not be logged
        connect_args={
            "connect_timeout": CONNECT_TIMEOUT_SECONDS,
            "prepare_threshold": 0,
            **KEEPALIVE_OPTIONS,
            "application_name": "switchgate",
            "options": "-c statement_timeout=5000 -c lock_timeout=2000 -c timezone=UTC"
            f" -c idle_in_transaction_session_timeout={TRANSACTION_TIMEOUT_MS}",
        },
    )
    event.listen(engine.sync_engine, "do_connect", _connect)
    event.listen(engine.sync_engine, "handle_error", _leave_read_only_server)
    return engine


def _connect(dialect: Dialect, entry: ConnectionPoolEntry, args: Any, options: Any) -> DBAPIConnection:
    """Opens a connection, or leaves none behind: after an error in a `connect` listener, as when its task is cancelled,
    SQLAlchemy would leave the connection open."""
    connection = dialect.connect(*args, **options)
    try:
        _configure(connection)
    except BaseException:
        connection.close()
        raise
    return connection


def _configure(connection: DBAPIConnection) -> None:
    driver = connection.driver_connection
    assert isinstance(driver, psycopg.AsyncConnection)  # noqa: S101 - for the type checker: it is our only driver
    driver.prepared_max = MAX_PREPARED_STATEMENTS
    if driver.info.server_version >= TRANSACTION_TIMEOUT_MIN_VERSION:
        # Not a connection option: a server without this setting would refuse the connection.
        cursor = connection.cursor()
        cursor.execute(f"SET transaction_timeout = {TRANSACTION_TIMEOUT_MS}")
        cursor.close()
        connection.commit()


def _leave_read_only_server(context: ExceptionContext) -> None:
    """Treats a server that has become read-only as a lost one: the next connection goes to the new primary."""
    if getattr(context.original_exception, "sqlstate", None) == READ_ONLY_SQLSTATE:
        context.is_disconnect = True
