"""Runs migrations on the connection that `app.db.migrate` provides.

`alembic check` and `alembic revision --autogenerate` change nothing in the database, so they may connect by
DATABASE_URL themselves.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager

from alembic import context
from sqlalchemy import Connection, create_engine

from app.db.audit_table import metadata
from app.db.engine import sqlalchemy_url

READ_ONLY_COMMANDS = ("check", "revision")


@contextmanager
def migration_connection() -> Iterator[Connection]:
    provided = context.config.attributes.get("connection")
    if provided is not None:
        yield provided
        return
    command = getattr(context.config.cmd_opts, "cmd", None)
    if command is None or command[0].__name__ not in READ_ONLY_COMMANDS:
        raise SystemExit("Run `switchgate migrate`: it takes the lock that keeps two replicas apart.")
    engine = create_engine(sqlalchemy_url(os.environ["DATABASE_URL"]))
    with engine.connect() as connection:
        yield connection
    engine.dispose()


with migration_connection() as connection:
    context.configure(
        connection=connection,
        target_metadata=metadata,
        compare_server_default=True,
        transaction_per_migration=True,
        on_version_apply=context.config.attributes.get("on_version_apply"),
    )
    with context.begin_transaction():
        context.run_migrations()
