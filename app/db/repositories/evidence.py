"""Evidence: refreshed while its gate waits, unchanged after the decision."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from functools import partial
from typing import Any, Final, TypeVar
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
from app.db.mapping.evidence_json import (
    evidence_from_json,
    evidence_to_json,
    health_from_json,
    health_to_json,
)
from app.db.mapping.overridden_rules import overridden_rules_to_json
from app.db.mapping.rows import IncoherentRow, gate_view_from_row
from app.db.statements import execute
from app.db.tables import evidence, gates
from app.flow.audit_events import Event
from app.flow.ports.evidence import DueEvidence
from app.flow.read_models import GateView
from app.flow.switch_progress import is_watched
from app.gate.evidence.model import Evidence, GreenHealth
from app.gate.ids import GateId
from app.gate.rules.traffic_guard import GuardRule

log = structlog.get_logger(__name__)
T = TypeVar("T")

SELECT_CLAIMED: Final = GATE_VIEW_WITH_EVIDENCE.where(is_one_of(gates.c.id, "gates"))
SELECT_ONE: Final = GATE_VIEW_WITH_EVIDENCE.where(gates.c.id == GATE_PARAM)
_due_rows = select(func.count()).select_from(evidence).where(evidence.c.due_at.is_not(None))
_waiting_gates = select(func.count()).select_from(gates).where(IS_AWAITING)
COUNT_DUE: Final = select(
    _due_rows.scalar_subquery().label("due"), _waiting_gates.scalar_subquery().label("waiting")
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
STORE_LIVE: Final = (
    update(evidence)
    .where(is_leased("evidence"))
    .values(
        **NO_LEASE,
        live=cast(bindparam("next_live", type_=Text), JSONB),
        due_at=bindparam("next_due_at"),
        last_error=null(),
        attempts=0,
    )
    .returning(ONE)
)
INVALIDATE_DECIDED_CARD: Final = invalidate_cards(gates.c.id == GATE_PARAM)
RESCHEDULE: Final = (
    update(evidence)
    .where(is_leased("evidence"))
    .values(**NO_LEASE, due_at=bindparam("next_due_at"), last_error=bindparam("error"))
    .returning(ONE)
)
MAKE_DUE: Final = (
    update(evidence)
    .where(evidence.c.gate_id == GATE_PARAM, evidence.c.due_at > NOW_PARAM)
    .values(due_at=NOW_PARAM)
)


def gate_view_with_evidence(row: Any) -> GateView:
    """A gate from a row of `GATE_VIEW_WITH_EVIDENCE`. Raises `IncoherentRow`.

    Unreadable evidence of another release counts as missing: the gate must still be shown. Green's health after the
    decision is of no interest once the deployment has ended: its tasks go away then.
    """
    view = gate_view_from_row(row)
    return replace(
        view,
        evidence=_readable(evidence_from_json, row.evidence, gate=row.id),
        live_health=_readable(health_from_json, row.live_health, gate=row.id) if is_watched(view) else None,
    )


def _readable(read: Callable[[object], T | None], stored: object, *, gate: object) -> T | None:
    try:
        return read(stored)
    except IncoherentRow as exc:
        log.error("evidence_unreadable", gate=str(gate), problem=str(exc))
        return None


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
        (count,) = await self._database.execute(COUNT_DUE)
        return await self.leases.build_readable(rows, partial(_due, claimed, count), key=lambda row: row.id)

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
                # It stays as it was then. What has become due is green's health.
                await execute(connection, RESCHEDULE, {**lease, "next_due_at": now, "error": None})
                return False
            values = {
                "next_seen": evidence_to_json(evidence),
                "next_seen_at": evidence.collected_at,
                "next_blockers": overridden_rules_to_json(blockers),
                "next_due_at": due_at,
            }
            if not await execute(connection, STORE_EVIDENCE, {**lease, **values, "settled": settled}):
                return False
            if news:
                await execute(connection, INVALIDATE_CARD, {"gate": gate, "now": now})
                await insert_events(connection, events)
        return True

    async def seen_live(
        self, due: DueEvidence, health: GreenHealth | None, *, due_at: datetime, now: datetime
    ) -> bool:
        """Stores green's health and, if it changed, invalidates the card; see the port."""
        gate, lease = due.view.id, self.leases.fence(due.view.id)
        known = due.view.live_health
        if known == health or (known is not None and health is not None and known.same_as(health)):
            values = {**lease, "next_due_at": due_at, "error": None}
            return bool(await self._database.execute(RESCHEDULE, **values))
        async with self._database.transaction() as connection:
            await execute(connection, LOCK_GATE, {"gate": gate})
            live = health_to_json(health) if health else None
            values = {**lease, "next_live": live, "next_due_at": due_at}
            if not await execute(connection, STORE_LIVE, values):
                return False
            await execute(connection, INVALIDATE_DECIDED_CARD, {"gate": gate, "now": now})
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


def _due(claimed: Mapping[Any, int], count: Any, row: Any) -> DueEvidence:
    view = gate_view_with_evidence(row)
    return DueEvidence(
        attempts=claimed[row.id],
        view=view,
        known=view.evidence,
        waiting_gates=count.waiting,
        watched_switches=max(count.due - count.waiting, 0),
    )
