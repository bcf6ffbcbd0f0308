"""Probe runs: requested when a gate opens, and again on demand; see
`app.flow.checks.run_probe.ProbeRecord`.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import partial
from typing import Any, Final
from uuid import UUID

from app.db.audit_insert import INSERT_EVENTS, events_parameter
from app.db.audit_lock import GATE_AUDIT_LOCK
from app.db.database import Database
from app.db.leases import Leases
from app.db.mapping.rows import SELECT_GATE_VIEW, gate_view_from_row
from app.db.statements import execute
from app.flow.audit_events import Event
from app.flow.checks.run_probe import DueProbe
from app.gate.ids import DomainName, GateId
from app.gate.rules.checks import PROBE, Check

_SELECT, _FROM = SELECT_GATE_VIEW.split(" FROM gates g ", 1)
SELECT_CLAIMED: Final = f"""
{_SELECT}, p.id AS run, p.name AS probe FROM gates g {_FROM} JOIN probe_runs p ON p.gate_id = g.id
WHERE p.id = ANY(:ids)
"""
SELECT_WITHOUT_RUNS: Final = """
SELECT g.id, s.domain FROM gates g JOIN switches s ON s.id = g.switch_id
WHERE g.phase = 'awaiting' AND s.verified_at IS NOT NULL AND s.domain = ANY(:domains)
    AND g.id <> ALL(:skip) AND g.hook_name = ANY(:hooks)
    AND NOT EXISTS (SELECT 1 FROM probe_runs p WHERE p.gate_id = g.id)
ORDER BY g.opened_at LIMIT :limit
"""
LOCK_GATE: Final = f"SELECT 1 FROM gates WHERE id = :gate AND {GATE_AUDIT_LOCK} FOR NO KEY UPDATE"
INVALIDATE_CARD: Final = """
g AS (
    UPDATE gates SET version = version + 1 WHERE id = :gate AND EXISTS (SELECT 1 FROM {changed}) RETURNING id, version
), c AS (
    UPDATE cards SET wanted_version = g.version, due_at = :now, attempts = 0 FROM g WHERE cards.gate_id = g.id
)
"""
SET_CHECKS_PENDING: Final = f"""
k AS (
    INSERT INTO checks (account, region, deployment_id, name, state, reported_by, reported_at)
    SELECT s.account, s.region, s.deployment_id, p.name, 'pending', '{PROBE}', :now
    FROM p, switches s WHERE s.id = (SELECT switch_id FROM gates WHERE id = :gate)
    ON CONFLICT ON CONSTRAINT checks_pkey DO UPDATE
        SET state = 'pending', summary = '', url = NULL, reported_by = '{PROBE}', reported_at = excluded.reported_at
)
"""
INSERT_RUNS: Final = f"""
WITH p AS (
    INSERT INTO probe_runs (gate_id, name, requested_at, due_at)
    SELECT :gate, name, :now, :now FROM unnest(CAST(:names AS text[])) AS name
    ON CONFLICT ON CONSTRAINT probe_runs_key DO NOTHING RETURNING name
), {SET_CHECKS_PENDING}, {INVALIDATE_CARD.format(changed="p")}
SELECT name FROM p
"""
RESTART_RUNS: Final = f"""
WITH p AS (
    INSERT INTO probe_runs (gate_id, name, requested_at, due_at)
    SELECT :gate, name, :now, :now FROM unnest(CAST(:names AS text[])) AS name
    ON CONFLICT ON CONSTRAINT probe_runs_key DO UPDATE
        SET requested_at = excluded.requested_at, due_at = excluded.due_at, attempts = 0
        WHERE probe_runs.due_at IS NULL AND probe_runs.requested_at < :before
    RETURNING name
), {SET_CHECKS_PENDING}, {INVALIDATE_CARD.format(changed="p")}
SELECT name FROM p
"""
FINISH_RUN: Final = """
UPDATE probe_runs SET due_at = NULL, claimed_by = NULL, claimed_until = NULL, last_error = NULL
WHERE id = :id AND claimed_by = :owner RETURNING 1
"""
STORE_RESULT: Final = f"""
WITH k AS (
    INSERT INTO checks (account, region, deployment_id, name, state, summary, reported_by, reported_at)
    SELECT s.account, s.region, s.deployment_id, :name, :state, :summary, :by, :at
    FROM switches s WHERE s.id = (SELECT switch_id FROM gates WHERE id = :gate)
    ON CONFLICT ON CONSTRAINT checks_pkey DO UPDATE
        SET state = excluded.state, summary = excluded.summary, url = NULL, reported_by = excluded.reported_by,
            reported_at = excluded.reported_at
    RETURNING name
), {INVALIDATE_CARD.format(changed="k")}, a AS (
    {INSERT_EVENTS}
)
SELECT name FROM k
"""


class Probes:
    """One replica's probe runs."""

    def __init__(self, database: Database, owner: UUID) -> None:
        self._database = database
        self.leases = Leases(database, "probe_runs", owner)

    async def claim(self, *, now: datetime, limit: int) -> Sequence[DueProbe]:
        """Leases runs that are due."""
        claimed = await self.leases.claim(now=now, limit=limit)
        if not claimed:
            return []
        rows = await self._database.rows(SELECT_CLAIMED, ids=list(claimed))
        return await self.leases.build_readable(rows, partial(_due, claimed), key=lambda row: row.run)

    async def without_runs(
        self, domains: Sequence[DomainName], *, hooks: Sequence[str], limit: int, skip: Sequence[GateId]
    ) -> Sequence[tuple[GateId, DomainName]]:
        """Waiting gates of these domains whose probes nobody has asked for."""
        where = {"domains": list(domains), "hooks": list(hooks), "skip": list(skip)}
        rows = await self._database.rows(SELECT_WITHOUT_RUNS, **where, limit=limit)
        return [(GateId(row.id), DomainName(row.domain)) for row in rows]

    async def ask_for(self, gate: GateId, names: Sequence[str], *, now: datetime) -> None:
        """Has these probes run once; their checks are pending."""
        async with self._database.begin() as connection:
            await execute(connection, LOCK_GATE, {"gate": gate})
            await execute(connection, INSERT_RUNS, {"gate": gate, "names": list(names), "now": now})

    async def ask_again(self, gate: GateId, names: Sequence[str], *, now: datetime, before: datetime) -> bool:
        """Has those run again that rest and were asked for before `before`; False when there are none."""
        async with self._database.begin() as connection:
            await execute(connection, LOCK_GATE, {"gate": gate})
            values = {"gate": gate, "names": list(names), "now": now, "before": before}
            return bool(await execute(connection, RESTART_RUNS, values))

    async def probed(
        self, due: DueProbe, check: Check | None, *, events: Sequence[Event], now: datetime
    ) -> None:
        """Ends the run under its lease, with its result."""
        async with self._database.begin() as connection:
            await execute(connection, LOCK_GATE, {"gate": due.view.id})
            mine = await execute(connection, FINISH_RUN, {"id": due.id, "owner": self.leases.owner})
            if not mine or check is None:
                return
            await execute(
                connection,
                STORE_RESULT,
                {
                    "gate": due.view.id,
                    "name": check.name,
                    "state": check.state,
                    "summary": check.summary,
                    "by": check.by,
                    "at": check.at,
                    "now": now,
                    "events": events_parameter(events),
                },
            )


def _due(claimed: Mapping[Any, int], row: Any) -> DueProbe:
    return DueProbe(attempts=claimed[row.run], id=row.run, name=row.probe, view=gate_view_from_row(row))
