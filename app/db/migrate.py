"""Runs migrations under an advisory lock, one replica at a time, with lock and statement time-outs."""

import time
from collections.abc import Sequence
from enum import Enum
from pathlib import Path
from typing import Final

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, NullPool, create_engine, text

from app.db.engine import CONNECT_TIMEOUT_SECONDS, sqlalchemy_url
from app.db.runtime_role import grant_runtime_privileges, runtime_role

ADVISORY_LOCK_KEY: Final = 7_301_885_214
"""The advisory lock's key: any number that is not used elsewhere in this database."""

LOCK_RETRY_SECONDS: Final = 0.1

PACKAGE: Final = Path(__file__).resolve().parents[1]


class NoSuchRevision(Exception):
    """This release has no such revision."""


class UnknownRevision(Exception):
    """The database is at a revision that is neither this release's nor a later one's."""


class NewerDatabase(Exception):
    """A newer release has migrated the database; only that release can downgrade it."""


class SchemaVersion(Enum):
    """How the database's revision compares with the one that this release needs."""

    OLDER = "older"
    CURRENT = "current"
    NEWER = "newer"


def alembic_config(connection: Connection | None = None) -> Config:
    """Alembic's configuration, with this connection."""
    # In an installed package beside the code, in a checkout at its top.
    folder = next(each for each in (PACKAGE, PACKAGE.parent) if (each / "alembic.ini").is_file())
    config = Config(str(folder / "alembic.ini"))
    config.attributes["connection"] = connection
    return config


def newest() -> str:
    """The revision that this release needs."""
    head = ScriptDirectory.from_config(alembic_config()).get_current_head()
    if head is None:
        raise RuntimeError("there are no migrations")
    return head


def schema_version(revision: str | None) -> SchemaVersion:
    """Compares a revision with this release's.

    Revisions are numbers of one width. One that this release does not have and that is higher than its own was made
    by a newer release, during an upgrade; any other unknown one counts as older.
    """
    needed = newest()
    if revision == needed:
        return SchemaVersion.CURRENT
    is_newer = revision is not None and revision.isdecimal() and int(revision) > int(needed)
    return SchemaVersion.NEWER if is_newer else SchemaVersion.OLDER


def migrate(url: str, *, to: str = "head", runtime_url: str | None = None, create_role: bool = False) -> str:
    """Brings the database to a revision (a downgrade, if it is older); gives the revision. Waits for the lock.

    `runtime_url`: the same database by the role that the service runs as, which is granted what it needs with each
    migration; `create_role` makes that role where there is none. A database that a newer release has migrated is left
    as it is. Raises `NoSuchRevision`, `UnknownRevision`, `RuntimeRoleError` and, where a revision is named,
    `NewerDatabase` before anything is touched.
    """
    revisions = _revisions()
    if to not in {"head", "base", *revisions}:
        raise NoSuchRevision(f"{to!r} is no revision; there are head, {', '.join(revisions)} and base")
    engine = create_engine(
        sqlalchemy_url(url), poolclass=NullPool, connect_args={"connect_timeout": CONNECT_TIMEOUT_SECONDS}
    )
    try:
        with engine.connect() as connection:
            _acquire_lock(connection)
            connection.execute(text("SET lock_timeout = '5s'"))
            connection.execute(text("SET statement_timeout = '60s'"))
            connection.commit()
            current = MigrationContext.configure(connection).get_current_revision()
            if current is not None and schema_version(current) is SchemaVersion.NEWER:
                if to == "head":
                    return current
                raise NewerDatabase(current)
            if current is not None and current not in revisions:
                raise UnknownRevision(current)
            role = runtime_role(connection, runtime_url, create=create_role) if runtime_url else None
            connection.commit()  # so that each migration has a transaction of its own, or none where it asks for none
            _run(connection, to, upwards=to == "head" or _is_later(revisions, to, current), role=role)
            # The session ends here, and with it the lock.
            return MigrationContext.configure(connection).get_current_revision() or "base"
    finally:
        engine.dispose()


def _run(connection: Connection, to: str, *, upwards: bool, role: str | None) -> None:
    """Grants with each migration, in its transaction, and once more for a role that is new to this revision."""
    config = alembic_config(connection)
    if role is not None:
        config.attributes["on_version_apply"] = lambda **_: grant_runtime_privileges(connection, role)
    (command.upgrade if upwards else command.downgrade)(config, to)
    if role is not None:
        grant_runtime_privileges(connection, role)
    connection.commit()


def _acquire_lock(connection: Connection) -> None:
    """Polls for the lock: CREATE INDEX CONCURRENTLY would wait for a session that waits within a statement."""
    while not connection.execute(
        text("SELECT pg_try_advisory_lock(:key)"), {"key": ADVISORY_LOCK_KEY}
    ).scalar_one():
        connection.commit()
        time.sleep(LOCK_RETRY_SECONDS)


def _revisions() -> list[str]:
    """Those of this release, the newest first."""
    return [script.revision for script in ScriptDirectory.from_config(alembic_config()).walk_revisions()]


def _is_later(revisions: Sequence[str], to: str, current: str | None) -> bool:
    if to == "base":
        return False
    return current is None or revisions.index(to) < revisions.index(current)
