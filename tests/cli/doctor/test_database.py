"""`switchgate doctor`: what the service's database role can do beyond what it needs."""

from pathlib import Path

import psycopg
import pytest

from tests.cli.commands import Said, Shell
from tests.database_roles import PASSWORDS, TwoRoles

REMEDY = (
    "Give the service a role of its own, and migrate with DATABASE_OWNER_URL: docs/permissions.md, Postgres."
)


@pytest.fixture
def migrated(roles: TwoRoles) -> TwoRoles:
    roles.migrate()
    return roles


def line(said: Said) -> str:
    """The line about the role."""
    (found,) = [each for each in said.out.splitlines() if "database role: " in each]
    assert not [password for password in PASSWORDS if password in said.all]
    return found


def doctor(folder: Path, url: str) -> str:
    return line(Shell(folder, {"DATABASE_URL": url}).run("doctor"))


def test_a_role_with_its_grants_is_all_right(migrated: TwoRoles, tmp_path: Path) -> None:
    assert doctor(tmp_path, migrated.url) == (
        f"ok      database role: {migrated.role} can do what the service needs, and no more"
    )


def test_a_role_that_owns_the_tables_is_told_what_that_means(migrated: TwoRoles, tmp_path: Path) -> None:
    assert doctor(tmp_path, migrated.owner_url) == (
        f"warning database role: {migrated.owner} owns 23 tables: it can alter, truncate and drop them and disable"
        f" their triggers, the audit trail's too. {REMEDY}"
    )


def test_a_member_of_the_owner_counts_as_the_owner(migrated: TwoRoles, tmp_path: Path) -> None:
    with psycopg.connect(migrated.admin_url) as admin:
        admin.execute(f"GRANT {migrated.owner} TO {migrated.role}".encode())

    assert f"{migrated.role} owns 23 tables" in doctor(tmp_path, migrated.url)


def test_a_superuser_is_told_so(migrated: TwoRoles, tmp_path: Path) -> None:
    assert doctor(tmp_path, migrated.admin_url) == (
        "warning database role: switchgate is a superuser: it can change everything, the audit trail too."
        f" {REMEDY}"
    )


def test_privileges_beyond_the_need_are_named_the_audit_trail_first(
    migrated: TwoRoles, tmp_path: Path
) -> None:
    with psycopg.connect(migrated.owner_url) as owner:
        owner.execute(f"GRANT UPDATE, DELETE ON audit_events TO {migrated.role}".encode())
        owner.execute(f"GRANT TRUNCATE ON ALL TABLES IN SCHEMA public TO {migrated.role}".encode())
        owner.execute(f"GRANT CREATE ON SCHEMA public TO {migrated.role}".encode())

    assert doctor(tmp_path, migrated.url) == (
        f"warning database role: {migrated.role} can do more than the service needs: DELETE on audit_events;"
        " TRUNCATE on audit_events, alembic_version, announcements and 20 more; UPDATE on audit_events; create tables."
        f" {REMEDY}"
    )


def test_a_privilege_that_is_lacking_is_a_failure(migrated: TwoRoles, tmp_path: Path) -> None:
    with psycopg.connect(migrated.owner_url) as owner:
        owner.execute(f"REVOKE INSERT ON audit_events FROM {migrated.role}".encode())

    assert doctor(tmp_path, migrated.url) == (
        f"trouble database role: {migrated.role} lacks INSERT on audit_events."
        " Run switchgate migrate with DATABASE_OWNER_URL set, which grants what is needed."
    )


def test_a_role_without_any_grant_is_told_what_to_run(migrated: TwoRoles, tmp_path: Path) -> None:
    with psycopg.connect(migrated.owner_url) as owner:
        owner.execute(f"REVOKE ALL ON ALL TABLES IN SCHEMA public FROM {migrated.role}".encode())

    said = Shell(tmp_path, {"DATABASE_URL": migrated.url}).run("doctor")

    assert (
        "trouble database: it cannot be used (its role lacks a privilege: run `switchgate migrate` with"
        in said.out
    )
    assert said.err == ""
