"""Reports: decisions to send to CodeDeploy."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from app.db.audit_insert import INSERT_EVENTS, events_parameter
from app.db.audit_lock import NAMED_AUDIT_LOCK, audit_lock_name
from app.db.database import Database
from app.db.leases import Leases, claim_statement
from app.db.mapping.rows import SELECT_GATE_VIEW, gate_view_from_row
from app.flow.audit_events import Event
from app.flow.lifecycle.report_decision import DueReport, Result
from app.gate.decision import Answer
from app.gate.ids import ExecutionId
from app.gate.state_machine import Decided

_SELECT, _FROM = SELECT_GATE_VIEW.split(" FROM gates g ", 1)
CLAIM_REPORTS: Final = f"""
WITH claimed AS ({claim_statement("reports")})
{_SELECT}, g.execution_id, r.answer, claimed.attempts
FROM gates g {_FROM} JOIN reports r ON r.gate_id = g.id JOIN claimed ON claimed.key = g.id
"""
"""Claims and reads in one statement: neither the report nor its decision changes before it is acknowledged."""

STORE_REPORTED: Final = f"""
WITH mine AS (
    UPDATE reports SET due_at = NULL, claimed_by = NULL, claimed_until = NULL, last_error = NULL
    WHERE gate_id = :gate AND claimed_by = :owner AND {NAMED_AUDIT_LOCK}
    RETURNING gate_id
), g AS (
    UPDATE gates SET phase = 'reported', outcome = :outcome, outcome_detail = :detail, reported_at = :now,
                     event_read_at = CASE WHEN CAST(:event_read AS boolean) THEN CAST(:now AS timestamptz) END,
                     execution_id = NULL, version = version + 1
    FROM mine WHERE gates.id = mine.gate_id AND phase = 'decided'
    RETURNING gates.id, gates.version, gates.switch_id
), s AS (
    UPDATE switches SET due_at = CAST(:now AS timestamptz) FROM g
    WHERE switches.id = g.switch_id AND ended_at IS NULL
), c AS (
    UPDATE cards SET wanted_version = g.version, due_at = :now, attempts = 0 FROM g WHERE cards.gate_id = g.id
), a AS (
    {INSERT_EVENTS} WHERE EXISTS (SELECT 1 FROM g)
)
SELECT id FROM g
"""

RESCHEDULE: Final = f"""
WITH r AS (
    UPDATE reports SET due_at = :due_at, claimed_by = NULL, claimed_until = NULL, last_error = :error
    WHERE gate_id = :gate AND claimed_by = :owner AND {NAMED_AUDIT_LOCK} RETURNING gate_id
), g AS (
    UPDATE gates SET version = version + 1 FROM r
    WHERE gates.id = r.gate_id AND gates.phase = 'decided' AND CAST(:news AS boolean) RETURNING gates.id, gates.version
), c AS (
    UPDATE cards SET wanted_version = g.version, due_at = :now, attempts = 0 FROM g WHERE cards.gate_id = g.id
)
SELECT 1
"""


class Reports:
    """Reports, leased by one replica; see `app.flow.lifecycle.report_decision.ReportRecord`."""

    def __init__(self, database: Database, owner: UUID) -> None:
        self._database = database
        self.leases = Leases(database, "reports", owner)

    async def claim(self, *, now: datetime, limit: int) -> Sequence[DueReport]:
        """Leases due reports. An unverified gate's report is not due."""
        rows = await self.leases.claim_with(CLAIM_REPORTS, now=now, limit=limit)
        found = await self.leases.build_readable(rows, _due, key=lambda row: row.id)
        return [due for due in found if _is_reportable(due)]

    async def reported(self, due: DueReport, result: Result, event: Event, *, now: datetime) -> bool:
        """Stores what CodeDeploy holds; False when the lease was lost to another replica."""
        rows = await self._database.rows(
            STORE_REPORTED,
            gate=due.view.id,
            audit_lock=audit_lock_name(due.view.switch.key),
            owner=self.leases.owner,
            outcome=result.outcome,
            detail=result.detail,
            event_read=result.event_read,
            now=now,
            events=events_parameter([event]),
        )
        return bool(rows)

    async def retry_later(
        self, due: DueReport, *, error: str, redraw: bool, due_at: datetime, now: datetime
    ) -> None:
        """Reschedules the report to `due_at`; with `redraw` the card shows the problem."""
        await self._database.rows(
            RESCHEDULE,
            gate=due.view.id,
            audit_lock=audit_lock_name(due.view.switch.key),
            owner=self.leases.owner,
            error=error[:500],
            news=redraw,
            due_at=due_at,
            now=now,
        )


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
