"""Interventions: requested under the switch's lock, executed under a lease."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import datetime
from functools import partial
from typing import Any, Final
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from app.db.audit_insert import INSERT_EVENTS, events_parameter
from app.db.audit_lock import GATE_AUDIT_LOCK, NAMED_AUDIT_LOCK, NEW_DEPLOYMENT_AUDIT_LOCK, audit_lock_name
from app.db.database import Database
from app.db.handled_requests import is_replayed
from app.db.invalidate_cards import invalidate_cards
from app.db.leases import Leases
from app.db.mapping.rows import (
    BLUE_TASK_DEFINITION,
    INTERVENTION_JSON,
    SELECT_GATE_VIEW,
    SWITCH_COLUMNS,
    gate_view_from_row,
    intervention_from_json,
    switch_from_row,
)
from app.db.statements import execute
from app.flow.audit_events import Event
from app.flow.read_models import GateView
from app.flow.undo.execute_intervention import DueIntervention
from app.flow.undo.intervention import Intervention, InterventionFailure
from app.gate.ids import DeploymentId, GateId

LOCK_SWITCH: Final = (
    "SELECT 1 FROM switches WHERE id = (SELECT switch_id FROM gates WHERE id = :gate)"
    f" AND {GATE_AUDIT_LOCK} FOR NO KEY UPDATE"
)
SELECT_ONE: Final = f"{SELECT_GATE_VIEW} WHERE g.id = :gate"
INVALIDATE_CARDS: Final = invalidate_cards("switch_id = ANY(ARRAY(SELECT i.switch_id FROM i))")
INSERT_INTERVENTION: Final = f"""
WITH i AS (
    INSERT INTO interventions (id, switch_id, kind, requested_by, requested_name, reason, requested_at, due_at)
    VALUES (:id, :switch, :kind, :by, :name, :reason, :now, :now)
), s AS (
    UPDATE switches SET due_at = :now WHERE id = :switch
), {invalidate_cards("switch_id = :switch")}, a AS ({INSERT_EVENTS})
SELECT 1
"""
ABANDON_INTERVENTION: Final = """
UPDATE interventions SET phase = 'failed', finished_at = :now, problem = :problem, due_at = NULL,
    claimed_by = NULL, claimed_until = NULL
WHERE id = :given_up AND phase IN ('requested', 'sent')
"""
SELECT_CLAIMED: Final = f"""
SELECT {SWITCH_COLUMNS}, {INTERVENTION_JSON} AS intervention, i.id, {BLUE_TASK_DEFINITION} AS blue
FROM interventions i JOIN switches s ON s.id = i.switch_id WHERE i.id = ANY(:ids)
"""
# CodeDeploy may have received "end blue" after an undo replaced it: the audit trail records that.
#
# The hook of the rollback deployment may arrive before CodeDeploy's answer is stored, or at the same time: opening its
# gate writes to the same rows, under that deployment's audit lock.
STORE_SENT: Final = f"""
WITH i AS (
    UPDATE interventions SET phase = CASE WHEN CAST(:done AS boolean) THEN 'done' ELSE 'sent' END,
        finished_at = CASE WHEN CAST(:done AS boolean) THEN CAST(:now AS timestamptz) END,
        deployment_id = coalesce(CAST(:deployment AS text), deployment_id),
        due_at = NULL, claimed_by = NULL, claimed_until = NULL, last_error = NULL, problem = CAST(:problem AS text)
    WHERE id = :id AND claimed_by = :owner AND phase = 'requested'
        AND {NAMED_AUDIT_LOCK} AND {NEW_DEPLOYMENT_AUDIT_LOCK}
    RETURNING switch_id
), s AS (
    UPDATE switches SET due_at = CAST(:now AS timestamptz) FROM i
    WHERE switches.id = i.switch_id AND NOT CAST(:done AS boolean)
), n AS (
    INSERT INTO switches (account, region, deployment_id, domain, application, deployment_group,
                          listener_port, creator, first_seen_at, verified_at, due_at)
    SELECT o.account, o.region, CAST(:deployment AS text), o.domain, o.application, o.deployment_group,
           o.listener_port, 'user', :now, :now, :now
    FROM i JOIN switches o ON o.id = i.switch_id WHERE CAST(:deployment AS text) IS NOT NULL
    ON CONFLICT ON CONSTRAINT switches_key DO NOTHING
), {INVALIDATE_CARDS}, a AS (
    {INSERT_EVENTS} WHERE EXISTS (SELECT 1 FROM i)
        OR EXISTS (SELECT 1 FROM interventions WHERE id = :id AND kind = 'finish' AND phase = 'failed')
)
SELECT g.id FROM gates g JOIN switches s ON s.id = g.switch_id JOIN switches o ON o.id = :switch
WHERE s.deployment_id = CAST(:deployment AS text) AND s.account = o.account AND s.region = o.region
    AND g.phase = 'awaiting' AND EXISTS (SELECT 1 FROM i)
"""
STORE_FAILED: Final = f"""
WITH i AS (
    UPDATE interventions SET phase = 'failed', finished_at = :now, problem = :problem, due_at = NULL,
        claimed_by = NULL, claimed_until = NULL
    WHERE id = :id AND claimed_by = :owner AND phase = 'requested' AND {NAMED_AUDIT_LOCK} RETURNING switch_id
), {INVALIDATE_CARDS}, a AS ({INSERT_EVENTS} WHERE EXISTS (SELECT 1 FROM i))
SELECT 1
"""
RESCHEDULE: Final = f"""
WITH i AS (
    UPDATE interventions SET due_at = :due_at, claimed_by = NULL, claimed_until = NULL, last_error = :problem,
        problem = :problem
    WHERE id = :id AND claimed_by = :owner AND phase = 'requested' AND {NAMED_AUDIT_LOCK} RETURNING switch_id
), {INVALIDATE_CARDS}
SELECT 1
"""


class HeldInterventionRow:
    """See `app.flow.undo.request_undo.HeldIntervention`."""

    def __init__(self, connection: AsyncConnection, view: GateView, *, is_replay: bool) -> None:
        self._connection = connection
        self._view = view
        self.is_replay = is_replay

    @property
    def view(self) -> GateView:
        return self._view

    async def ask(
        self, intervention: Intervention, *, instead_of: UUID | None, events: Sequence[Event], now: datetime
    ) -> None:
        """Writes the wish down; it is due at once. `instead_of` is given up first: one at a time."""
        if instead_of is not None:
            given_up = {"given_up": instead_of, "problem": InterventionFailure.UNDO_INSTEAD, "now": now}
            await execute(self._connection, ABANDON_INTERVENTION, given_up)
        values = {
            "id": intervention.id,
            "switch": self._view.switch.id,
            "kind": intervention.kind,
            "by": intervention.by,
            "name": intervention.name,
            "reason": intervention.reason,
            "now": now,
            "events": events_parameter(events),
        }
        await execute(self._connection, INSERT_INTERVENTION, values)

    async def note(self, event: Event) -> None:
        await execute(self._connection, INSERT_EVENTS, {"events": events_parameter([event])})


class Interventions:
    """Interventions, leased by one replica; see `app.flow.undo.execute_intervention.CarryOutRecord`."""

    def __init__(self, database: Database, owner: UUID) -> None:
        self._database = database
        self.leases = Leases(database, "interventions", owner)

    @asynccontextmanager
    async def hold_switch_of(
        self, gate: GateId, *, request: str | None = None
    ) -> AsyncIterator[HeldInterventionRow | None]:
        """The gate's switch under its lock until the block ends."""
        # Lock first, in a statement of its own: a read in the statement that waits for a lock is stale.
        async with self._database.begin() as connection:
            if not await execute(connection, LOCK_SWITCH, {"gate": gate}):
                yield None
                return
            rows = await execute(connection, SELECT_ONE, {"gate": gate})
            is_replay = await is_replayed(connection, request, subject=gate)
            yield HeldInterventionRow(connection, gate_view_from_row(rows[0]), is_replay=is_replay)

    async def claim(self, *, now: datetime, limit: int) -> Sequence[DueIntervention]:
        """Leases interventions that CodeDeploy has not received."""
        claimed = await self.leases.claim(now=now, limit=limit)
        if not claimed:
            return []
        rows = await self._database.rows(SELECT_CLAIMED, ids=list(claimed))
        return await self.leases.build_readable(rows, partial(_due, claimed), key=lambda row: row.id)

    async def sent(
        self,
        due: DueIntervention,
        *,
        deployment: str | None,
        done: bool,
        problem: str | None,
        event: Event,
        now: datetime,
    ) -> list[GateId]:
        """CodeDeploy accepted it; gives the waiting gates of the deployment that it created."""
        made = DeploymentId(deployment) if deployment else due.switch.key.deployment
        rows = await self._database.rows(
            STORE_SENT,
            **self._lease_values(due),
            audit_lock=audit_lock_name(due.switch.key),
            new_audit_lock=audit_lock_name(replace(due.switch.key, deployment=made)),
            switch=due.switch.id,
            deployment=deployment,
            done=done,
            problem=problem,
            now=now,
            events=events_parameter([event]),
        )
        return [GateId(row.id) for row in rows]

    async def failed(self, due: DueIntervention, *, problem: str, event: Event, now: datetime) -> None:
        """Marks it as failed; the card shows why."""
        await self._database.rows(
            STORE_FAILED,
            **self._lease_values(due),
            audit_lock=audit_lock_name(due.switch.key),
            problem=problem[:500],
            now=now,
            events=events_parameter([event]),
        )

    async def retry_later(
        self, due: DueIntervention, *, problem: str, due_at: datetime, now: datetime
    ) -> None:
        """Reschedules it to `due_at`; the card shows the problem."""
        values = {
            "audit_lock": audit_lock_name(due.switch.key),
            "problem": problem[:500],
            "due_at": due_at,
            "now": now,
        }
        await self._database.rows(RESCHEDULE, **self._lease_values(due), **values)

    def _lease_values(self, due: DueIntervention) -> dict[str, Any]:
        return {"id": due.intervention.id, "owner": self.leases.owner}


def _due(claimed: Mapping[Any, int], row: Any) -> DueIntervention:
    return DueIntervention(
        attempts=claimed[row.id],
        switch=switch_from_row(row),
        intervention=intervention_from_json(row.intervention),
        blue=row.blue,
    )
