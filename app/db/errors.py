"""Postgres away, or gone while it committed: what the driver and SQLAlchemy raise, in the flow's words."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

import psycopg
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from app.concurrency.timeouts import mark_commit_sent
from app.flow.ports.database import DatabaseUnavailable, RecordInDoubt

OTHER_RELEASE: Final = frozenset({"42P01", "42703"})
"""Postgres's codes for a table or a column that is not there."""


@contextmanager
def told_as_away() -> Iterator[None]:
    """What says that Postgres is away is raised as `DatabaseUnavailable`; what is our own fault, as it is."""
    try:
        yield
    except PoolTimeout as trouble:
        raise DatabaseUnavailable(str(trouble)) from trouble
    except DBAPIError as trouble:
        if trouble.connection_invalidated or _is_away(trouble.orig):
            raise DatabaseUnavailable(_why(trouble.orig)) from trouble
        raise
    except psycopg.Error as trouble:
        if _is_away(trouble):
            raise DatabaseUnavailable(_why(trouble)) from trouble
        raise


@contextmanager
def committing(*, lost: Callable[[], bool]) -> Iterator[None]:
    """COMMIT is on its way. Whoever gives up from now on, or is cut off, cannot know what became of it."""
    mark_commit_sent()
    try:
        yield
    except psycopg.Error as trouble:
        if not lost() and not _is_lost(trouble):
            raise
        raise RecordInDoubt(_why(trouble)) from trouble


def _why(trouble: BaseException | None) -> str:
    """In a few words; what Postgres says of a failed connection holds no password."""
    state = getattr(trouble, "sqlstate", None)
    if state in OTHER_RELEASE:
        return "its tables are another release's: run `switchgate migrate`"
    if state is None and str(trouble):
        return str(trouble).splitlines()[0]
    return type(trouble).__name__


def _is_lost(trouble: BaseException | None) -> bool:
    """The connection itself failed. A value that psycopg cannot send has no state either, and is our fault."""
    state = getattr(trouble, "sqlstate", None)
    return state is None and isinstance(trouble, psycopg.OperationalError | psycopg.InterfaceError)


def _is_away(trouble: BaseException | None) -> bool:
    state = getattr(trouble, "sqlstate", None)
    if state is None:
        return _is_lost(trouble)
    # 57P: shutting down or starting, 08: the connection, 53: out of connections, memory or disk, 58: a system error of
    # the server's, 25006: read-only since a failover, 55P03, 57014, 25P03 and 25P04: a time-out of ours, 40P01: the
    # loser of a deadlock. In each case nothing was recorded, and trying again may help.
    again = {"25006", "55P03", "57014", "25P03", "25P04", "40P01"} | OTHER_RELEASE
    return state.startswith(("08", "57P", "53", "58")) or state in again
