"""The service runs as a role that owns nothing: whoever has its password can add to the record, and not undo it."""

from collections.abc import Iterator
from pathlib import Path
from typing import Final

import psycopg
import pytest

from app.db.database import Database
from app.db.embedded.postgres import EmbeddedPostgres
from app.db.privileges import RUNTIME_PRIVILEGES
from app.db.queries.role_privileges import role_privileges
from app.flow.ports.database import DatabaseUnavailable
from app.sandbox.people import OLU
from tests.database_roles import TwoRoles, two_roles
from tests.db.sample_rows import fill
from tests.harness import running_harness
from tests.journeys.test_switch_lifecycle import CANARY, approved
from tests.journeys.undo.test_undo import undo

REFUSED: Final = {
    "changes an event": "UPDATE audit_events SET kind = 'nothing'",
    "deletes an event": "DELETE FROM audit_events",
    "empties the audit trail": "TRUNCATE audit_events",
    "turns the triggers off": "ALTER TABLE audit_events DISABLE TRIGGER ALL",
    "turns one trigger off": "ALTER TABLE gates DISABLE TRIGGER guard_gate",
    "turns triggers off for its session": "SET session_replication_role = replica",
    "drops a trigger": "DROP TRIGGER deny_audit_change ON audit_events",
    "replaces a trigger's function": (
        "CREATE OR REPLACE FUNCTION deny_audit_change() RETURNS trigger LANGUAGE plpgsql AS"
        " 'BEGIN RETURN OLD; END'"
    ),
    "adds a trigger": (
        "CREATE TRIGGER mine BEFORE UPDATE ON audit_events FOR EACH ROW"
        " EXECUTE FUNCTION suppress_redundant_updates_trigger()"
    ),
    "adds a column": "ALTER TABLE gates ADD COLUMN mine text",
    "drops a constraint": "ALTER TABLE gates DROP CONSTRAINT deadline_within_the_hour",
    "drops a table": "DROP TABLE audit_events CASCADE",
    "drops an index": "DROP INDEX audit_by_kind",
    "makes a table": "CREATE TABLE mine (n int)",
    "takes ownership": "ALTER TABLE audit_events OWNER TO CURRENT_USER",
    "deletes a gate": "DELETE FROM gates",
    "deletes a switch": "DELETE FROM switches",
    "says that the tables are another release's": "UPDATE alembic_version SET version_num = '0001'",
    "skips numbers of the audit trail": "SELECT setval('audit_events_id_seq', 1)",
    **{f"empties {table}": f"TRUNCATE {table} CASCADE" for table in RUNTIME_PRIVILEGES},
}


@pytest.fixture(scope="module")
def filled(postgres: EmbeddedPostgres) -> Iterator[TwoRoles]:
    """Migrated, with a gate of each phase."""
    with two_roles(postgres) as made:
        made.migrate()
        fill(made.url)  # as the runtime role: it may write all of that
        yield made


@pytest.mark.parametrize("statement", REFUSED.values(), ids=REFUSED)
def test_postgres_refuses_a_runtime_role_that(filled: TwoRoles, statement: str) -> None:
    with psycopg.connect(filled.url) as connection:
        before = connection.execute("SELECT * FROM audit_events ORDER BY id").fetchall()
        assert before
        with pytest.raises(psycopg.errors.InsufficientPrivilege), connection.transaction():
            connection.execute(statement.encode())
        assert connection.execute("SELECT * FROM audit_events ORDER BY id").fetchall() == before


def test_the_owner_cannot_empty_a_table_either(filled: TwoRoles) -> None:
    with psycopg.connect(filled.owner_url) as connection, pytest.raises(psycopg.errors.IntegrityError):
        connection.execute("TRUNCATE gates CASCADE")


async def test_the_list_names_every_table_and_the_role_has_just_that(filled: TwoRoles) -> None:
    with psycopg.connect(filled.admin_url) as connection:
        tables = connection.execute(
            "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind = 'r'"
        ).fetchall()
        sequences = connection.execute(
            "SELECT count(*) FROM pg_sequence WHERE has_sequence_privilege(%s, seqrelid, 'USAGE, UPDATE')",
            [filled.role],
        ).fetchone()
    assert {name for (name,) in tables} == set(RUNTIME_PRIVILEGES)
    assert sequences == (0,)
    with psycopg.connect(filled.url) as connection:  # gives itself nothing, with a warning
        connection.execute("GRANT ALL ON audit_events, gates TO CURRENT_USER")
    database = Database(filled.url)
    found = await role_privileges(database)
    await database.close()
    assert (found.role, found.superuser) == (filled.role, False)
    assert (found.owned, found.missing, found.excess, found.other) == ([], {}, {}, [])


async def test_a_switch_is_opened_approved_reported_and_rolled_back(
    roles: TwoRoles, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    roles.migrate()
    async with running_harness(tmp_path, roles.url, monkeypatch) as harness:
        assert harness.rows("SELECT current_user AS me") == [{"me": roles.role}]
        deployment = await approved(harness, config=CANARY)
        harness.aws.advance_until(lambda: harness.aws.share("order")["green"] == 10)
        await harness.until(lambda: "10% of traffic" in harness.card_text(deployment))

        await undo(harness, OLU.id, deployment)

        await harness.until(lambda: harness.aws.calls("StopDeployment"))
        harness.aws.advance_until(lambda: harness.aws.deployment(deployment).over)
        await harness.until(lambda: "Rolled back to blue" in harness.card_text(deployment))
        assert harness.audit(deployment)[-1] == "undo_done"


async def test_a_role_that_was_granted_nothing_is_told_what_to_run(roles: TwoRoles) -> None:
    roles.migrate()
    with psycopg.connect(roles.owner_url) as owner:
        owner.execute(f"REVOKE INSERT ON handled_requests FROM {roles.role}".encode())
    database = Database(roles.url)
    with pytest.raises(DatabaseUnavailable, match="run `switchgate migrate` with DATABASE_OWNER_URL"):
        await database.execute("INSERT INTO handled_requests (key) VALUES ('a')")
    await database.close()
