"""Databases that the service filled at revision 0010 are migrated up, read, and migrated back.

`databases/` holds their rows, one file for each journey: pg_dump's --data-only --column-inserts, without the comments.
"""

import json
from pathlib import Path
from typing import Any, Final

import psycopg
import pytest

from app.db.database import Database
from app.db.migrate import migrate, newest
from app.db.queries.audit_trail import AuditFilter
from app.db.queries.search import Queries
from app.flow.audit_events import Kind

FOLDER: Final = Path(__file__).parent / "databases"
FILLED: Final = "0010"
BROKEN_CHAIN: Final = """
SELECT count(*) FROM (
    SELECT e AS event, {seq} AS seq, {hash} AS hash, coalesce(lag({hash}) OVER chain, ''::bytea) AS previous,
        row_number() OVER chain AS place
    FROM audit_events e WINDOW chain AS (PARTITION BY account, region, deployment_id ORDER BY {seq})
) x WHERE hash <> {function}(previous, event) OR seq <> place
"""
BEFORE: Final = BROKEN_CHAIN.format(seq="link", hash="digest", function="audit_digest")
NOW: Final = BROKEN_CHAIN.format(seq="seq", hash="hash", function="audit_event_hash")
TABLES: Final = """
SELECT relname FROM pg_class
WHERE relnamespace = 'public'::regnamespace AND relkind = 'r' AND relname <> 'alembic_version'
"""
EVENTS: Final = "SELECT id, kind, detail, hash FROM audit_events ORDER BY id"


def load(url: str, scenario: str) -> None:
    migrate(url, to=FILLED)
    with psycopg.connect(url) as connection:
        connection.execute("SET session_replication_role = replica")  # no triggers: the rows as they were
        connection.execute((FOLDER / f"{scenario}.sql").read_bytes())


def rows(url: str, statement: str) -> list[Any]:
    with psycopg.connect(url) as connection:
        return connection.execute(statement.encode()).fetchall()


def contents(url: str) -> dict[str, list[str]]:
    """Every table's rows. Evidence apart: migration 0013 has taken commands out of it, for good."""
    found = {}
    for (table,) in rows(url, TABLES):
        stored = rows(url, f"SELECT to_jsonb(t) - 'seen' FROM \"{table}\" t")
        found[table] = sorted(json.dumps(row, sort_keys=True) for (row,) in stored)
    return found


@pytest.mark.parametrize("scenario", sorted(path.stem for path in FOLDER.glob("*.sql")))
async def test_a_database_of_an_earlier_release_is_migrated_read_and_migrated_back(
    empty_url: str, scenario: str
) -> None:
    load(empty_url, scenario)
    before = contents(empty_url)
    trail = rows(empty_url, EVENTS.replace("hash", "digest"))
    assert len(trail) > 5
    assert rows(empty_url, BEFORE) == [(0,)]

    assert migrate(empty_url) == newest()

    assert rows(empty_url, EVENTS) == trail  # kind, detail and hash of every row, as they were
    assert rows(empty_url, NOW) == [(0,)]
    await _is_readable(empty_url)

    assert migrate(empty_url, to=FILLED) == FILLED

    assert rows(empty_url, BEFORE) == [(0,)]
    assert contents(empty_url) == before


async def _is_readable(url: str) -> None:
    database = Database(url)
    queries = Queries(database)
    try:
        gates = await queries.gates(domain=None, deployment=None, phase=None, limit=9, cursor=None)
        switches = await queries.switches(domain=None, deployment=None, limit=9, cursor=None)
        audit = await queries.audit(AuditFilter(), limit=100)
        assert rows(url, "SELECT count(*) FROM gates") == [
            (len(gates.items),)
        ]  # unreadable ones are left out
        assert rows(url, "SELECT count(*) FROM switches") == [(len(switches.items),)]
        assert rows(url, "SELECT count(*) FROM audit_events") == [(len(audit.items),)]
        kinds = [line.kind for line in audit.items]
        for kind in set(kinds):
            found = await queries.audit(AuditFilter(kind=Kind(kind)), limit=100)
            assert len(found.items) == kinds.count(kind)
    finally:
        await database.close()


def test_values_of_the_present_release_have_a_way_back(empty_url: str) -> None:
    load(empty_url, "break_glass")
    migrate(empty_url)
    (overridden,) = rows(empty_url, "SELECT overridden_rules FROM gates WHERE basis = 'break_glass'")
    assert [rule["rule"] for rule in overridden[0]] == ["excluded_by_switch"]

    migrate(empty_url, to="0023")

    assert rows(empty_url, "SELECT DISTINCT outcome FROM gates") == [("told",)]
    (broken,) = rows(empty_url, "SELECT broken FROM gates WHERE basis = 'break_glass'")
    assert [rule["rule"] for rule in broken[0]] == ["turn_taken"]
