"""Reports: decisions to send to CodeDeploy."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Boolean, and_, bindparam, case, null, update

from app.db.audit_insert import insert_events
from app.db.audit_lock import NAMED_AUDIT_LOCK, audit_lock_name
from app.db.database import Database
from app.db.expressions import GATE_PARAM, NOW_PARAM, ONE, SWITCH_PARAM, condition
from app.db.gate_view import GATE_VIEW
from app.db.invalidate_cards import invalidate_cards
from app.db.leases import NO_LEASE, Leases, claim_statement, is_leased
from app.db.mapping.rows import gate_view_from_row
from app.db.repositories.messages.announcement_requests import request_at_gate
from app.db.statements import execute
from app.db.tables import gates, reports, switches
from app.flow.audit_events import Event
from app.flow.lifecycle.report_decision import DueReport, Result
from app.flow.notify.announcement_kinds import AnnouncementKind
from app.gate.decision import Answer
from app.gate.ids import ExecutionId
from app.gate.state_machine import Decided

_claimed = claim_statement("reports").cte("claimed")
CLAIM_REPORTS: Final = (
    GATE_VIEW.add_columns(gates.c.execution_id, reports.c.answer, _claimed.c.attempts)
    .join(reports, reports.c.gate_id == gates.c.id)
    .join(_claimed, _claimed.c.key == gates.c.id)
)
"""Claims and reads in one statement: neither the report nor its decision changes before it is acknowledged."""

_is_leased_under_lock = and_(is_leased("reports"), condition(NAMED_AUDIT_LOCK))
STORE_REPORTED: Final = (
    update(reports)
    .where(_is_leased_under_lock)
    .values(**NO_LEASE, due_at=null(), last_error=null())
    .returning(ONE)
)
STORE_OUTCOME: Final = (
    update(gates)
    .where(gates.c.id == GATE_PARAM, gates.c.phase == "decided")
    .values(
        phase="reported",
        outcome=bindparam("result"),
        outcome_detail=bindparam("explanation"),
        reported_at=NOW_PARAM,
        event_read_at=case((bindparam("event_read", type_=Boolean), NOW_PARAM)),
        execution_id=null(),
    )
    .returning(gates.c.switch_id)
)
POLL_SOON: Final = (
    update(switches)
    .where(switches.c.id == SWITCH_PARAM, switches.c.ended_at.is_(None))
    .values(due_at=NOW_PARAM)
)
RESCHEDULE: Final = (
    update(reports)
    .where(_is_leased_under_lock)
    .values(**NO_LEASE, due_at=bindparam("next_due_at"), last_error=bindparam("error"))
    .returning(ONE)
)
INVALIDATE_CARD: Final = invalidate_cards(gates.c.id == GATE_PARAM)
INVALIDATE_DECIDED: Final = invalidate_cards(gates.c.id == GATE_PARAM, gates.c.phase == "decided")


class Reports:
    """Reports, leased by one replica; see `app.flow.lifecycle.report_decision.ReportRepository`."""

    def __init__(self, database: Database, owner: UUID) -> None:
        self._database = database
        self.leases = Leases(database, "reports", owner)

    async def claim(self, *, now: datetime, limit: int) -> Sequence[DueReport]:
        """Leases due reports. An unverified gate's report is not due."""
        rows = await self.leases.claim_with(CLAIM_REPORTS, now=now, limit=limit)
        found = await self.leases.build_readable(rows, _due, key=lambda row: row.id)
        return [due for due in found if _is_reportable(due)]

    async def mark_reported(
        self,
        due: DueReport,
        result: Result,
        event: Event,
        *,
        announcement: AnnouncementKind | None = None,
        now: datetime,
    ) -> bool:
        """Stores what CodeDeploy holds; False when the lease was lost to another replica."""
        gate = {"gate": due.view.id, "now": now}
        values = {"result": result.outcome, "explanation": result.detail, "event_read": result.event_read}
        async with self._database.transaction() as connection:
            if not await execute(connection, STORE_REPORTED, self._lease_values(due)):
                return False
            stored = await execute(connection, STORE_OUTCOME, {**gate, **values})
            if not stored:
                return False
            await execute(connection, POLL_SOON, {"switch": stored[0].switch_id, "now": now})
            await execute(connection, INVALIDATE_CARD, gate)
            await insert_events(connection, [event])
            if announcement is not None:
                await request_at_gate(connection, announcement, gate=due.view.id, now=now)
            return True

    async def retry_later(
        self,
        due: DueReport,
        *,
        error: str,
        redraw: bool,
        announcement: AnnouncementKind | None = None,
        due_at: datetime,
        now: datetime,
    ) -> None:
        """Reschedules the report to `due_at`; with `redraw` the card shows the problem."""
        values = {"error": error[:500], "next_due_at": due_at}
        async with self._database.transaction() as connection:
            kept = await execute(connection, RESCHEDULE, {**self._lease_values(due), **values})
            if kept and redraw:
                await execute(connection, INVALIDATE_DECIDED, {"gate": due.view.id, "now": now})
            if kept and announcement is not None:
                await request_at_gate(connection, announcement, gate=due.view.id, now=now)

    def _lease_values(self, due: DueReport) -> dict[str, Any]:
        lock = audit_lock_name(due.view.switch.key)
        return {**self.leases.fence(due.view.id), "audit_lock": lock}


def _due(row: Any) -> DueReport:
    return DueReport(
        attempts=row.attempts,
        view=gate_view_from_row(row),
        execution_id=ExecutionId(row.execution_id or ""),
        answer=Answer(row.answer),
    )


def _is_reportable(due: DueReport) -> bool:
    """A second check: only a decided gate of a confirmed deployment is reported."""
    return isinstance(due.view.gate, Decided) and due.view.gate.verified
