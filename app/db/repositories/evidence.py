"""Evidence: refreshed while its gate waits, unchanged after the decision."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from functools import partial
from typing import Any, Final
from uuid import UUID

import structlog

from app.db.audit_insert import INSERT_EVENTS, events_parameter
from app.db.audit_lock import GATE_AUDIT_LOCK
from app.db.database import Database
from app.db.leases import Leases
from app.db.mapping.evidence_json import evidence_from_json, evidence_to_json
from app.db.mapping.overridden_rules import overridden_rules_to_json
from app.db.mapping.rows import SELECT_GATE_VIEW, IncoherentRow, gate_view_from_row
from app.db.statements import execute
from app.flow.audit_events import Event
from app.flow.ports.evidence import DueEvidence
from app.flow.read_models import GateView
from app.gate.evidence.model import Evidence
from app.gate.ids import GateId
from app.gate.rules.traffic_guard import GuardRule

log = structlog.get_logger(__name__)

_SELECT, _FROM = SELECT_GATE_VIEW.split(" FROM gates g ", 1)
SELECT_GATE_WITH_EVIDENCE: Final = (
    f"{_SELECT}, e.seen AS evidence FROM gates g {_FROM} LEFT JOIN evidence e ON e.gate_id = g.id"
)
"""`SELECT_GATE_VIEW` with the evidence. Votes do not need it."""

SELECT_CLAIMED: Final = f"{SELECT_GATE_WITH_EVIDENCE} WHERE g.id = ANY(:gates)"
SELECT_ONE: Final = f"{SELECT_GATE_WITH_EVIDENCE} WHERE g.id = :gate"
COUNT_DUE: Final = "SELECT count(*) AS gates FROM evidence WHERE due_at IS NOT NULL"

# Lock the gate first, in a statement of its own, as a vote does: the second one then sees what the first one wrote.
LOCK_GATE: Final = f"SELECT phase FROM gates WHERE id = :gate AND {GATE_AUDIT_LOCK} FOR NO KEY UPDATE"
STORE_EVIDENCE: Final = """
UPDATE evidence SET seen = CAST(:seen AS jsonb), seen_at = :seen_at, due_at = :due_at,
    blockers = CAST(:blockers AS jsonb), claimed_by = NULL, claimed_until = NULL, last_error = NULL,
    attempts = CASE WHEN CAST(:settled AS boolean) THEN 0 ELSE attempts END
WHERE gate_id = :gate AND claimed_by = :owner RETURNING 1
"""
INVALIDATE_CARD: Final = f"""
WITH g AS (
    UPDATE gates SET version = version + 1 WHERE id = :gate AND phase = 'awaiting' RETURNING id, version
), c AS (
    UPDATE cards SET wanted_version = g.version, due_at = :now, attempts = 0 FROM g WHERE cards.gate_id = g.id
), a AS ({INSERT_EVENTS})
SELECT 1
"""
RESCHEDULE: Final = """
UPDATE evidence SET due_at = :due_at, claimed_by = NULL, claimed_until = NULL, last_error = :error
WHERE gate_id = :gate AND claimed_by = :owner
"""
MAKE_DUE: Final = "UPDATE evidence SET due_at = :now WHERE gate_id = :gate AND due_at > :now"


def gate_view_with_evidence(row: Any) -> GateView:
    """A gate from a row of `SELECT_GATE_WITH_EVIDENCE`. Raises `IncoherentRow`.

    Unreadable evidence of another release counts as missing: the gate must still be shown.
    """
    try:
        evidence = evidence_from_json(row.evidence)
    except IncoherentRow as exc:
        log.error("evidence_unreadable", gate=str(row.id), problem=str(exc))
        evidence = None
    return replace(gate_view_from_row(row), evidence=evidence)


class EvidenceRows:
    """Evidence, leased by one replica; see `app.flow.ports.evidence.EvidenceRecord`."""

    def __init__(self, database: Database, owner: UUID) -> None:
        self._database = database
        self.leases = Leases(database, "evidence", owner)

    async def claim(self, *, now: datetime, limit: int) -> Sequence[DueEvidence]:
        """Leases gates whose evidence is due."""
        claimed = await self.leases.claim(now=now, limit=limit)
        if not claimed:
            return []
        rows = await self._database.rows(SELECT_CLAIMED, gates=list(claimed))
        waiting_gates = (await self._database.rows(COUNT_DUE))[0].gates
        return await self.leases.build_readable(
            rows, partial(_due, claimed, waiting_gates), key=lambda row: row.id
        )

    async def seen(
        self,
        due: DueEvidence,
        evidence: Evidence,
        *,
        blockers: Sequence[GuardRule],
        events: Sequence[Event],
        settled: bool,
        due_at: datetime,
        now: datetime,
    ) -> bool:
        """Stores the evidence and, if it changed, invalidates the card; see the port."""
        lease = {"gate": due.view.id, "owner": self.leases.owner}
        news = due.known is None or not due.known.same_as(evidence)
        async with self._database.begin() as connection:
            locked = await execute(connection, LOCK_GATE, lease)
            if not locked or locked[0].phase != "awaiting":
                await execute(connection, RESCHEDULE, {**lease, "due_at": None, "error": None})
                return False
            values = {
                "seen": evidence_to_json(evidence),
                "seen_at": evidence.seen_at,
                "blockers": overridden_rules_to_json(blockers),
                "due_at": due_at,
            }
            if not await execute(connection, STORE_EVIDENCE, {**lease, **values, "settled": settled}):
                return False
            if news:
                await execute(
                    connection, INVALIDATE_CARD, {**lease, "now": now, "events": events_parameter(events)}
                )
        return True

    async def retry_later(self, due: DueEvidence, *, error: str, due_at: datetime) -> None:
        """Reschedules the collection to `due_at`."""
        await self._database.rows(
            RESCHEDULE, gate=due.view.id, owner=self.leases.owner, error=error[:500], due_at=due_at
        )

    async def rest(self, due: DueEvidence) -> None:
        """Ends the collection: the gate is decided."""
        await self._database.rows(
            RESCHEDULE, gate=due.view.id, owner=self.leases.owner, error=None, due_at=None
        )

    async def get(self, gate: GateId) -> GateView | None:
        """A gate with its evidence."""
        rows = await self._database.rows(SELECT_ONE, gate=gate)
        return gate_view_with_evidence(rows[0]) if rows else None

    async def wanted(self, gate: GateId, *, now: datetime) -> None:
        """Makes a waiting gate's evidence due at once, because a person looks at it."""
        await self._database.rows(MAKE_DUE, gate=gate, now=now)


def _due(claimed: Mapping[Any, int], waiting_gates: int, row: Any) -> DueEvidence:
    view = gate_view_with_evidence(row)
    return DueEvidence(attempts=claimed[row.id], view=view, known=view.evidence, waiting_gates=waiting_gates)
