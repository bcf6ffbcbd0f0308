"""Evidence: refreshed while its gate waits, unchanged after the decision."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from functools import partial
from typing import Any, Final
from uuid import UUID

import structlog
from sqlalchemy import Boolean, Text, bindparam, case, cast, func, null, select, update
from sqlalchemy.dialects.postgresql import JSONB

from app.db.audit_insert import insert_events
from app.db.audit_lock import GATE_AUDIT_LOCK
from app.db.database import Database
from app.db.expressions import GATE_PARAM, NOW_PARAM, ONE, condition, is_one_of
from app.db.gate_view import GATE_VIEW_WITH_EVIDENCE, IS_AWAITING
from app.db.invalidate_cards import invalidate_cards
from app.db.leases import NO_LEASE, Leases, is_leased
from app.db.mapping.evidence_json import evidence_from_json, evidence_to_json
from app.db.mapping.overridden_rules import overridden_rules_to_json
from app.db.mapping.rows import IncoherentRow, gate_view_from_row
from app.db.statements import execute
from app.db.tables import evidence, gates
from app.flow.audit_events import Event
from app.flow.ports.evidence import DueEvidence
from app.flow.read_models import GateView
from app.gate.evidence.model import Evidence
from app.gate.ids import GateId
from app.gate.rules.traffic_guard import GuardRule

log = structlog.get_logger(__name__)

SELECT_CLAIMED: Final = GATE_VIEW_WITH_EVIDENCE.where(is_one_of(gates.c.id, "gates"))
SELECT_ONE: Final = GATE_VIEW_WITH_EVIDENCE.where(gates.c.id == GATE_PARAM)
COUNT_DUE: Final = (
    select(func.count().label("gates")).select_from(evidence).where(evidence.c.due_at.is_not(None))
)

# Lock the gate first, in a statement of its own, as a vote does: the second one then sees what the first one wrote.
LOCK_GATE: Final = (
    select(gates.c.phase)
    .where(gates.c.id == GATE_PARAM, condition(GATE_AUDIT_LOCK))
    .with_for_update(key_share=True)
)
STORE_EVIDENCE: Final = (
    update(evidence)
    .where(is_leased("evidence"))
    .values(
        **NO_LEASE,
        seen=cast(bindparam("next_seen", type_=Text), JSONB),
        seen_at=bindparam("next_seen_at"),
        due_at=bindparam("next_due_at"),
        blockers=cast(bindparam("next_blockers", type_=Text), JSONB),
        last_error=null(),
        attempts=case((bindparam("settled", type_=Boolean), 0), else_=evidence.c.attempts),
    )
    .returning(ONE)
)
INVALIDATE_CARD: Final = invalidate_cards(gates.c.id == GATE_PARAM, IS_AWAITING)
RESCHEDULE: Final = (
    update(evidence)
    .where(is_leased("evidence"))
    .values(**NO_LEASE, due_at=bindparam("next_due_at"), last_error=bindparam("error"))
)
MAKE_DUE: Final = (
    update(evidence)
    .where(evidence.c.gate_id == GATE_PARAM, evidence.c.due_at > NOW_PARAM)
    .values(due_at=NOW_PARAM)
)


def gate_view_with_evidence(row: Any) -> GateView:
    """A gate from a row of `GATE_VIEW_WITH_EVIDENCE`. Raises `IncoherentRow`.

    Unreadable evidence of another release counts as missing: the gate must still be shown.
    """
    try:
        evidence = evidence_from_json(row.evidence)
    except IncoherentRow as exc:
        log.error("evidence_unreadable", gate=str(row.id), problem=str(exc))
        evidence = None
    return replace(gate_view_from_row(row), evidence=evidence)


class EvidenceRows:
    """Evidence, leased by one replica; see `app.flow.ports.evidence.EvidenceRepository`."""

    def __init__(self, database: Database, owner: UUID) -> None:
        self._database = database
        self.leases = Leases(database, "evidence", owner)

    async def claim(self, *, now: datetime, limit: int) -> Sequence[DueEvidence]:
        """Leases gates whose evidence is due."""
        claimed = await self.leases.claim(now=now, limit=limit)
        if not claimed:
            return []
        rows = await self._database.execute(SELECT_CLAIMED, gates=list(claimed))
        waiting_gates = (await self._database.execute(COUNT_DUE))[0].gates
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
        gate, lease = due.view.id, self.leases.fence(due.view.id)
        news = due.known is None or not due.known.same_as(evidence)
        async with self._database.transaction() as connection:
            locked = await execute(connection, LOCK_GATE, {"gate": gate})
            if not locked or locked[0].phase != "awaiting":
                await execute(connection, RESCHEDULE, {**lease, "next_due_at": None, "error": None})
                return False
            values = {
                "next_seen": evidence_to_json(evidence),
                "next_seen_at": evidence.seen_at,
                "next_blockers": overridden_rules_to_json(blockers),
                "next_due_at": due_at,
            }
            if not await execute(connection, STORE_EVIDENCE, {**lease, **values, "settled": settled}):
                return False
            if news:
                await execute(connection, INVALIDATE_CARD, {"gate": gate, "now": now})
                await insert_events(connection, events)
        return True

    async def retry_later(self, due: DueEvidence, *, error: str, due_at: datetime) -> None:
        """Reschedules the collection to `due_at`."""
        values = {"error": error[:500], "next_due_at": due_at}
        await self._database.execute(RESCHEDULE, **self.leases.fence(due.view.id), **values)

    async def rest(self, due: DueEvidence) -> None:
        """Ends the collection: the gate is decided."""
        await self._database.execute(
            RESCHEDULE, **self.leases.fence(due.view.id), error=None, next_due_at=None
        )

    async def get(self, gate: GateId) -> GateView | None:
        """A gate with its evidence."""
        rows = await self._database.execute(SELECT_ONE, gate=gate)
        return gate_view_with_evidence(rows[0]) if rows else None

    async def request_refresh(self, gate: GateId, *, now: datetime) -> None:
        """Makes a waiting gate's evidence due at once, because a person looks at it."""
        await self._database.execute(MAKE_DUE, gate=gate, now=now)


def _due(claimed: Mapping[Any, int], waiting_gates: int, row: Any) -> DueEvidence:
    view = gate_view_with_evidence(row)
    return DueEvidence(attempts=claimed[row.id], view=view, known=view.evidence, waiting_gates=waiting_gates)
