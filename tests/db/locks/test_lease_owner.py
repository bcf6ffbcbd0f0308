"""Only the owner of a lease finishes, puts back or renews its work: each such statement is run for another owner."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any, Final, get_args
from uuid import UUID, uuid4

import psycopg
import pytest
from psycopg import sql

from app.db.embedded.postgres import EmbeddedPostgres
from app.db.leases import LEASE_DURATION, Work, claim_statement, release_statement
from tests.conftest import TEMPLATE
from tests.db.statements.history import fill_history
from tests.db.statements.statement_cases import (
    OWNER,
    Statement,
    Values,
    go_live,
    parameters_of,
    run,
    statements,
)

NOW: Final = datetime(2026, 11, 24, 3, 0, tzinfo=UTC)
FENCED: Final = (
    *(
        f"announcements.{name}"
        for name in (
            "STORE_POST_INTENT",
            "STORE_POSTED",
            "REQUEST_ELSEWHERE",
            "DELETE_ANNOUNCEMENT",
            "RESCHEDULE",
        )
    ),
    *(
        f"channel_announcements.{name}"
        for name in ("STORE_POST_INTENT", "STORE_POSTED", "DELETE", "RESCHEDULE")
    ),
    *(f"direct_messages.{name}" for name in ("STORE_POST_INTENT", "STORE_POSTED", "CLOSE", "RESCHEDULE")),
    "card_copies.RESCHEDULE",
    *(f"cards.{name}" for name in ("STORE_POST_INTENT", "STORE_PUBLISHED", "STORE_SHOWN", "RESCHEDULE")),
    *(f"evidence.{name}" for name in ("STORE_EVIDENCE", "STORE_LIVE", "RESCHEDULE")),
    *(f"interventions.{name}" for name in ("STORE_SENT", "STORE_FAILED", "RESCHEDULE")),
    "probes.FINISH_RUN",
    *(f"reports.{name}" for name in ("STORE_REPORTED", "RESCHEDULE")),
    "switches.RESCHEDULE",
    *(f"threads.{name}" for name in ("STORE_POST_INTENT", "STORE_POSTED", "STORE_ALL_POSTED", "RESCHEDULE")),
    *(f"leases.renew_statement({work})" for work in get_args(Work)),
    *(f"leases.release_statement({work})" for work in get_args(Work)),
)
"""Names, so that a statement whose fence was lost is still tried."""

LOCKS: Final = (
    "switches.LOCK_SWITCH",
    "audit_lock.LOCK_ROLLED_BACK_AUDIT",
    "audit_lock.ROLLED_BACK_AUDIT_LOCKS_HELD",
    "switches.LOCK_GATES",
)
"""They change nothing: without the lock of the switch its poll writes nothing."""

TEXTS: Final = {
    **dict(statements()),
    **{f"leases.release_statement({work})": release_statement(work) for work in get_args(Work)},
}
POSTED: Final = "UPDATE cards SET channel = 'C01DEPLOY', ts = '1764000000.000200'"
"""Cards as they have to be before copies of them are removed."""
OTHER: Final = uuid4()
WRITTEN: Final = sql.SQL("SELECT coalesce(md5(string_agg(r::text, chr(10) ORDER BY r::text)), '') FROM {} r")
LEASED: Final = sql.SQL("SELECT count(*) FROM {} WHERE claimed_by = %s")


@pytest.fixture(scope="module")
def leased(postgres: EmbeddedPostgres) -> Iterator[tuple[psycopg.Connection, Values]]:
    """A database in which all work is leased to `OWNER`; what is tried is rolled back."""
    url = postgres.create_database(f"leased{uuid4().hex}", template=TEMPLATE)
    fill_history(url, switches=40, now=NOW, events=1)
    go_live(url, now=NOW)
    with psycopg.connect(url) as connection:
        connection.execute(POSTED)
        connection.commit()
        yield connection, Values(url, now=NOW)


def rows_of(connection: psycopg.Connection) -> dict[str, Any]:
    """Every table, as something to compare."""
    tables = connection.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'").fetchall()
    return {name: connection.execute(WRITTEN.format(sql.Identifier(name))).fetchone() for (name,) in tables}


def changed_by(leased: tuple[psycopg.Connection, Values], name: str, owner: UUID) -> set[str]:
    """The tables that the statement changes for this owner."""
    connection, values = leased
    # `release_statement` takes the parameters of `renew_statement`.
    known = values.of(name.replace("release", "renew"), TEXTS[name])
    known |= {"owner": owner} | ({"until": NOW + LEASE_DURATION} if "until" in known else {})
    with connection.transaction(force_rollback=True):
        before = rows_of(connection)
        run(connection, TEXTS[name], known)
        after = rows_of(connection)
    return {table for table in before if before[table] != after[table]}


@pytest.mark.parametrize("name", FENCED)
def test_a_statement_changes_nothing_for_who_has_lost_the_lease(
    leased: tuple[psycopg.Connection, Values], name: str
) -> None:
    assert changed_by(leased, name, OTHER) == set()


@pytest.mark.parametrize("name", FENCED)
def test_it_does_for_the_owner(leased: tuple[psycopg.Connection, Values], name: str) -> None:
    assert changed_by(leased, name, OWNER)


KEEPS_LEASE: Final = (
    "cards.STORE_POST_INTENT",
    "announcements.STORE_POST_INTENT",
    "announcements.REQUEST_ELSEWHERE",
    "channel_announcements.STORE_POST_INTENT",
    "direct_messages.STORE_POST_INTENT",
    "threads.STORE_POST_INTENT",
    "threads.STORE_POSTED",
)
"""After these the owner still works, as after a renewal."""


@pytest.mark.parametrize(
    "name", [name for name in FENCED if name not in KEEPS_LEASE and "renew_statement" not in name]
)
def test_work_that_is_finished_or_put_back_is_leased_to_nobody(
    leased: tuple[psycopg.Connection, Values], name: str
) -> None:
    connection, values = leased
    known = {**values.of(name.replace("release", "renew"), TEXTS[name]), "owner": OWNER}
    with connection.transaction(force_rollback=True):
        before = leases_of(connection)
        run(connection, TEXTS[name], known)
        assert leases_of(connection) < before


def leases_of(connection: psycopg.Connection) -> int:
    """How much work is leased to `OWNER`."""
    counts = (
        connection.execute(LEASED.format(sql.Identifier(work)), [OWNER]).fetchone() for work in get_args(Work)
    )
    return sum(count[0] for count in counts if count is not None)


@pytest.mark.parametrize(
    "change",
    [
        "posting_since = now()",
        "channel = NULL, ts = NULL",
        "ts = '1764000000.000100'",
    ],
    ids=["the card may just be posted", "no card is known", "it is the card itself"],
)
def test_no_copy_of_a_card_is_claimed_for_removal_while(
    leased: tuple[psycopg.Connection, Values], change: str
) -> None:
    connection, _ = leased
    values = {"owner": OTHER, "now": NOW, "until": NOW + LEASE_DURATION, "limit": 50, "busy": []}
    claim = claim_statement("card_copies")
    with connection.transaction(force_rollback=True):
        connection.execute(f"UPDATE cards SET {change}".encode())
        assert run(connection, claim, values).fetchall() == []
    with connection.transaction(force_rollback=True):
        assert run(connection, claim, values).fetchall()


def test_every_statement_with_an_owner_is_tried() -> None:
    names = {name: parameters_of(statement) for name, statement in TEXTS.items()}
    with_owner = {name for name, known in names.items() if "owner" in known and "busy" not in known}
    assert with_owner <= {*FENCED, *LOCKS}


CLAIMS: Final = {
    **{work: claim_statement(work) for work in get_args(Work)},
    "reports, read at once": TEXTS["reports.CLAIM_REPORTS"],
}


@pytest.mark.parametrize("claim", CLAIMS.values(), ids=CLAIMS)
def test_a_claim_neither_waits_for_another_claim_nor_takes_its_work(
    leased: tuple[psycopg.Connection, Values], claim: Statement
) -> None:
    """The first claim is not committed when the second comes; both see rows whose lease has ended."""
    connection, _ = leased
    values = {"owner": OTHER, "now": NOW, "until": NOW + LEASE_DURATION, "limit": 50, "busy": []}
    with (
        psycopg.connect(connection.info.dsn, password=connection.info.password) as second,
        connection.transaction(force_rollback=True),
    ):
        second.execute("SET lock_timeout = '5s'")
        assert run(connection, claim, values).fetchall()
        assert run(second, claim, {**values, "owner": uuid4()}).fetchall() == []
