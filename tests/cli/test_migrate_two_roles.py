"""`switchgate migrate` with DATABASE_OWNER_URL: the owner migrates, and the service's role is granted what it needs."""

from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from app.db.embedded.postgres import EmbeddedPostgres
from app.db.migrate import migrate, newest
from tests.cli.commands import LONGEST, Said, Shell, is_clean
from tests.database_roles import OWNER_PASSWORD, PASSWORD, PASSWORDS, TwoRoles, two_roles

DONE = f"The database is at migration {newest()}.\n"


@pytest.fixture
def without_runtime_role(postgres: EmbeddedPostgres) -> Iterator[TwoRoles]:
    with two_roles(postgres, with_runtime_role=False) as made:
        yield made


@pytest.fixture
def at_roles(roles: TwoRoles, tmp_path: Path) -> Shell:
    return Shell(tmp_path, roles.environment)


def refused(said: Said, line: str) -> None:
    """One line, without a stack trace and without a password."""
    assert (said.status, said.out, said.err) == (2, "", f"{line}\n")
    assert not [password for password in PASSWORDS if password in said.all]


def revision(url: str) -> object:
    with psycopg.connect(url) as connection:
        there = connection.execute("SELECT to_regclass('alembic_version')").fetchone()
        if there == (None,):
            return None
        row = connection.execute("SELECT version_num FROM alembic_version").fetchone()
    return row[0] if row else None


def test_the_owner_migrates_and_the_service_may_read_and_write(at_roles: Shell, roles: TwoRoles) -> None:
    for _ in range(2):
        said = at_roles.run("migrate")
        assert (said.status, said.out) == (0, DONE), said.err
        assert not [password for password in PASSWORDS if password in said.all]

    with psycopg.connect(roles.url) as connection:
        assert connection.execute("SELECT count(*) FROM gates").fetchone() == (0,)
        owners = connection.execute("SELECT DISTINCT tableowner FROM pg_tables WHERE schemaname = 'public'")
        assert owners.fetchall() == [(roles.owner,)]
    audit = at_roles.run("audit")  # which knows DATABASE_URL alone
    assert audit.status == 0, audit.all


def test_a_role_that_does_not_exist_is_named_with_what_to_run(
    shell: Shell, without_runtime_role: TwoRoles
) -> None:
    said = shell.run("migrate", **without_runtime_role.environment)

    refused(
        said,
        f"DATABASE_URL: there is no role {without_runtime_role.role}. Run switchgate migrate --create-role, or, as a"
        f" role that may create others: CREATE ROLE \"{without_runtime_role.role}\" LOGIN PASSWORD '…'",
    )
    assert revision(without_runtime_role.owner_url) is None


def test_the_role_is_created_with_its_password_if_that_is_asked_for(
    shell: Shell, without_runtime_role: TwoRoles
) -> None:
    both = [shell.start("migrate", "--create-role", **without_runtime_role.environment) for _ in range(2)]
    for one in both:
        out, err = one.communicate(timeout=LONGEST)
        assert (one.returncode, out) == (0, DONE), err

    with psycopg.connect(without_runtime_role.url) as connection:
        assert connection.info.user == without_runtime_role.role
        assert connection.execute("SELECT count(*) FROM gates").fetchone() == (0,)
    with pytest.raises(psycopg.OperationalError):
        psycopg.connect(without_runtime_role.url.replace("runtime%2F", "another%2F"))


def in_query(url: str) -> str:
    """The same address with role and password in its query."""
    credentials, _, place = url.partition("://")[2].partition("@")
    user, _, password = credentials.partition(":")
    return f"postgresql://{place}{'&' if '?' in place else '?'}user={user}&password={password}"


def test_a_password_in_the_query_of_an_address_is_read_and_not_shown(
    shell: Shell, without_runtime_role: TwoRoles
) -> None:
    made = without_runtime_role
    addresses = {name: in_query(url) for name, url in made.environment.items()}

    told = shell.run("migrate", **addresses)
    refused(
        told,
        f"DATABASE_URL: there is no role {made.role}. Run switchgate migrate --create-role, or, as a"
        f" role that may create others: CREATE ROLE \"{made.role}\" LOGIN PASSWORD '…'",
    )
    said = shell.run("migrate", "--create-role", **addresses)

    assert (said.status, said.out) == (0, DONE), said.err
    assert not [password for password in PASSWORDS if password in said.all]
    with psycopg.connect(made.url) as connection:
        assert connection.info.user == made.role
    with psycopg.connect(made.admin_url) as connection:
        row = connection.execute(
            "SELECT rolpassword LIKE 'SCRAM-SHA-256$%%' FROM pg_authid WHERE rolname = %s", [made.role]
        )
        assert row.fetchone() == (True,)


def test_the_server_does_not_learn_the_password_by_the_statement(
    shell: Shell, without_runtime_role: TwoRoles, postgres: EmbeddedPostgres
) -> None:
    with psycopg.connect(postgres.url, autocommit=True) as admin:
        admin.execute(f"ALTER ROLE {without_runtime_role.owner} SET log_statement = 'ddl'".encode())
        admin.execute("GRANT SET ON PARAMETER log_statement TO PUBLIC")
        row = admin.execute("SHOW data_directory").fetchone()
    assert row is not None

    assert shell.run("migrate", "--create-role", **without_runtime_role.environment).status == 0

    log = (Path(row[0]).parent / "postgres.log").read_text(errors="replace")
    assert f'CREATE ROLE "{without_runtime_role.role}"' in log
    assert not [password for password in PASSWORDS if password in log]


def test_an_owner_who_may_create_no_role_says_so(
    shell: Shell, without_runtime_role: TwoRoles, postgres: EmbeddedPostgres
) -> None:
    with psycopg.connect(postgres.url, autocommit=True) as admin:
        admin.execute(f"ALTER ROLE {without_runtime_role.owner} NOCREATEROLE".encode())

    said = shell.run("migrate", "--create-role", **without_runtime_role.environment)

    refused(
        said,
        f"DATABASE_URL: there is no role {without_runtime_role.role}. DATABASE_OWNER_URL's could not create it"
        " (permission denied to create role). As one that may create roles:"
        f" CREATE ROLE \"{without_runtime_role.role}\" LOGIN PASSWORD '…'",
    )
    assert revision(without_runtime_role.owner_url) is None


def test_an_owner_of_another_database_is_refused(
    at_roles: Shell, roles: TwoRoles, postgres: EmbeddedPostgres
) -> None:
    other = postgres.create_database(f"other_{roles.owner}"[:60])
    name = other.partition("@/")[2].partition("?")[0]
    try:
        url = roles.url.replace(f"/{roles.role.removeprefix('runtime_')}?", f"/{name}?")
        assert url != roles.url

        said = at_roles.run("migrate", DATABASE_URL=url)

        refused(
            said,
            "DATABASE_URL: is another database than DATABASE_OWNER_URL's: both name one database, by two roles",
        )
        assert revision(roles.owner_url) is None
        assert revision(other) is None
    finally:
        with psycopg.connect(postgres.url, autocommit=True) as admin:
            admin.execute(f'DROP DATABASE "{name}" WITH (FORCE)'.encode())


def test_a_wrong_password_of_either_role_is_named_by_its_variable(at_roles: Shell, roles: TwoRoles) -> None:
    wrong = {name: url.replace("p%40ss", "wrong") for name, url in roles.environment.items()}

    service = at_roles.run("migrate", DATABASE_URL=wrong["DATABASE_URL"])
    owner = at_roles.run("migrate", DATABASE_OWNER_URL=wrong["DATABASE_OWNER_URL"])

    for said, variable in ((service, "DATABASE_URL"), (owner, "DATABASE_OWNER_URL")):
        assert said.status == 2
        assert said.err.startswith(f"{variable}: the database cannot be used: ")
        assert "password authentication failed" in said.err
        assert is_clean(said)
        assert not [word for word in ("wrong", OWNER_PASSWORD, PASSWORD) if word in said.all]
    assert revision(roles.owner_url) is None


def test_the_runtime_role_alone_cannot_migrate_and_is_told_so(at_roles: Shell, roles: TwoRoles) -> None:
    migrate(roles.owner_url, to="0030", runtime_url=roles.url)

    said = at_roles.run("migrate", DATABASE_OWNER_URL="")

    assert said.status == 2
    assert said.err.startswith("DATABASE_URL: its role may not migrate: ")
    assert said.err.endswith("Set DATABASE_OWNER_URL to the same database by the role that owns the tables\n")
    assert is_clean(said)
    assert revision(roles.owner_url) == "0030"


def test_the_runtime_role_alone_finds_that_nothing_is_to_do(at_roles: Shell) -> None:
    assert at_roles.run("migrate").status == 0

    said = at_roles.run("migrate", DATABASE_OWNER_URL="")

    assert (said.status, said.out) == (0, DONE), said.err


def test_one_role_in_both_variables_is_one_role(at_roles: Shell, roles: TwoRoles) -> None:
    said = at_roles.run("migrate", DATABASE_URL=roles.owner_url)

    assert (said.status, said.out) == (0, DONE), said.err


def test_variables_and_options_that_do_not_go_together_are_refused(at_roles: Shell) -> None:
    refused(
        at_roles.run("migrate", DATABASE_URL=""),
        "DATABASE_URL: is not set, and DATABASE_OWNER_URL is: name the same database by the role that the service uses,"
        " which is granted what it needs",
    )
    refused(
        at_roles.run("migrate", "--create-role", DATABASE_OWNER_URL=""),
        "--create-role: DATABASE_OWNER_URL is not set: it names the role that owns the tables, and DATABASE_URL the one"
        " to create",
    )
    malformed = at_roles.run("migrate", DATABASE_OWNER_URL="mysql://o:hidden-password@db/x")
    assert malformed.status == 2
    assert malformed.err.startswith("DATABASE_OWNER_URL: is no address of a Postgres")
    assert "For example DATABASE_OWNER_URL=postgresql://switchgate_owner:password@" in malformed.err
    assert "hidden-password" not in malformed.all


def test_an_address_without_a_role_is_refused(at_roles: Shell, roles: TwoRoles) -> None:
    nameless = f"postgresql://{roles.url.partition('@')[2]}"

    refused(
        at_roles.run("migrate", DATABASE_URL=nameless),
        "DATABASE_URL: names no role; with DATABASE_OWNER_URL it names the one that the service uses",
    )
