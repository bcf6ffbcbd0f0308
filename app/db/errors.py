"""Translates errors of SQLAlchemy: database unavailable, or commit outcome unknown."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import psycopg
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from app.flow.ports.database import CommitOutcomeUnknown, DatabaseUnavailable

SCHEMA_MISMATCH_SQLSTATES: Final = frozenset({"42P01", "42703"})
"""Postgres's codes for a table or a column that is not there."""

MISSING_PRIVILEGE_SQLSTATE: Final = "42501"
"""Of a role that was not granted what this release needs."""


@contextmanager
def translate_errors() -> Iterator[None]:
    """What says that Postgres is away is raised as `DatabaseUnavailable`; other errors pass unchanged."""
    try:
        yield
    except PoolTimeout as exc:
        raise DatabaseUnavailable(str(exc)) from exc
    except DBAPIError as exc:
        if exc.connection_invalidated or _is_unavailable(exc.orig):
            raise DatabaseUnavailable(_summary(exc.orig)) from exc
        raise


@contextmanager
def translate_commit_errors() -> Iterator[None]:
    """Wrap COMMIT in this: a connection that is lost from here on leaves its outcome unknown."""
    try:
        yield
    except DBAPIError as exc:
        if exc.connection_invalidated or _is_connection_lost(exc.orig):
            raise CommitOutcomeUnknown(_summary(exc.orig)) from exc
        raise


def _summary(exc: BaseException | None) -> str:
    """A short description. Connection errors of Postgres contain no password."""
    state = getattr(exc, "sqlstate", None)
    if state in SCHEMA_MISMATCH_SQLSTATES:
        return "its tables are another release's: run `switchgate migrate`"
    if state == MISSING_PRIVILEGE_SQLSTATE:
        return "its role lacks a privilege: run `switchgate migrate` with DATABASE_OWNER_URL"
    if state is None and str(exc):
        return str(exc).splitlines()[0]
    return type(exc).__name__


def _is_connection_lost(exc: BaseException | None) -> bool:
    """Whether the connection failed. (A value that psycopg cannot send has no SQLSTATE either; that is a defect.)"""
    state = getattr(exc, "sqlstate", None)
    return state is None and isinstance(exc, psycopg.OperationalError | psycopg.InterfaceError)


def _is_unavailable(exc: BaseException | None) -> bool:
    state = getattr(exc, "sqlstate", None)
    if state is None:
        return _is_connection_lost(exc)
    # 57P: shutting down or starting; 08: connection; 53: out of connections, memory or disk; 58: system error of the
    # server; 25006: read-only after a failover; 55P03, 57014, 25P03, 25P04: time-outs that we set; 40P01: deadlock
    # victim; 42501: a privilege that `switchgate migrate` grants. In each case nothing was saved, and a retry may help.
    retryable = {"25006", "55P03", "57014", "25P03", "25P04", "40P01", MISSING_PRIVILEGE_SQLSTATE}
    return state.startswith(("08", "57P", "53", "58")) or state in retryable | SCHEMA_MISMATCH_SQLSTATES
