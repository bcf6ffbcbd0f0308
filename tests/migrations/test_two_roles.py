"""Migrations by the owner, who grants the runtime role what it needs with each of them."""

from typing import Final

import psycopg
import pytest

from app.db.database import Database
from app.db.migrate import migrate, newest
from app.db.queries.role_privileges import RolePrivileges, role_privileges
from app.db.runtime_role import RuntimeRoleError
from tests.database_roles import TwoRoles
from tests.db.sample_rows import fill

BEFORE_RENAMES: Final = "0023"
GRANTS: Final = """
SELECT relname, relacl::text, xmin::text FROM pg_class
WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'S') ORDER BY relname
"""


async def _privileges(roles: TwoRoles) -> RolePrivileges:
    database = Database(roles.url)
    try:
        return await role_privileges(database)
    finally:
        await database.close()


async def _has_just_what_it_needs(roles: TwoRoles) -> bool:
    found = await _privileges(roles)
    return not (found.owned or found.missing or found.excess or found.other)


async def test_a_filled_database_goes_down_and_up_again_and_every_revision_is_granted(
    roles: TwoRoles,
) -> None:
    assert roles.migrate() == newest()
    fill(roles.url)
    for revision in (BEFORE_RENAMES, "0001"):
        assert roles.migrate(to=revision) == revision
        assert await _has_just_what_it_needs(roles)  # of the tables that are there
    assert roles.migrate() == newest()
    assert await _has_just_what_it_needs(roles)
    with psycopg.connect(roles.url) as connection:
        assert connection.execute("SELECT count(*) FROM gates").fetchone() == (4,)

    assert roles.migrate(to="base") == "base"
    assert roles.migrate() == newest()
    assert await _has_just_what_it_needs(roles)


async def test_a_second_time_writes_nothing(roles: TwoRoles) -> None:
    roles.migrate()
    with psycopg.connect(roles.admin_url) as connection:
        before = connection.execute(GRANTS).fetchall()

    assert roles.migrate() == newest()

    with psycopg.connect(roles.admin_url) as connection:
        assert connection.execute(GRANTS).fetchall() == before


async def test_a_database_of_one_role_gets_a_second_one(roles: TwoRoles) -> None:
    migrate(roles.owner_url)
    assert (await _privileges(roles)).missing

    roles.migrate()

    assert await _has_just_what_it_needs(roles)


async def test_what_was_granted_by_hand_beyond_the_need_is_revoked(roles: TwoRoles) -> None:
    roles.migrate()
    with psycopg.connect(roles.owner_url) as owner:
        owner.execute(f"GRANT ALL ON ALL TABLES IN SCHEMA public TO {roles.role}".encode())
    assert "TRUNCATE" in (await _privileges(roles)).excess

    roles.migrate()

    assert await _has_just_what_it_needs(roles)


def test_a_grant_is_in_the_transaction_of_its_migration(roles: TwoRoles) -> None:
    """A replica that is killed between two migrations leaves no table behind that the service may not use."""
    migrate(roles.owner_url, to="0029", runtime_url=roles.url)
    with psycopg.connect(roles.admin_url) as somebody_else:
        somebody_else.execute(
            "CREATE FUNCTION deny_truncate() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN END'"
        )
    with pytest.raises(Exception, match="must be owner of function deny_truncate"):
        roles.migrate()  # 0030 succeeds, 0031 fails
    with psycopg.connect(roles.url) as connection:
        assert connection.execute("SELECT version_num FROM alembic_version").fetchone() == ("0030",)
        assert connection.execute("SELECT count(*) FROM subscriptions").fetchone() == (0,)


def test_a_role_that_owns_the_tables_is_no_second_role(roles: TwoRoles) -> None:
    migrate(roles.owner_url)
    with pytest.raises(RuntimeRoleError, match="owns the tables itself"):
        migrate(roles.admin_url, runtime_url=roles.owner_url)
