"""A hundred thousand ended switches and a few live ones: no statement reads more because of the ended ones.

Not by the clock: Postgres itself counts the rows and blocks that each statement looks at. Every statement is planned in
both ways that it may be, for its values and for any.
"""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import product
from typing import Any, Final
from uuid import uuid4

import psycopg
import pytest
from sqlalchemy import event
from sqlalchemy.pool import ConnectionPoolEntry, Pool

from app.db.database import Database
from app.db.embedded.postgres import EmbeddedPostgres
from app.db.queries.audit_trail import AuditFilter
from app.db.queries.search import Queries
from app.flow.audit_events import Kind
from tests.conftest import TEMPLATE
from tests.db.statements.history import TABLES, fill_history
from tests.db.statements.plans import Ran, Recorder, report_plans
from tests.db.statements.statement_cases import Values, go_live, run, statements

SWITCHES: Final = 100_000
MOST_ROWS: Final = 300
MOST_BLOCKS: Final = 600
"""An audit event alone writes to nine indexes, each three or four blocks deep."""

MODES: Final = ("force_custom_plan", "force_generic_plan")
DOMAINS: Final = ("order", "retired", "rare", "nowhere")
PAGE: Final = 4

UNBOUNDED: Final[dict[str, str]] = {
    "checks.DELETE_ORPHANED_CHECKS": "looks at fifty checks at once, each a single time in its life",
}
"""Statements that may look at more, and why."""

OLD_ROLLED_BACK_SWITCHES: Final = """
SELECT o.id FROM switches me JOIN switches o ON o.account = me.account AND o.region = me.region AND (
    o.rollback_id = me.deployment_id
    OR o.id IN (SELECT i.switch_id FROM interventions i WHERE i.deployment_id = me.deployment_id)
)
WHERE me.id = %(id)s
"""


@pytest.fixture(scope="module")
def history(postgres: EmbeddedPostgres) -> Iterator[str]:
    """A database to copy: a long history, and nothing that lives."""
    name = f"history{uuid4().hex}"
    url = postgres.create_database(name, template=TEMPLATE)
    fill_history(url, switches=SWITCHES, now=datetime.now(UTC), events=3)
    yield name
    with psycopg.connect(postgres.url, autocommit=True) as connection:
        connection.execute(f"DROP DATABASE {name}")


@pytest.fixture(scope="module")
def living(postgres: EmbeddedPostgres, history: str) -> tuple[str, datetime]:
    """A database with a few live switches, and its time."""
    url, now = postgres.create_database(f"{history}b", template=history), datetime.now(UTC)
    go_live(url, now=now)
    return url, now


@pytest.fixture(params=MODES)
def planned(request: pytest.FixtureRequest, living: tuple[str, datetime]) -> tuple[str, datetime]:
    """The same; its sessions report what they do."""
    report_plans(living[0], plan_cache_mode=request.param)
    return living


def excessive_reads(ran: list[Ran], large: frozenset[str]) -> list[str]:
    """What reads more than a little, in words."""
    return [
        f"{each.rows:.0f} rows, {each.blocks:.0f} blocks, scans of {sorted(each.scanned & large)}: {each.text[:300]}"
        for each in ran
        if each.rows > MOST_ROWS or each.blocks > MOST_BLOCKS or each.scanned & large
    ]


@pytest.fixture(scope="module")
def large(living: tuple[str, datetime]) -> frozenset[str]:
    """The tables that a history makes large: each of them, or this test is worth nothing."""
    with psycopg.connect(living[0]) as connection:
        rows = connection.execute(
            "SELECT relname FROM pg_class WHERE relkind = 'r' AND relpages > 4 AND relname = ANY(%s)",
            [list(TABLES)],
        ).fetchall()
    assert {name for (name,) in rows} == set(TABLES)
    return frozenset(TABLES)


def test_no_statement_reads_more_because_much_has_ended(
    planned: tuple[str, datetime], large: frozenset[str]
) -> None:
    url, now = planned
    values, recorder, found = Values(url, now=now), Recorder(), []
    with psycopg.connect(url) as connection:
        connection.prepared_max = None
        recorder.watch(connection)
        for name, statement in statements():
            for given in _variants(values.of(name, statement)):
                recorder.ran.clear()
                with connection.transaction(force_rollback=True):
                    run(connection, statement, given, prepare=True)
                assert recorder.ran, name
                if name not in UNBOUNDED:
                    found += [f"{name}: {each}" for each in excessive_reads(recorder.ran, large)]
    assert found == []


def _variants(given: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """For a busy domain, one that has failed often and long ago, one that was deployed seldom, and none at all."""
    for domain in DOMAINS if {"domain", "domains"} & given.keys() else (None,):
        named = {"domain": domain, "domains": [domain]}
        yield {name: named.get(name, value) for name, value in given.items()} if domain else given


def test_a_statement_that_reads_ended_rows_is_caught(
    planned: tuple[str, datetime], large: frozenset[str]
) -> None:
    recorder = Recorder()
    with psycopg.connect(planned[0]) as connection:
        recorder.watch(connection)
        connection.execute(OLD_ROLLED_BACK_SWITCHES, {"id": SWITCHES + 4}, prepare=True)
    assert excessive_reads(recorder.ran, large)


@pytest.fixture
def recorder() -> Iterator[Recorder]:
    """Watches every connection that a pool makes."""
    watching = Recorder()

    def connected(connection: object, record: ConnectionPoolEntry) -> None:
        driver = record.driver_connection
        assert isinstance(driver, psycopg.AsyncConnection)
        watching.watch(driver)

    event.listen(Pool, "connect", connected)
    yield watching
    event.remove(Pool, "connect", connected)


async def test_no_page_reads_more_because_much_has_ended(
    planned: tuple[str, datetime], large: frozenset[str], recorder: Recorder
) -> None:
    """Every filter with every other, first page and second."""
    database = Database(planned[0])
    queries = Queries(database)
    for domain, deployment in product((None, *DOMAINS), (None, "d-H500", "d-none")):
        switches = await queries.switches(domain=domain, deployment=deployment, limit=PAGE, cursor=None)
        await queries.switches(domain=domain, deployment=deployment, limit=PAGE, cursor=switches.cursor)
        for phase in (None, "awaiting", "decided", "reported", "closed"):
            cursor = None
            for _ in range(2):
                page = await queries.gates(
                    domain=domain, deployment=deployment, phase=phase, limit=PAGE, cursor=cursor
                )
                cursor = page.cursor
    await database.close()
    assert len(recorder.ran) > 100
    assert excessive_reads(recorder.ran, large) == []


async def test_no_audit_page_reads_more_because_much_has_happened(
    planned: tuple[str, datetime], large: frozenset[str], recorder: Recorder
) -> None:
    url, now = planned
    database = Database(url)
    queries = Queries(database)
    kinds = (None, Kind.GATE_OPENED, Kind.EVIDENCE_COLLECTED, Kind.BREAK_GLASS_USED)
    times = (
        (None, None),
        (None, now - timedelta(days=20)),
        (now - timedelta(days=9), now - timedelta(days=8)),
    )
    for domain, kind, person, deployment, (since, until) in product(
        (None, *DOMAINS), kinds, (None, "U0005", "U0NOBODY"), (None, "d-H500"), times
    ):
        wanted = AuditFilter(
            domain=domain, deployment=deployment, person=person, kind=kind, since=since, until=until
        )
        page = await queries.audit(wanted, limit=PAGE)
        if page.cursor:
            await queries.audit(wanted, limit=PAGE, cursor=page.cursor)
    await database.close()
    assert len(recorder.ran) > 300
    assert excessive_reads(recorder.ran, large) == []
