"""`switchgate migrate`: brings the database to this release's tables."""

import psycopg
from sqlalchemy.exc import DBAPIError

from app.config.database_urls import DatabaseUrls
from app.db.migrate import (
    NewerDatabase,
    NoSuchRevision,
    SchemaVersion,
    UnknownRevision,
    migrate,
    newest,
    schema_version,
)
from app.db.runtime_role import RuntimeRoleError


class CannotMigrate(Exception):
    """The message names the variable or the option, what is wrong with it, and what to do."""


def check_migration(urls: DatabaseUrls, *, to: str, confirmed: bool, create_role: bool) -> None:
    """Raises `CannotMigrate` where the variables and options do not go together."""
    if to == "base" and not confirmed:
        raise CannotMigrate(
            "--to: base deletes everything that is recorded, the audit trail too; add --yes if you mean it"
        )
    if urls.owner_url is not None and urls.url is None:
        raise CannotMigrate(
            "DATABASE_URL: is not set, and DATABASE_OWNER_URL is: name the same database by the role that the service"
            " uses, which is granted what it needs"
        )
    if create_role and urls.owner_url is None:
        raise CannotMigrate(
            "--create-role: DATABASE_OWNER_URL is not set: it names the role that owns the tables, and DATABASE_URL the"
            " one to create"
        )


def migrate_database(url: str, *, owner_url: str | None, to: str, create_role: bool) -> str:
    """Migrates, and gives the sentence about it. Raises `CannotMigrate`."""
    variable = "DATABASE_URL" if owner_url is None else "DATABASE_OWNER_URL"
    try:
        reached = migrate(
            owner_url or url, to=to, runtime_url=url if owner_url else None, create_role=create_role
        )
    except DBAPIError as exc:
        raise CannotMigrate(f"{variable}: {_problem(exc)}") from None
    except RuntimeRoleError as exc:
        raise CannotMigrate(f"DATABASE_URL: {exc}") from None
    except NoSuchRevision as exc:
        raise CannotMigrate(f"--to: {exc}") from None
    except UnknownRevision as exc:
        raise CannotMigrate(
            f"{variable}: the database is at migration {exc}, which this release does not have"
        ) from None
    except NewerDatabase as exc:
        raise CannotMigrate(
            f"--to: the database is at migration {exc} of a newer release; use that release to go back"
        ) from None
    newer = schema_version(reached) is SchemaVersion.NEWER
    why = f": a newer release has migrated it, and this release needs {newest()} only" if newer else ""
    return f"The database is at migration {reached}{why}."


def _problem(exc: DBAPIError) -> str:
    first_line = str(exc.orig).splitlines()[0]
    if isinstance(exc.orig, psycopg.errors.InsufficientPrivilege):
        return (
            f"its role may not migrate: {first_line}. Set DATABASE_OWNER_URL to the same database by the role that owns"
            " the tables"
        )
    if isinstance(exc.orig, psycopg.OperationalError):
        return f"the database cannot be used: {first_line}"
    raise exc
