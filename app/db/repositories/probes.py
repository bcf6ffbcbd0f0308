"""Probe runs: requested when a gate opens, and again on demand; see
`app.flow.checks.run_probe.ProbeRepository`.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import partial
from typing import Any, Final
from uuid import UUID

from sqlalchemy import (
    DateTime,
    Text,
    and_,
    bindparam,
    exists,
    func,
    literal,
    null,
    select,
    update,
)
from sqlalchemy.dialects.postgresql import ARRAY, insert
from sqlalchemy.ext.asyncio import AsyncConnection

from app.db.audit_insert import insert_events
from app.db.audit_lock import GATE_AUDIT_LOCK
from app.db.database import Database
from app.db.expressions import GATE_PARAM, LIMIT, NOW_PARAM, ONE, condition, is_none_of, is_one_of
from app.db.gate_view import GATE_VIEW, IS_AWAITING
from app.db.invalidate_cards import invalidate_cards
from app.db.leases import NO_LEASE, Leases, is_leased
from app.db.mapping.rows import gate_view_from_row
from app.db.statements import execute
from app.db.tables import checks, gates, probe_runs, switches
from app.flow.audit_events import Event
from app.flow.checks.run_probe import DueProbe
from app.gate.ids import DomainName, GateId
from app.gate.rules.checks import PROBE, Check

SELECT_CLAIMED: Final = (
    GATE_VIEW.add_columns(probe_runs.c.id.label("run"), probe_runs.c.name.label("probe"))
    .join(probe_runs, probe_runs.c.gate_id == gates.c.id)
    .where(is_one_of(probe_runs.c.id, "ids"))
)
SELECT_WITHOUT_RUNS: Final = (
    select(gates.c.id, switches.c.domain)
    .join(switches, switches.c.id == gates.c.switch_id)
    .where(
        IS_AWAITING,
        switches.c.verified_at.is_not(None),
        is_one_of(switches.c.domain, "domains"),
        is_none_of(gates.c.id, "skip"),
        is_one_of(gates.c.hook_name, "hooks"),
        ~exists().where(probe_runs.c.gate_id == gates.c.id),
    )
    .order_by(gates.c.opened_at)
    .limit(LIMIT)
)
LOCK_GATE: Final = (
    select(gates.c.id)
    .where(gates.c.id == GATE_PARAM, condition(GATE_AUDIT_LOCK))
    .with_for_update(key_share=True)
)
_NAMES: Final = bindparam("names", type_=ARRAY(Text))
_switch_of_gate = select(gates.c.switch_id).where(gates.c.id == GATE_PARAM).scalar_subquery()
INVALIDATE_CARD: Final = invalidate_cards(gates.c.id == GATE_PARAM)

_run = insert(probe_runs).from_select(
    ["gate_id", "name", "requested_at", "due_at"],
    select(GATE_PARAM, func.unnest(_NAMES), NOW_PARAM, NOW_PARAM),
)
INSERT_RUNS: Final = _run.on_conflict_do_nothing(constraint="probe_runs_key").returning(probe_runs.c.name)
RESTART_RUNS: Final = _run.on_conflict_do_update(
    constraint="probe_runs_key",
    set_={"requested_at": _run.excluded.requested_at, "due_at": _run.excluded.due_at, "attempts": 0},
    where=and_(probe_runs.c.due_at.is_(None), probe_runs.c.requested_at < bindparam("before")),
).returning(probe_runs.c.name)

_pending = insert(checks).from_select(
    ["account", "region", "deployment_id", "name", "state", "reported_by", "reported_at"],
    select(
        switches.c.account,
        switches.c.region,
        switches.c.deployment_id,
        func.unnest(_NAMES),
        literal("pending"),
        literal(PROBE),
        NOW_PARAM,
    ).where(switches.c.id == _switch_of_gate),
)
SET_CHECKS_PENDING: Final = _pending.on_conflict_do_update(
    constraint="checks_pkey",
    set_={
        "state": _pending.excluded.state,
        "summary": "",
        "url": null(),
        "reported_by": _pending.excluded.reported_by,
        "reported_at": _pending.excluded.reported_at,
    },
)
FINISH_RUN: Final = (
    update(probe_runs)
    .where(is_leased("probe_runs"))
    .values(**NO_LEASE, due_at=null(), last_error=null())
    .returning(ONE)
)
_result = insert(checks).from_select(
    ["account", "region", "deployment_id", "name", "state", "summary", "reported_by", "reported_at"],
    select(
        switches.c.account,
        switches.c.region,
        switches.c.deployment_id,
        bindparam("check", type_=Text),
        bindparam("result", type_=Text),
        bindparam("explanation", type_=Text),
        bindparam("by", type_=Text),
        bindparam("at", type_=DateTime(timezone=True)),
    ).where(switches.c.id == _switch_of_gate),
)
STORE_RESULT: Final = _result.on_conflict_do_update(
    constraint="checks_pkey",
    set_={
        "state": _result.excluded.state,
        "summary": _result.excluded.summary,
        "url": null(),
        "reported_by": _result.excluded.reported_by,
        "reported_at": _result.excluded.reported_at,
    },
)


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
        rows = await self._database.execute(SELECT_CLAIMED, ids=list(claimed))
        return await self.leases.build_readable(rows, partial(_due, claimed), key=lambda row: row.run)

    async def without_runs(
        self, domains: Sequence[DomainName], *, hooks: Sequence[str], limit: int, skip: Sequence[GateId]
    ) -> Sequence[tuple[GateId, DomainName]]:
        """Waiting gates of these domains whose probes nobody has asked for."""
        where = {"domains": list(domains), "hooks": list(hooks), "skip": list(skip)}
        rows = await self._database.execute(SELECT_WITHOUT_RUNS, **where, limit=limit)
        return [(GateId(row.id), DomainName(row.domain)) for row in rows]

    async def ask_for(self, gate: GateId, names: Sequence[str], *, now: datetime) -> None:
        """Has these probes run once; their checks are pending."""
        async with self._database.transaction() as connection:
            await execute(connection, LOCK_GATE, {"gate": gate})
            values = {"gate": gate, "names": list(names), "now": now}
            await _show_pending(connection, gate, await execute(connection, INSERT_RUNS, values), now=now)

    async def ask_again(self, gate: GateId, names: Sequence[str], *, now: datetime, before: datetime) -> bool:
        """Has those run again that rest and were asked for before `before`; False when there are none."""
        async with self._database.transaction() as connection:
            await execute(connection, LOCK_GATE, {"gate": gate})
            values = {"gate": gate, "names": list(names), "now": now, "before": before}
            runs = await execute(connection, RESTART_RUNS, values)
            await _show_pending(connection, gate, runs, now=now)
            return bool(runs)

    async def probed(
        self, due: DueProbe, check: Check | None, *, events: Sequence[Event], now: datetime
    ) -> None:
        """Ends the run under its lease, with its result."""
        async with self._database.transaction() as connection:
            await execute(connection, LOCK_GATE, {"gate": due.view.id})
            mine = await execute(connection, FINISH_RUN, self.leases.fence(due.id))
            if not mine or check is None:
                return
            gate = {"gate": due.view.id}
            values = {
                "check": check.name,
                "result": check.state,
                "explanation": check.summary,
                "by": check.by,
                "at": check.at,
            }
            await execute(connection, STORE_RESULT, {**gate, **values})
            await execute(connection, INVALIDATE_CARD, {**gate, "now": now})
            await insert_events(connection, events)


async def _show_pending(
    connection: AsyncConnection, gate: GateId, runs: Sequence[Any], *, now: datetime
) -> None:
    """Sets the checks of requested runs to pending, and invalidates the card."""
    if runs:
        names = [row.name for row in runs]
        await execute(connection, SET_CHECKS_PENDING, {"gate": gate, "names": names, "now": now})
        await execute(connection, INVALIDATE_CARD, {"gate": gate, "now": now})


def _due(claimed: Mapping[Any, int], row: Any) -> DueProbe:
    return DueProbe(attempts=claimed[row.run], id=row.run, name=row.probe, view=gate_view_from_row(row))
