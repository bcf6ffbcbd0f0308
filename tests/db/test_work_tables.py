"""Tables of work keep a row for each gate that ever was: a dozen updates an hour must not wear them out."""

from datetime import UTC, datetime, timedelta
from typing import Final, get_args
from uuid import uuid4

import psycopg
import pytest
from psycopg import sql

from app.db.database import Database
from app.db.leases import Work, claim_statement, renew_statement
from app.db.repositories.gates import Gates
from app.db.tables import metadata
from tests.db.gate_builders import NOW, open_gate
from tests.db.statements.history import fill_history
from tests.db.statements.statement_cases import run

WORK: Final[tuple[Work, ...]] = get_args(Work)
CLAIMED_AT_ONCE: Final = 8
DUE: Final[dict[str, str]] = {
    "announcements": ", ts = NULL",
    "channel_announcements": ", ts = NULL",
    "direct_messages": ", closed_at = NULL",
    "interventions": ", phase = 'requested', finished_at = NULL",
}


def test_vacuum_comes_early_and_pages_have_room(database_url: str) -> None:
    with psycopg.connect(database_url) as connection:
        rows = connection.execute("SELECT relname, reloptions FROM pg_class WHERE relkind = 'r'").fetchall()
    options = {name: dict(option.split("=") for option in given or ()) for name, given in rows}
    for table in (*WORK, "gates", "gate_rule_snapshots"):
        assert int(options[table]["fillfactor"]) <= 80, table
        # Of a million rows, so many are dead before vacuum comes; by default 200,050.
        dead = 1_000_000 * float(options[table]["autovacuum_vacuum_scale_factor"]) + int(
            options[table]["autovacuum_vacuum_threshold"]
        )
        assert dead <= 10_000, table
        assert float(options[table]["autovacuum_analyze_scale_factor"]) <= 0.01, table
    assert float(options["audit_events"]["autovacuum_vacuum_insert_scale_factor"]) <= 0.01


@pytest.mark.parametrize("work", [work for work in WORK if work != "card_copies"])  # a history has none
def test_a_claim_and_its_renewals_touch_no_index(database_url: str, work: Work) -> None:
    """Postgres counts: of the updates, nearly all are HOT. Their rows lie side by side, as those of one hour do."""
    now, owner = datetime.now(UTC), uuid4()
    fill_history(database_url, switches=2000, now=now, events=1)
    _make_due(database_url, work, now)
    claim, renew = claim_statement(work), renew_statement(work)
    given = {"owner": owner, "now": now, "until": now + timedelta(seconds=3), "limit": CLAIMED_AT_ONCE}
    with psycopg.connect(database_url, autocommit=True) as connection:
        for _ in range(20):
            for key, *_ in run(connection, claim, {**given, "busy": []}).fetchall():
                for _ in range(3):
                    run(connection, renew, {"key": key, **given})
        connection.execute("SELECT pg_stat_force_next_flush()")
        counted = connection.execute(
            "SELECT n_tup_upd, n_tup_hot_upd FROM pg_stat_user_tables WHERE relname = %s", [work]
        ).fetchone()
    assert counted is not None
    updates, hot = counted
    assert updates >= 40
    assert hot >= 0.92 * updates


def _make_due(url: str, work: Work, now: datetime) -> None:
    """Its rows are written anew, as work that is due and was never touched."""
    table = sql.Identifier(work)
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("SET session_replication_role = replica")
        connection.execute(sql.SQL("CREATE TEMPORARY TABLE kept AS SELECT * FROM {}").format(table))
        extra = sql.SQL(DUE.get(work, ""))
        connection.execute(sql.SQL("UPDATE kept SET due_at = %s, attempts = 0 {}").format(extra), [now])
        connection.execute(sql.SQL("DELETE FROM {}").format(table))
        connection.execute(sql.SQL("VACUUM {}").format(table))
        rows = sql.SQL("INSERT INTO {} OVERRIDING SYSTEM VALUE SELECT * FROM kept ORDER BY {}")
        connection.execute(
            rows.format(table, sql.Identifier(metadata.tables[work].primary_key.columns[0].name))
        )
        connection.execute("SELECT pg_stat_reset()")


async def test_a_gates_domain_is_its_switchs(database: Database) -> None:
    """Known from the hook, or found out at a later look; whatever writes."""
    gates = Gates(database)
    await open_gate(gates, "d-known", domain="hub")
    await open_gate(gates, "d-unknown", verified=False)
    read = "SELECT s.deployment_id, g.domain FROM gates g JOIN switches s ON s.id = g.switch_id ORDER BY s.id"
    assert [tuple(row) for row in await database.execute(read)] == [("d-known", "hub"), ("d-unknown", None)]
    await database.execute(
        "UPDATE switches SET domain = 'order', application = 'a', deployment_group = 'g', verified_at = :now"
        " WHERE deployment_id = 'd-unknown'",
        now=NOW,
    )
    await open_gate(gates, "d-unknown", verified=False, execution="two")
    assert [row.domain for row in await database.execute(read)] == ["hub", "order", "order"]
