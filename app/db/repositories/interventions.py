"""Interventions: requested under the switch's lock, executed under a lease."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import datetime
from functools import partial
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Executable, and_, bindparam, null, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from app.db.audit_insert import INSERT_EVENTS, events_parameter, insert_events
from app.db.audit_lock import GATE_AUDIT_LOCK, NAMED_AUDIT_LOCK, NEW_DEPLOYMENT_AUDIT_LOCK, audit_lock_name
from app.db.database import Database
from app.db.expressions import GATE_PARAM, NOW_PARAM, SWITCH_PARAM, condition, is_one_of
from app.db.gate_view import SWITCH_COLUMNS, as_json, blue_task_definition
from app.db.handled_requests import read_gate_for_request
from app.db.invalidate_cards import INVALIDATE_CARDS_OF_G, invalidate_cards
from app.db.leases import NO_LEASE, Leases, is_leased
from app.db.mapping.interventions import PROBLEM, intervention_from_json, problem_values
from app.db.mapping.rows import switch_from_row
from app.db.repositories.messages.announcement_requests import request_at_switch
from app.db.shown_by import showing_gate
from app.db.statements import execute
from app.db.tables import gates, interventions, switches
from app.flow.audit_events import Event
from app.flow.notify.announcement_kinds import AnnouncementKind
from app.flow.read_models import GateView
from app.flow.undo.execute_intervention import DueIntervention
from app.flow.undo.intervention import Intervention, InterventionFailure, InterventionProblem
from app.gate.ids import DeploymentId, GateId
from app.gate.undo import InterventionKind

LOCK_SWITCH: Final = (
    select(switches.c.id)
    .where(
        switches.c.id == select(gates.c.switch_id).where(gates.c.id == GATE_PARAM).scalar_subquery(),
        condition(GATE_AUDIT_LOCK),
    )
    .with_for_update(key_share=True)
)
INVALIDATE_CARDS: Final = invalidate_cards(gates.c.switch_id == SWITCH_PARAM)
INSERT_INTERVENTION: Final = insert(interventions)
POLL_SOON: Final = update(switches).where(switches.c.id == SWITCH_PARAM).values(due_at=NOW_PARAM)
ABANDON_INTERVENTION: Final = (
    update(interventions)
    .where(interventions.c.id == bindparam("given_up"), interventions.c.phase.in_(["requested", "sent"]))
    .values(**NO_LEASE, phase="failed", finished_at=NOW_PARAM, due_at=null(), **PROBLEM)
)
SELECT_CLAIMED: Final = (
    select(
        *SWITCH_COLUMNS,
        as_json(interventions).label("intervention"),
        interventions.c.id,
        blue_task_definition().label("blue"),
    )
    .join_from(interventions, switches, switches.c.id == interventions.c.switch_id)
    .where(is_one_of(interventions.c.id, "ids"))
)
# CodeDeploy may have received "end blue" after an undo replaced it: the audit trail records that.
#
# The hook of the rollback deployment may arrive before CodeDeploy's answer is stored, or at the same time: opening its
# gate writes to the same rows, under that deployment's audit lock.
STORE_SENT: Final = f"""
WITH i AS (
    UPDATE interventions SET phase = CASE WHEN CAST(:done AS boolean) THEN 'done' ELSE 'sent' END,
        finished_at = CASE WHEN CAST(:done AS boolean) THEN CAST(:now AS timestamptz) END,
        deployment_id = coalesce(CAST(:deployment AS text), deployment_id),
        due_at = NULL, claimed_by = NULL, claimed_until = NULL, last_error = NULL,
        problem_code = CAST(:failure_code AS text), problem = CAST(:failure_detail AS text)
    WHERE id = :key AND claimed_by = :owner AND phase = 'requested'
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
), showing AS (
    SELECT shown.* FROM i CROSS JOIN LATERAL ({showing_gate("i.switch_id")}) shown
), g AS (
    UPDATE gates SET version = version + 1,
        shown_by = CASE WHEN switch_id IN (SELECT switch_id FROM i) THEN shown_by
            ELSE coalesce(shown_by, (SELECT showing.id FROM showing)) END,
        returns = CASE WHEN switch_id IN (SELECT switch_id FROM i) THEN returns
            ELSE coalesce(returns, (SELECT showing.returns FROM showing)) END
    WHERE id = ANY(ARRAY(
        SELECT gates.id FROM gates WHERE switch_id = ANY(ARRAY(
            SELECT switch_id FROM i UNION ALL
            SELECT r.id FROM i JOIN switches o ON o.id = i.switch_id JOIN switches r
                ON r.account = o.account AND r.region = o.region AND r.deployment_id = CAST(:deployment AS text)
        )) ORDER BY gates.id FOR NO KEY UPDATE OF gates
    )) RETURNING id, version
), c AS ({INVALIDATE_CARDS_OF_G}), a AS (
    {INSERT_EVENTS} WHERE EXISTS (SELECT 1 FROM i)
        OR EXISTS (SELECT 1 FROM interventions WHERE id = :key AND kind = 'finish' AND phase = 'failed')
)
SELECT g.id FROM gates g JOIN switches s ON s.id = g.switch_id JOIN switches o ON o.id = :switch
WHERE s.deployment_id = CAST(:deployment AS text) AND s.account = o.account AND s.region = o.region
    AND g.phase = 'awaiting' AND EXISTS (SELECT 1 FROM i)
"""
"""As text: one statement, so that the rollback's hook finds all of it or nothing."""

# A hook may have come while the redeployment was being sent, and its description named this undo. The undo has failed,
# so that gate waits for people and needs a card of its own.
INVALIDATE_CARDS_AFTER_FAILURE: Final = f"""
WITH waiting AS (
    SELECT w.id FROM gates w JOIN switches s ON s.id = w.switch_id
    WHERE w.shown_by IN (SELECT coalesce(p.shown_by, p.id) FROM gates p WHERE p.switch_id = :switch)
        AND w.phase = 'awaiting' AND s.rollback_of IS NULL
        AND NOT EXISTS (SELECT 1 FROM interventions i WHERE i.deployment_id = s.deployment_id)
), g AS (
    UPDATE gates SET version = version + 1,
        shown_by = CASE WHEN id NOT IN (SELECT waiting.id FROM waiting) THEN shown_by END,
        returns = CASE WHEN id NOT IN (SELECT waiting.id FROM waiting) THEN returns END
    WHERE id = ANY(ARRAY(
        SELECT gates.id FROM gates WHERE id = ANY(ARRAY(
            SELECT o.id FROM gates o WHERE o.switch_id = :switch UNION ALL SELECT waiting.id FROM waiting
        )) ORDER BY gates.id FOR NO KEY UPDATE OF gates
    )) RETURNING id, version
), c AS ({INVALIDATE_CARDS_OF_G})
SELECT id FROM g
"""
"""As text, as the statement that opens a gate is, whose work it takes back."""

_is_leased_under_lock = and_(
    is_leased("interventions"), interventions.c.phase == "requested", condition(NAMED_AUDIT_LOCK)
)
STORE_FAILED: Final = (
    update(interventions)
    .where(_is_leased_under_lock)
    .values(**NO_LEASE, phase="failed", finished_at=NOW_PARAM, due_at=null(), **PROBLEM)
    .returning(interventions.c.switch_id)
)
RESCHEDULE: Final = (
    update(interventions)
    .where(_is_leased_under_lock)
    .values(**NO_LEASE, due_at=bindparam("next_due_at"), last_error=bindparam("failure_detail"), **PROBLEM)
    .returning(interventions.c.switch_id)
)


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
            problem = problem_values(InterventionProblem(code=InterventionFailure.REPLACED_BY_UNDO))
            given_up = {"given_up": instead_of, **problem, "now": now}
            await execute(self._connection, ABANDON_INTERVENTION, given_up)
        switch = {"switch": self._view.switch.id, "now": now}
        values = {
            "id": intervention.id,
            "switch_id": self._view.switch.id,
            "kind": intervention.kind,
            "requested_by": intervention.by,
            "requested_name": intervention.name,
            "reason": intervention.reason,
            "requested_at": now,
            "due_at": now,
        }
        await execute(self._connection, POLL_SOON, switch)
        await execute(self._connection, INSERT_INTERVENTION, values)
        await execute(self._connection, INVALIDATE_CARDS, switch)
        await insert_events(self._connection, events)

    async def note(self, event: Event) -> None:
        await insert_events(self._connection, [event])


class Interventions:
    """Interventions, leased by one replica; see `app.flow.undo.execute_intervention.ExecutionRepository`."""

    def __init__(self, database: Database, owner: UUID) -> None:
        self._database = database
        self.leases = Leases(database, "interventions", owner)

    @asynccontextmanager
    async def hold_switch_of(
        self, gate: GateId, *, request: str | None = None
    ) -> AsyncIterator[HeldInterventionRow | None]:
        """The gate's switch under its lock until the block ends."""
        # Lock first, in a statement of its own: a read in the statement that waits for a lock is stale.
        async with self._database.transaction() as connection:
            if not await execute(connection, LOCK_SWITCH, {"gate": gate}):
                yield None
                return
            view, is_replay = await read_gate_for_request(connection, gate, request)
            yield HeldInterventionRow(connection, view, is_replay=is_replay)

    async def claim(self, *, now: datetime, limit: int) -> Sequence[DueIntervention]:
        """Leases interventions that CodeDeploy has not received."""
        claimed = await self.leases.claim(now=now, limit=limit)
        if not claimed:
            return []
        rows = await self._database.execute(SELECT_CLAIMED, ids=list(claimed))
        return await self.leases.build_readable(rows, partial(_due, claimed), key=lambda row: row.id)

    async def sent(
        self,
        due: DueIntervention,
        *,
        deployment: str | None,
        done: bool,
        problem: InterventionProblem | None,
        event: Event,
        now: datetime,
    ) -> list[GateId]:
        """CodeDeploy accepted it; gives the waiting gates of the deployment that it created."""
        made = DeploymentId(deployment) if deployment else due.switch.key.deployment
        rows = await self._database.execute(
            STORE_SENT,
            **self._fence(due),
            new_audit_lock=audit_lock_name(replace(due.switch.key, deployment=made)),
            switch=due.switch.id,
            deployment=deployment,
            done=done,
            **problem_values(problem),
            now=now,
            events=events_parameter([event]),
        )
        return [GateId(row.id) for row in rows]

    async def failed(
        self, due: DueIntervention, *, problem: InterventionProblem, event: Event, now: datetime
    ) -> None:
        """Marks it as failed; the card shows why."""
        values = {**self._fence(due), **problem_values(problem, max_chars=500), "now": now}
        failed_undo = due if due.intervention.kind is not InterventionKind.FINISH else None
        await self._change(
            STORE_FAILED,
            values,
            events=[event],
            now=now,
            invalidate=INVALIDATE_CARDS_AFTER_FAILURE,
            failed_undo=failed_undo,
        )

    async def retry_later(
        self, due: DueIntervention, *, problem: InterventionProblem, due_at: datetime, now: datetime
    ) -> None:
        """Reschedules it to `due_at`; the card shows the problem."""
        values = {**self._fence(due), **problem_values(problem, max_chars=500), "next_due_at": due_at}
        await self._change(RESCHEDULE, values, events=[], now=now)

    async def _change(
        self,
        statement: Executable,
        values: Mapping[str, Any],
        *,
        events: Sequence[Event],
        now: datetime,
        invalidate: str | Executable = INVALIDATE_CARDS,
        failed_undo: DueIntervention | None = None,
    ) -> None:
        """Runs the fenced statement; if the lease still held, invalidates the cards, inserts the events, and requests
        the announcement of an undo that failed."""
        async with self._database.transaction() as connection:
            changed = await execute(connection, statement, values)
            if changed:
                switch = {"switch": changed[0].switch_id, "now": now}
                await execute(connection, invalidate, switch)
                await insert_events(connection, events)
                if failed_undo is not None:
                    await request_at_switch(
                        connection,
                        AnnouncementKind.UNDO_FAILED,
                        switch=failed_undo.switch.key,
                        about=str(failed_undo.intervention.id),
                        now=now,
                    )

    def _fence(self, due: DueIntervention) -> dict[str, Any]:
        lock = audit_lock_name(due.switch.key)
        return {**self.leases.fence(due.intervention.id), "audit_lock": lock}


def _due(claimed: Mapping[Any, int], row: Any) -> DueIntervention:
    return DueIntervention(
        attempts=claimed[row.id],
        switch=switch_from_row(row),
        intervention=intervention_from_json(row.intervention),
        blue=row.blue,
    )
