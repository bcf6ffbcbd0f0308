"""Requests announcements, in the transaction of the change that they announce. Each is stored once."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Select, Text, bindparam, select
from sqlalchemy.dialects.postgresql import Insert, insert
from sqlalchemy.ext.asyncio import AsyncConnection

from app.db.expressions import GATE_PARAM, NOW_PARAM, ONE
from app.db.statements import execute
from app.db.tables import announcements, cards, gates, switches
from app.flow.notify.announcement_kinds import AnnouncementKind
from app.gate.ids import GateId, SwitchKey

_KIND: Final = bindparam("announced", type_=Text)
_SUBJECT: Final = bindparam("about", type_=Text)


def _request(gate: Select[Any]) -> Insert:
    columns = ["gate_id", "kind", "subject", "written_at", "due_at"]
    return (
        insert(announcements)
        .from_select(columns, gate)
        .on_conflict_do_nothing(constraint="announcements_key")
    )


_row = (_KIND, _SUBJECT, NOW_PARAM, NOW_PARAM)
REQUEST_AT_GATE: Final = _request(select(gates.c.id, *_row).where(gates.c.id == GATE_PARAM))
REQUEST_AT_SWITCH: Final = _request(
    select(gates.c.id, *_row)
    .join_from(switches, gates, gates.c.switch_id == switches.c.id)
    .join(cards, cards.c.gate_id == gates.c.id)
    .where(
        switches.c.account == bindparam("in_account"),
        switches.c.region == bindparam("in_region"),
        switches.c.deployment_id == bindparam("of_deployment"),
    )
    .order_by(gates.c.opened_at.desc())
    .limit(ONE)
)
"""In the thread of the switch's latest card: a gate that nobody had to decide may have none."""


async def request_at_gate(
    connection: AsyncConnection, kind: AnnouncementKind, *, gate: GateId, now: datetime
) -> None:
    """Requests an announcement in the thread of the gate's card."""
    await _execute(connection, REQUEST_AT_GATE, {"gate": gate}, kind, about="", now=now)


async def request_at_switch(
    connection: AsyncConnection, kind: AnnouncementKind, *, switch: SwitchKey, about: str = "", now: datetime
) -> None:
    """Requests an announcement in the thread of the switch's latest card, once for each `about`."""
    values = {"in_account": switch.account, "in_region": switch.region, "of_deployment": switch.deployment}
    await _execute(connection, REQUEST_AT_SWITCH, values, kind, about=about, now=now)


async def _execute(
    connection: AsyncConnection,
    statement: Insert,
    values: Mapping[str, Any],
    kind: AnnouncementKind,
    *,
    about: str,
    now: datetime,
) -> None:
    await execute(connection, statement, {**values, "announced": kind, "about": about, "now": now})
