"""`switchgate migrate`."""

import socket

import psycopg
import pytest

from app.db.migrate import newest
from tests.cli.commands import LONGEST, Shell, is_clean


def _revision(url: str) -> object:
    with psycopg.connect(url) as connection:
        row = connection.execute("SELECT version_num FROM alembic_version").fetchone()
    return row[0] if row else None


def test_an_empty_database_gets_its_tables_and_a_second_time_changes_nothing(
    shell: Shell, empty_url: str
) -> None:
    for _ in range(2):
        said = shell.run("migrate", DATABASE_URL=empty_url)
        assert (said.status, said.out) == (0, f"The database is at migration {newest()}.\n")
    assert _revision(empty_url) == newest()


def test_two_at_once_wait_for_each_other(shell: Shell, empty_url: str) -> None:
    both = [shell.start("migrate", DATABASE_URL=empty_url) for _ in range(2)]

    for one in both:
        out, err = one.communicate(timeout=LONGEST)
        assert (one.returncode, out) == (0, f"The database is at migration {newest()}.\n"), err
    assert _revision(empty_url) == newest()


def test_the_way_back_is_a_revision(at_record: Shell) -> None:
    assert at_record.run("migrate", "--to", "0001").out == "The database is at migration 0001.\n"
    base = at_record.run("migrate", "--to", "base", "--yes")
    assert (base.status, base.out) == (0, "The database is at migration base.\n")
    assert at_record.run("migrate").out == f"The database is at migration {newest()}.\n"


def test_base_wants_a_yes(at_record: Shell) -> None:
    said = at_record.run("migrate", "--to", "base")

    assert (said.status, said.out) == (2, "")
    assert said.err == (
        "--to: base deletes everything that is recorded, the audit trail too; add --yes if you mean it\n"
    )
    assert _revision(at_record.environment["DATABASE_URL"]) == newest()


@pytest.mark.parametrize("options", [(), ("--to", "0001")])
def test_a_revision_of_another_line_of_releases_is_named(at_record: Shell, options: tuple[str, ...]) -> None:
    _set_revision(at_record.environment["DATABASE_URL"], "fork7")

    said = at_record.run("migrate", *options)

    assert (said.status, said.out) == (2, "")
    assert said.err.endswith("the database is at migration fork7, which this release does not have\n")
    assert is_clean(said)


def test_a_revision_that_is_none_is_refused(at_record: Shell) -> None:
    said = at_record.run("migrate", "--to", "0999")

    assert said.status == 2
    assert "--to: '0999' is no revision" in said.err
    assert newest() in said.err
    assert is_clean(said)


def test_an_unreachable_database_is_named(shell: Shell) -> None:
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))  # taken, and nobody listens
        url = f"postgresql://switchgate:hidden-password@127.0.0.1:{nobody.getsockname()[1]}/switchgate"
        said = shell.run("migrate", DATABASE_URL=url)

    assert said.status == 2
    assert "DATABASE_URL: the database cannot be used" in said.err
    assert "onnection refused" in said.err
    assert "hidden-password" not in said.all
    assert is_clean(said)


def test_an_address_that_is_none_is_named_with_an_example(shell: Shell) -> None:
    said = shell.run("migrate", DATABASE_URL="mysql://root:hidden-password@db/x")

    assert said.status == 2
    assert said.err.startswith("DATABASE_URL: is no address of a Postgres")
    assert "For example DATABASE_URL=postgresql://" in said.err
    assert "hidden-password" not in said.all


def test_a_database_of_a_newer_release_is_left_as_it_is(at_record: Shell) -> None:
    _set_revision(at_record.environment["DATABASE_URL"], "0999")

    said = at_record.run("migrate")

    assert (said.status, said.err) == (0, "")
    assert said.out == (
        "The database is at migration 0999: a newer release has migrated it,"
        f" and this release needs {newest()} only.\n"
    )
    back = at_record.run("migrate", "--to", "0001")
    assert back.status == 2
    assert back.err == (
        "--to: the database is at migration 0999 of a newer release; use that release to go back\n"
    )
    assert _revision(at_record.environment["DATABASE_URL"]) == "0999"


def _set_revision(url: str, revision: str) -> None:
    with psycopg.connect(url) as connection:
        connection.execute("UPDATE alembic_version SET version_num = %s", [revision])
