"""Switches: polled while they are live."""

import json
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import (
    Text,
    and_,
    any_,
    bindparam,
    case,
    exists,
    func,
    literal_column,
    or_,
    select,
    update,
)
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.asyncio import AsyncConnection

from app.concurrency.batch_loader import BatchLoader
from app.db.audit_lock import (
    LOCK_ROLLED_BACK_AUDIT,
    ROLLED_BACK_AUDIT_LOCKS_HELD,
    ROLLED_BACK_SWITCHES,
    SWITCH_AUDIT_LOCK,
)
from app.db.database import Database
from app.db.expressions import EMPTY, NOW_PARAM, ONE, SWITCH_PARAM, condition, is_one_of
from app.db.gate_view import (
    GATE_VIEW,
    IS_AWAITING,
    SWITCH_COLUMNS,
    blue_task_definition,
    undo_that_created,
)
from app.db.leases import Leases, is_leased
from app.db.mapping.rows import gate_view_from_row, switch_from_row
from app.db.repositories.locked_switch import HeldSwitchRow
from app.db.statements import execute
from app.db.tables import evidence, gates, interventions, switches
from app.flow.ports.database import DatabaseUnavailable
from app.flow.ports.switches import CANNOT_CHANGE, DuePoll, TrafficReading
from app.gate.ids import SwitchKey
from app.gate.rules.permits import AUTO_ROLLBACK_CREATORS

_gate_of_switch = select(gates.c.id).where(gates.c.switch_id == switches.c.id)
_is_undo = exists().where(
    *undo_that_created(switches.c.deployment_id, account=switches.c.account, region=switches.c.region)
)
SELECT_CLAIMED: Final = select(
    *SWITCH_COLUMNS,
    switches.c.due_at,
    select(gates.c.hook_name)
    .where(gates.c.switch_id == switches.c.id)
    .order_by(gates.c.opened_at.desc())
    .limit(ONE)
    .scalar_subquery()
    .label("hook_name"),
    select(func.min(gates.c.decided_at))
    .where(
        gates.c.switch_id == switches.c.id,
        or_(gates.c.verdict == "approved", gates.c.outcome_detail == "Succeeded"),
    )
    .scalar_subquery()
    .label("let_through_at"),
    exists()
    .where(interventions.c.switch_id == switches.c.id, interventions.c.phase.in_(["requested", "sent"]))
    .label("undoing"),
    and_(
        _gate_of_switch.where(IS_AWAITING).exists(),
        or_(switches.c.creator == any_(bindparam("rescuers", type_=ARRAY(Text))), _is_undo),
    ).label("auto_approval_pending"),
    case((switches.c.ended_at.is_(None), blue_task_definition())).label("blue"),
    _gate_of_switch.join(evidence, evidence.c.gate_id == gates.c.id)
    .where(IS_AWAITING, evidence.c.seen["succeeded_events"].has_key(gates.c.hook_name))
    .exists()
    .label("succeeded_elsewhere"),
    _gate_of_switch.where(
        gates.c.phase == "reported", gates.c.outcome == "acknowledged", gates.c.event_read_at.is_(None)
    )
    .exists()
    .label("answer_unread"),
).where(is_one_of(switches.c.id, "ids"))
RESCHEDULE: Final = """
UPDATE switches SET claimed_by = NULL, claimed_until = NULL, last_error = b.error,
    attempts = CASE WHEN b.rested THEN 0 ELSE attempts END,
    due_at = CASE
        WHEN switches.due_at IS NULL THEN NULL
        WHEN switches.due_at IS DISTINCT FROM b.was_due THEN LEAST(switches.due_at, b.due_at)
        ELSE b.due_at
    END,
    traffic_read_at = coalesce(b.traffic_read_at, switches.traffic_read_at),
    traffic_stale_at = CASE
        WHEN b.traffic_read_at IS NOT NULL OR b.traffic_stale_at IS NULL THEN b.traffic_stale_at
        WHEN NOT switches.traffic_unknown THEN coalesce(switches.traffic_stale_at, b.traffic_stale_at)
    END
FROM jsonb_to_recordset(CAST(:rescheduled AS jsonb)) AS b(
    id bigint, due_at timestamptz, was_due timestamptz, error text, rested boolean, traffic_read_at timestamptz,
    traffic_stale_at timestamptz)
WHERE switches.id = b.id AND claimed_by = :owner AND switches.id = ANY(ARRAY(
    SELECT id FROM switches WHERE id = ANY(:ids) ORDER BY id FOR NO KEY UPDATE
))
"""
"""As text: the polls come as one JSON parameter, however many.

Keeps an earlier `due_at` that was set during the poll: that poll began before the wake-up. A poll that could not read
the traffic does not put off when the share becomes unknown.

A switch that this poll has ended stays ended.
"""

LOCK_SWITCH: Final = (
    select(switches.c.id)
    .where(is_leased("switches"), condition(SWITCH_AUDIT_LOCK))
    .with_for_update(key_share=True)
)
# Also gates of the deployments that it rolls back: their cards show it. As text, as in `app.db.audit_lock`.
LOCK_GATES: Final = f"""
SELECT 1 FROM gates WHERE switch_id = ANY(ARRAY(
    SELECT id FROM switches WHERE id = :id AND claimed_by = :owner UNION ALL {ROLLED_BACK_SWITCHES}
)) ORDER BY id FOR NO KEY UPDATE
"""
SELECT_SWITCH: Final = select(*SWITCH_COLUMNS).where(switches.c.id == SWITCH_PARAM)
SELECT_OPEN_GATES: Final = GATE_VIEW.where(
    gates.c.switch_id == SWITCH_PARAM, gates.c.phase != literal_column("'closed'")
).order_by(gates.c.id)
MAKE_DUE: Final = (
    update(switches)
    .where(
        switches.c.region == bindparam("in_region"),
        switches.c.deployment_id == bindparam("deployment"),
        switches.c.account.in_([bindparam("in_account", type_=Text), EMPTY]),
        switches.c.due_at.is_not(None),
    )
    .values(due_at=NOW_PARAM)
    .returning(ONE)
)
MAX_RESCHEDULE_BATCH: Final = 100
LOCK_ATTEMPTS: Final = 3


@dataclass(frozen=True, kw_only=True, slots=True)
class _Reschedule:
    id: int
    due_at: datetime | None
    was_due: datetime
    error: str | None
    rested: bool
    reading: TrafficReading


class Switches:
    """Live switches, leased by one replica; see `app.flow.lifecycle.poll_deployment.PollRepository`."""

    def __init__(self, database: Database, owner: UUID) -> None:
        self._database = database
        self.leases = Leases(database, "switches", owner)
        self._rescheduling = BatchLoader(self._reschedule, max_batch=MAX_RESCHEDULE_BATCH, max_concurrent=2)

    async def claim(self, *, now: datetime, limit: int) -> Sequence[DuePoll]:
        """Leases switches whose poll is due."""
        claimed = await self.leases.claim(now=now, limit=limit)
        if not claimed:
            return []
        rows = await self._database.execute(
            SELECT_CLAIMED, ids=list(claimed), rescuers=sorted(AUTO_ROLLBACK_CREATORS)
        )
        return await self.leases.build_readable(
            rows, lambda row: _due(row, attempts=claimed[row.switch_id]), key=lambda row: row.switch_id
        )

    @asynccontextmanager
    async def hold_switch(self, due: DuePoll) -> AsyncIterator[HeldSwitchRow | None]:
        """The switch and its open gates under their locks; None when the lease was lost."""
        id_ = due.switch.id
        lease = {**self.leases.fence(id_), "id": id_, "switch": id_}
        for _ in range(LOCK_ATTEMPTS):
            async with self._database.transaction() as connection:
                await execute(connection, LOCK_ROLLED_BACK_AUDIT, lease)
                if not await execute(connection, LOCK_SWITCH, lease):
                    yield None
                    return
                if (await execute(connection, ROLLED_BACK_AUDIT_LOCKS_HELD, lease))[0].held:
                    yield await _held_switch(connection, lease)
                    return
        raise DatabaseUnavailable(
            "the deployments that a switch takes back changed while it was being locked"
        )

    async def poll_again(
        self,
        due: DuePoll,
        *,
        error: str | None,
        rested: bool,
        due_at: datetime | None,
        reading: TrafficReading = CANNOT_CHANGE,
    ) -> None:
        """Reschedules the poll to `due_at` (None: never again); `rested` resets the attempts.

        Polls that end together are stored in one statement.
        """
        await self._rescheduling.get(
            _Reschedule(
                id=due.switch.id,
                due_at=due_at,
                was_due=due.due_at,
                error=error[:500] if error else None,
                rested=rested,
                reading=reading,
            )
        )

    async def wake(self, key: SwitchKey, *, now: datetime) -> bool:
        """Makes the poll of a live switch due now, after a notification. False: no live switch has this key."""
        where = {"in_region": key.region, "deployment": key.deployment, "in_account": key.account}
        return bool(await self._database.execute(MAKE_DUE, **where, now=now))

    async def _reschedule(self, rescheduled: Sequence[_Reschedule]) -> Sequence[None | Exception]:
        rows = [
            {
                "id": each.id,
                "due_at": _iso(each.due_at),
                "was_due": each.was_due.isoformat(),
                "error": each.error,
                "rested": each.rested,
                "traffic_read_at": _iso(each.reading.read_at),
                "traffic_stale_at": _iso(each.reading.stale_at),
            }
            for each in rescheduled
        ]
        ids = [each.id for each in rescheduled]
        await self._database.execute(
            RESCHEDULE, rescheduled=json.dumps(rows), ids=ids, owner=self.leases.owner
        )
        return [None] * len(rescheduled)


def _iso(at: datetime | None) -> str | None:
    return at.isoformat() if at else None


async def _held_switch(connection: AsyncConnection, lease: Mapping[str, Any]) -> HeldSwitchRow:
    """Locks the gates, and reads the switch and its open gates under the locks."""
    await execute(connection, LOCK_GATES, lease)
    (switch,) = await execute(connection, SELECT_SWITCH, lease)
    open_gates = await execute(connection, SELECT_OPEN_GATES, lease)
    return HeldSwitchRow(connection, switch_from_row(switch), [gate_view_from_row(row) for row in open_gates])


def _due(row: Any, *, attempts: int) -> DuePoll:
    switch = switch_from_row(row)
    # A rollback by CodeDeploy needs no approval: its traffic moves from the moment it is first seen.
    moving_since = row.let_through_at or (switch.first_seen_at if switch.rollback_of else None)
    return DuePoll(
        attempts=attempts,
        switch=switch,
        due_at=row.due_at,
        hook_name=row.hook_name,
        moving_since=moving_since,
        undoing=row.undoing,
        auto_approval_pending=bool(row.auto_approval_pending),
        blue=row.blue,
        answer_unread=row.answer_unread,
        succeeded_elsewhere=row.succeeded_elsewhere,
    )
