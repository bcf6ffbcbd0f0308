"""The database alone, as if the program were wrong: it refuses every illegal move by itself."""

from collections.abc import Iterator
from uuid import UUID

import psycopg
import pytest

from app.db.embedded.postgres import EmbeddedPostgres
from tests.conftest import TEMPLATE
from tests.db.sample_rows import AWAITING, CLOSED, DECIDED, REPORTED, fill


@pytest.fixture(scope="module")
def connection(postgres: EmbeddedPostgres) -> Iterator[psycopg.Connection]:
    """One for all tests: a rejected statement writes nothing."""
    url = postgres.create_database("guard_triggers", template=TEMPLATE)
    fill(url)
    with psycopg.connect(url, autocommit=True) as connection:
        yield connection


ILLEGAL = {
    "reopens a decided gate": (
        DECIDED,
        "phase = 'awaiting', verdict = NULL, basis = NULL, decided_at = NULL",
    ),
    "reopens a closed gate": (
        CLOSED,
        "phase = 'decided', closed_at = NULL, outcome = NULL, reported_at = NULL",
    ),
    "turns a yes into a no": (DECIDED, "verdict = 'rejected', basis = NULL, reason = 'x'"),
    "changes who decided": (DECIDED, "decided_by = 'U2'"),
    "changes when it was decided": (REPORTED, "decided_at = now()"),
    "rewrites a report": (REPORTED, "outcome = 'conflict'"),
    "approves against the rules without a reason": (
        AWAITING,
        "phase = 'decided', verdict = 'approved', basis = 'break_glass', decided_by = 'U1', decided_at = now(),"
        ' overridden_rules = \'[{"rule": "own_switch"}]\'',
    ),
    "approves against no rule": (
        AWAITING,
        "phase = 'decided', verdict = 'approved', basis = 'break_glass', decided_by = 'U1', decided_at = now(),"
        " reason = 'incident', overridden_rules = '[]'",
    ),
    "names broken rules of an ordinary approval": (
        DECIDED,
        'overridden_rules = \'[{"rule": "own_switch"}]\'',
    ),
    "reports what nobody decided": (
        AWAITING,
        "phase = 'reported', outcome = 'acknowledged', reported_at = now(), execution_id = NULL",
    ),
    "closes a waiting gate as approved": (
        AWAITING,
        "phase = 'closed', closed_at = now(), verdict = 'approved', basis = 'votes', decided_by = 'U1',"
        " decided_at = now(), execution_id = NULL",
    ),
    "approves by nobody": (
        AWAITING,
        "phase = 'decided', verdict = 'approved', basis = 'votes', decided_at = now()",
    ),
    "approves without a basis": (AWAITING, "phase = 'decided', verdict = 'approved', decided_at = now()"),
    "rejects without a reason": (
        AWAITING,
        "phase = 'decided', verdict = 'rejected', decided_by = 'U1', reason = ' ', decided_at = now()",
    ),
    "withdraws by nobody and waits for a report": (
        AWAITING,
        "phase = 'decided', verdict = 'withdrawn', reason = 'x', decided_at = now()",
    ),
    "decides without a time": (AWAITING, "phase = 'decided', verdict = 'expired'"),
    "moves a deadline away": (AWAITING, "deadline_at = deadline_at + interval '1 minute'"),
    "moves a gate to another switch": (AWAITING, "switch_id = (SELECT max(id) FROM switches)"),
    "forgets the execution id too early": (DECIDED, "execution_id = NULL"),
    "keeps the execution id too long": (REPORTED, "execution_id = 'secret'"),
    "invents a phase": (AWAITING, "phase = 'paused'"),
    "invents a verdict": (AWAITING, "phase = 'decided', verdict = 'maybe', decided_at = now()"),
}


@pytest.mark.parametrize(("gate", "change"), ILLEGAL.values(), ids=ILLEGAL)
def test_postgres_refuses_what(connection: psycopg.Connection, gate: UUID, change: str) -> None:
    before = connection.execute("SELECT * FROM gates WHERE id = %s", [gate]).fetchone()
    with pytest.raises(psycopg.errors.IntegrityError):
        connection.execute(f"UPDATE gates SET {change} WHERE id = %s", [gate])
    assert connection.execute("SELECT * FROM gates WHERE id = %s", [gate]).fetchone() == before


def test_a_gate_is_never_deleted(connection: psycopg.Connection) -> None:
    with pytest.raises(psycopg.errors.IntegrityError):
        connection.execute("DELETE FROM gates")


def test_a_gate_opens_waiting(connection: psycopg.Connection) -> None:
    with pytest.raises(psycopg.errors.IntegrityError):
        connection.execute(
            "INSERT INTO gates (id, switch_id, execution_hash, execution_id, hook_name, phase, opened_at,"
            " deadline_at, verdict, basis, decided_by, decided_at)"
            " SELECT gen_random_uuid(), switch_id, 'other', 'x', hook_name, 'decided', opened_at, deadline_at,"
            " 'approved', 'votes', 'U1', now() FROM gates LIMIT 1"
        )


def test_a_deadline_stays_inside_codedeploys_hour(connection: psycopg.Connection) -> None:
    with pytest.raises(psycopg.errors.CheckViolation):
        connection.execute(
            "INSERT INTO gates (id, switch_id, execution_hash, execution_id, hook_name, phase, opened_at, deadline_at)"
            " SELECT gen_random_uuid(), switch_id, 'other', 'x', hook_name, 'awaiting', now(),"
            " now() + interval '60 minutes' FROM gates LIMIT 1"
        )


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE audit_events SET kind = 'nothing'",
        "DELETE FROM audit_events WHERE id = 1",
        "TRUNCATE audit_events",
    ],
)
def test_the_audit_trail_is_only_ever_added_to(connection: psycopg.Connection, statement: str) -> None:
    with pytest.raises(psycopg.errors.IntegrityError):
        connection.execute(statement)


def test_truncate_is_refused_on_every_table(connection: psycopg.Connection) -> None:
    tables = connection.execute(
        "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind = 'r'"
    ).fetchall()
    assert len(tables) > 20
    for (table,) in tables:
        with pytest.raises(psycopg.errors.IntegrityError):
            connection.execute(f"TRUNCATE {table} CASCADE".encode())


def test_an_edit_made_with_the_triggers_off_is_found(connection: psycopg.Connection) -> None:
    broken = (
        "SELECT count(*) FROM (SELECT e AS event, hash, coalesce(lag(hash) OVER ("
        "PARTITION BY account, region, deployment_id ORDER BY seq), ''::bytea) AS previous FROM audit_events e) x"
        " WHERE hash <> audit_event_hash(previous, event)"
    )
    assert connection.execute(broken).fetchone() == (0,)
    with connection.transaction(force_rollback=True):
        connection.execute("ALTER TABLE audit_events DISABLE TRIGGER USER")
        connection.execute('UPDATE audit_events SET detail = \'{"who": "somebody else"}\' WHERE id = 5')
        assert connection.execute(broken).fetchone() == (1,)
    with connection.transaction(force_rollback=True):
        connection.execute("ALTER TABLE audit_events DISABLE TRIGGER USER")
        connection.execute("DELETE FROM audit_events WHERE id = 5")
        assert connection.execute(broken).fetchone() == (1,)


def test_links_of_one_deployment_count_up(connection: psycopg.Connection) -> None:
    links = connection.execute(
        "SELECT seq FROM audit_events WHERE deployment_id = 'd-2' ORDER BY id"
    ).fetchall()
    assert links == [(1,), (2,), (3,)]
