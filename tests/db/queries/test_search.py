"""Search: pages without gaps or doubles, and cursors that cannot be forged into an error."""

import base64
import json
from datetime import timedelta
from typing import Final

import pytest
from sqlalchemy import make_url

from app.db.database import Database
from app.db.queries.audit_trail import AuditFilter, audit_select
from app.db.queries.pages import NotACursor
from app.db.queries.search import Queries
from app.db.repositories.gates import Gates
from app.flow.audit_events import SWITCHGATE, Event, Kind
from app.flow.freezes.stored_freezes import NO_DEPLOYMENT
from app.gate.ids import DomainName, GateId
from tests.db.gate_builders import NOW, event, open_gate, reject
from tests.db.statements.plans import most_read


def forged(at: object, id_: object) -> str:
    return base64.urlsafe_b64encode(json.dumps([at, id_]).encode()).decode()


FORGED = {
    "nothing": "",
    "not base64": "%%%",
    "not JSON": base64.urlsafe_b64encode(b"{").decode(),
    "not a pair": base64.urlsafe_b64encode(b"[1]").decode(),
    "no time": forged("yesterday", 1),
    "no text": forged(None, 1),
    "no number": forged(NOW.isoformat(), "1"),
    "a negative number": forged(NOW.isoformat(), -1),
    "a number beyond any id": forged(NOW.isoformat(), 2**63),
    "no gate": forged(f"{NOW.isoformat()}/order", 0),
}


async def _gates(database: Database, count: int) -> list[GateId]:
    gates = Gates(database)
    return [
        await open_gate(gates, f"d-{number}", domain="order" if number % 2 else "payment")
        for number in range(count)
    ]


async def test_pending_gates_come_nearest_deadline_first_and_the_total_is_said(database: Database) -> None:
    gates = Gates(database)
    late = await open_gate(gates, "d-late", at=NOW + timedelta(minutes=5))
    soon = await open_gate(gates, "d-soon", at=NOW)
    await reject(gates, await open_gate(gates, "d-gone"))
    queries = Queries(database)

    everything, total = await queries.pending(limit=10)
    assert ([pending.view.id for pending in everything], total) == ([soon, late], 2)
    second, total = await queries.pending(limit=1, offset=1)
    assert ([pending.view.id for pending in second], total) == ([late], 2)
    nothing, total = await queries.pending(limit=1, offset=2)
    assert (list(nothing), total) == ([], 2)
    assert await queries.pending(domain="hub", limit=5) == ([], 0)


async def test_gates_opened_in_the_same_moment_are_paged_without_gap_or_double(database: Database) -> None:
    opened = await _gates(database, 7)
    queries = Queries(database)
    seen: list[GateId] = []
    cursor = None
    for _ in range(3):
        page = await queries.gates(domain=None, deployment=None, phase=None, limit=3, cursor=cursor)
        seen += [view.id for view in page.items]
        cursor = page.cursor
    assert cursor is None
    assert sorted(seen) == sorted(opened)
    assert len(set(seen)) == 7


async def test_switches_are_paged_newest_first(database: Database) -> None:
    await _gates(database, 5)
    queries = Queries(database)
    first = await queries.switches(domain=None, deployment=None, limit=3, cursor=None)
    rest = await queries.switches(domain=None, deployment=None, limit=3, cursor=first.cursor)
    seen = [switch.key.deployment for switch in [*first.items, *rest.items]]
    assert seen == ["d-4", "d-3", "d-2", "d-1", "d-0"]
    assert rest.cursor is None
    ours = await queries.switches(domain="order", deployment=None, limit=9, cursor=None)
    assert [switch.key.deployment for switch in ours.items] == ["d-3", "d-1"]


async def test_the_audit_trail_is_paged_also_where_times_are_equal(database: Database) -> None:
    gates = Gates(database)
    await gates.add_audit_events([event(Kind.HOOK_REFUSED, "d-1") for _ in range(7)])
    queries = Queries(database)
    seen: list[int] = []
    cursor = None
    for _ in range(4):
        page = await queries.audit(AuditFilter(), limit=2, cursor=cursor)
        seen += [line.id for line in page.items]
        cursor = page.cursor
    assert cursor is None
    assert seen == sorted(seen, reverse=True)
    assert len(set(seen)) == 7


async def test_the_audit_trail_is_filtered_by_kind_person_and_time(database: Database) -> None:
    gates = Gates(database)
    await reject(gates, await open_gate(gates, "d-1"), at=NOW + timedelta(minutes=3))
    queries = Queries(database)

    async def kinds(wanted: AuditFilter) -> list[str]:
        return [line.kind for line in (await queries.audit(wanted, limit=9)).items]

    assert await kinds(AuditFilter(deployment="d-1")) == ["gate_decided", "gate_opened"]
    assert await kinds(AuditFilter(kind=Kind.GATE_OPENED)) == ["gate_opened"]
    assert await kinds(AuditFilter(person="U02OLU")) == ["gate_decided"]
    assert await kinds(AuditFilter(since=NOW + timedelta(minutes=3))) == ["gate_decided"]
    assert await kinds(AuditFilter(until=NOW + timedelta(minutes=3))) == ["gate_opened"]
    assert await kinds(AuditFilter(domain="payment")) == []


EARLIER: Final = """
INSERT INTO audit_events (at, kind, account, region, deployment_id, domain, actor_kind, actor, seq, hash)
VALUES (:at, :kind, '123456789012', 'ap-northeast-2', 'd-1', :domain, 'api', 'ci', 0, '')
"""


@pytest.mark.parametrize("domain", ["order", None])
async def test_a_kind_finds_the_rows_of_earlier_releases_too(database: Database, domain: str | None) -> None:
    for minute, stored in enumerate(("check_told", "check_reported", "report_told", "check_told"), start=1):
        at = NOW + timedelta(minutes=minute)
        await database.execute(EARLIER + " RETURNING 1", at=at, kind=stored, domain="order")
    queries = Queries(database)
    wanted = AuditFilter(domain=domain, kind=Kind.CHECK_REPORTED)

    first = await queries.audit(wanted, limit=2)
    rest = await queries.audit(wanted, limit=2, cursor=first.cursor)

    found = [*first.items, *rest.items]
    assert [(line.kind, (line.at - NOW).seconds // 60) for line in found] == [
        ("check_reported", 4),
        ("check_reported", 2),
        ("check_reported", 1),
    ]
    assert rest.cursor is None
    stored_rows = await database.execute("SELECT kind FROM audit_events ORDER BY seq")
    assert [row.kind for row in stored_rows] == ["check_told", "check_reported", "report_told", "check_told"]


async def _note_freezes(database: Database, *events: tuple[str, str | None, str]) -> None:
    """Kind, domain and names of each; a minute between them."""
    made = [
        Event(
            at=NOW + timedelta(minutes=place),
            kind=Kind(kind),
            switch=NO_DEPLOYMENT,
            actor=SWITCHGATE,
            domain=DomainName(domain) if domain else None,
            detail={"domains": names},
        )
        for place, (kind, domain, names) in enumerate(events, start=1)
    ]
    await Gates(database).add_audit_events(made)


async def test_a_domains_trail_holds_the_freezes_that_it_shares_with_others(database: Database) -> None:
    await open_gate(Gates(database), "d-1", domain="order")
    await _note_freezes(
        database,
        ("freeze_declared", "order", "order"),
        ("freeze_declared", None, "order payment"),
        ("freeze_declared", None, "payment reorder order-eu"),
        ("freeze_declared", None, "all"),
        ("freeze_lifted", None, "order"),
        ("freeze_ended", None, "all"),
    )
    queries = Queries(database)

    async def told(wanted: AuditFilter) -> list[tuple[str, str]]:
        pages = [await queries.audit(wanted, limit=2)]
        while pages[-1].cursor:
            pages.append(await queries.audit(wanted, limit=2, cursor=pages[-1].cursor))
        return [(line.kind, line.detail["domains"]) for page in pages for line in page.items if line.detail]

    assert await told(AuditFilter(domain="order")) == [
        ("freeze_ended", "all"),
        ("freeze_lifted", "order"),
        ("freeze_declared", "all"),
        ("freeze_declared", "order payment"),
        ("freeze_declared", "order"),
    ]
    lifted = AuditFilter(domain="order", kind=Kind.FREEZE_LIFTED)
    assert await told(lifted) == [("freeze_lifted", "order")]
    assert await told(AuditFilter(domain="hub")) == [("freeze_ended", "all"), ("freeze_declared", "all")]
    assert await told(AuditFilter(domain="order", deployment="d-1")) == []


async def test_a_long_trail_is_not_walked_for_one_domain(database: Database) -> None:
    """Much happened to it, and much to others since: both parts are read along their index."""
    for domain, at, count in (("payment", NOW, 1000), ("delivery", NOW + timedelta(days=1), 7000)):
        await database.execute(
            "INSERT INTO audit_events (at, kind, account, region, deployment_id, domain, actor_kind, seq, hash)"
            " SELECT :at, 'traffic_moved', '1', 'r', :domain || n, :domain, 'codedeploy', 0, ''"
            " FROM generate_series(1, :count) n",
            at=at,
            domain=domain,
            count=count,
        )
    await _note_freezes(database, ("freeze_declared", None, "order payment"))
    await database.execute("ANALYZE audit_events")
    dialect = make_url("postgresql+psycopg://").get_dialect()()
    for domain in ("payment", "order", "hub"):
        asked = audit_select(AuditFilter(domain=domain), limit=11).compile(
            dialect=dialect, compile_kwargs={"literal_binds": True}
        )
        plan = await database.execute(f"EXPLAIN (ANALYZE, FORMAT JSON) {asked}".replace(":", "\\:"))
        assert most_read(plan[0][0][0]["Plan"]) < 30


@pytest.mark.parametrize("cursor", FORGED.values(), ids=FORGED)
async def test_a_cursor_that_we_did_not_give_is_refused(database: Database, cursor: str) -> None:
    queries = Queries(database)
    with pytest.raises(NotACursor):
        await queries.audit(AuditFilter(), limit=1, cursor=cursor)
    with pytest.raises(NotACursor):
        await queries.gates(domain=None, deployment=None, phase=None, limit=1, cursor=cursor)


async def test_a_switchs_cursor_is_an_id_and_nothing_else(database: Database) -> None:
    queries = Queries(database)
    for cursor in (FORGED["not a pair"], FORGED["no number"], FORGED["a number beyond any id"]):
        with pytest.raises(NotACursor):
            await queries.switches(domain=None, deployment=None, limit=1, cursor=cursor)
