"""Leased work has one owner at a time, and another replica claims a dead owner's work once the lease ends."""

import asyncio
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import Executable

from app.db.database import Database
from app.db.leases import LEASE_DURATION, RENEW_INTERVAL, Leases, claim_statement
from app.db.repositories.gates import Gates
from app.db.repositories.reports import Reports
from app.db.statements import execute
from app.flow.audit_events import Kind
from app.flow.lifecycle.report_decision import Result
from app.gate.ids import GateId
from app.gate.state_machine import Outcome
from tests.db.gate_builders import NOW, event, open_gate, reject

ACKNOWLEDGED = Result(outcome=Outcome.ACKNOWLEDGED, detail="Failed")


@pytest.fixture
async def gate(database: Database) -> GateId:
    """Decided, but not reported to CodeDeploy."""
    gates = Gates(database)
    opened = await open_gate(gates, "d-1")
    await reject(gates, opened)
    return opened


async def test_work_is_claimed_once(database: Database, gate: GateId) -> None:
    replicas = [Reports(database, uuid4()) for _ in range(8)]
    claims = await asyncio.gather(*(replica.claim(now=NOW, limit=5) for replica in replicas))
    assert sorted(len(claimed) for claimed in claims) == [0] * 7 + [1]


async def test_a_claim_takes_no_more_than_there_is_room_for(database: Database) -> None:
    gates = Gates(database)
    for number in range(12):
        await reject(gates, await open_gate(gates, f"d-{number}"))
    replicas = [Reports(database, uuid4()) for _ in range(2)]
    claims = await asyncio.gather(*(replica.claim(now=NOW, limit=5) for replica in replicas))
    assert [len(claimed) for claimed in claims] == [5, 5]
    assert len({due.view.id for claimed in claims for due in claimed}) == 10


async def test_a_killed_replicas_work_is_free_when_its_lease_ends(database: Database, gate: GateId) -> None:
    killed, other = Reports(database, uuid4()), Reports(database, uuid4())
    assert await killed.claim(now=NOW, limit=1)
    assert await other.claim(now=NOW + LEASE_DURATION - timedelta(milliseconds=1), limit=1) == []
    (due,) = await other.claim(now=NOW + LEASE_DURATION, limit=1)
    assert (due.view.id, due.attempts) == (gate, 2)


async def test_who_lost_the_lease_writes_nothing(database: Database, gate: GateId) -> None:
    slow, other = Reports(database, uuid4()), Reports(database, uuid4())
    (lost,) = await slow.claim(now=NOW, limit=1)
    (due,) = await other.claim(now=NOW + LEASE_DURATION, limit=1)
    acknowledged = event(Kind.REPORT_ACKNOWLEDGED, "d-1", gate)
    assert await slow.mark_reported(lost, ACKNOWLEDGED, acknowledged, now=NOW) is False
    await slow.retry_later(lost, error="x", redraw=True, due_at=NOW, now=NOW)
    assert await other.mark_reported(due, ACKNOWLEDGED, acknowledged, now=NOW) is True
    rows = await database.execute("SELECT kind FROM audit_events WHERE kind = 'report_acknowledged'")
    assert len(rows) == 1


async def test_a_replica_does_not_claim_what_it_still_works_on(database: Database, gate: GateId) -> None:
    reports = Reports(database, uuid4())
    (due,) = await reports.claim(now=NOW, limit=1)
    async with reports.leases.renewed(due.view.id, now=NOW):
        assert await reports.claim(now=NOW + 2 * LEASE_DURATION, limit=1) == []
    assert len(await reports.claim(now=NOW + 2 * LEASE_DURATION, limit=1)) == 1


async def test_a_lease_is_renewed_while_the_work_runs(database: Database, gate: GateId) -> None:
    reports = Reports(database, uuid4())
    (due,) = await reports.claim(now=NOW, limit=1)
    end = asyncio.get_running_loop().time() + 10
    async with reports.leases.renewed(due.view.id, now=NOW):
        while await _claimed_until(database) == NOW + LEASE_DURATION:
            assert asyncio.get_running_loop().time() < end, "it was not renewed"
            await asyncio.sleep(0.02)
        assert await _claimed_until(database) >= NOW + RENEW_INTERVAL + LEASE_DURATION


async def test_a_renewal_counts_the_time_that_really_passed(
    database: Database, database_url: str, gate: GateId
) -> None:
    """A renewal that comes late, because the loop or Postgres is slow, still reaches a whole lease ahead."""
    reports = Reports(database, uuid4())
    (due,) = await reports.claim(now=NOW, limit=1)
    slow = LateDatabase(database_url, seconds=1.0)
    began = asyncio.get_running_loop().time()
    async with Leases(slow, "reports", reports.leases.owner).renewed(due.view.id, now=NOW):
        await slow.received(2)
    await slow.close()
    at, until = slow.calls[1]
    assert until >= NOW + LEASE_DURATION + timedelta(seconds=at - began - 0.7)


async def test_only_the_owner_renews(database: Database, database_url: str, gate: GateId) -> None:
    await Reports(database, uuid4()).claim(now=NOW, limit=1)
    watched = LateDatabase(database_url, seconds=0)
    async with Leases(watched, "reports", uuid4()).renewed(gate, now=NOW + timedelta(hours=1)):
        await watched.received(1)
    await watched.close()
    assert await _claimed_until(database) == NOW + LEASE_DURATION


class LateDatabase(Database):
    """The database, answering each statement `seconds` late; it remembers when each came and its `until`."""

    def __init__(self, url: str, *, seconds: float) -> None:
        super().__init__(url)
        self._seconds = seconds
        self._came = asyncio.Condition()
        self.calls: list[tuple[float, datetime]] = []

    async def execute(self, statement: str | Executable, **values: Any) -> Sequence[Any]:
        async with self._came:
            self.calls.append((asyncio.get_running_loop().time(), values["until"]))
            self._came.notify_all()
        await asyncio.sleep(self._seconds)
        return await super().execute(statement, **values)

    async def received(self, count: int) -> None:
        """Returns once so many statements have come."""
        async with asyncio.timeout(20), self._came:
            await self._came.wait_for(lambda: len(self.calls) >= count)


async def _claimed_until(database: Database) -> datetime:
    until: datetime = (await database.execute("SELECT claimed_until FROM reports"))[0].claimed_until
    return until


async def test_nobody_waits_until_a_claim_is_on_disk(database: Database, gate: GateId) -> None:
    """A lease that Postgres forgets in its own fall is only claimed anew. What comes after it is waited for again."""
    values = {"owner": uuid4(), "now": NOW, "until": NOW + LEASE_DURATION, "limit": 1, "busy": []}
    async with database.transaction() as connection:
        await execute(connection, "SET synchronous_commit = on", {})
    async with database.transaction() as connection:
        assert len(await execute(connection, claim_statement("reports"), values)) == 1
        assert await execute(connection, "SHOW synchronous_commit", {}) == [("off",)]
    async with database.transaction() as connection:
        assert await execute(connection, "SHOW synchronous_commit", {}) == [("on",)]
