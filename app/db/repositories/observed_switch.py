"""Stores what a poll observed of a switch."""

from typing import Any, Final

from sqlalchemy import (
    Boolean,
    ColumnElement,
    DateTime,
    Integer,
    Text,
    bindparam,
    case,
    cast,
    func,
    null,
    update,
)
from sqlalchemy.dialects.postgresql import JSONB

from app.db.expressions import NOW_PARAM, SWITCH_PARAM
from app.db.tables import switches
from app.flow.ports.switches import SwitchUpdate
from app.flow.read_models import Traffic


def _known_or(name: str) -> ColumnElement[Any]:
    """The stored value or, while there is none, what was observed."""
    column = switches.c[name]
    return func.coalesce(column, bindparam(f"seen_{name}", type_=column.type))


_GREEN_PERCENT: Final = bindparam("seen_green_percent", type_=Integer)
_MOVED_AT: Final = bindparam("seen_traffic_moved_at", type_=DateTime(timezone=True))
_READ_AT: Final = bindparam("seen_traffic_read_at", type_=DateTime(timezone=True))
_SHIFT_ENDED_AT: Final = bindparam("seen_shift_ended_at", type_=DateTime(timezone=True))
_PREVIOUS_READ: Final = bindparam("previous_read", type_=Boolean)
STORE_OBSERVATION: Final = (
    update(switches)
    .where(switches.c.id == SWITCH_PARAM)
    .values(
        status=bindparam("seen_status"),
        hook_started_at=_known_or("hook_started_at"),
        traffic=func.coalesce(
            switches.c.traffic, cast(bindparam("seen_traffic", type_=Text), JSONB), type_=JSONB
        ),
        green_percent=case(
            (bindparam("green_unknown", type_=Boolean), null()),
            else_=func.coalesce(_GREEN_PERCENT, switches.c.green_percent),
        ),
        traffic_changed_at=case(
            (
                func.coalesce(switches.c.green_percent, 0) != _GREEN_PERCENT,
                func.coalesce(_MOVED_AT, NOW_PARAM),
            ),
            else_=switches.c.traffic_changed_at,
        ),
        traffic_read_at=func.coalesce(_READ_AT, switches.c.traffic_read_at),
        traffic_unknown=func.coalesce(
            bindparam("seen_traffic_unknown", type_=Boolean), switches.c.traffic_unknown
        ),
        # CodeDeploy's own time replaces the one at which all traffic was first seen on green.
        switched_at=case((_SHIFT_ENDED_AT.is_not(None), _SHIFT_ENDED_AT), else_=_known_or("switched_at")),
        shift_ended_at=func.coalesce(switches.c.shift_ended_at, _SHIFT_ENDED_AT),
        blue_until=func.coalesce(
            bindparam("seen_blue_until", type_=DateTime(timezone=True)), switches.c.blue_until
        ),
        rollback_id=_known_or("rollback_id"),
        previous_revision=case(
            (_PREVIOUS_READ, bindparam("revision", type_=Text)), else_=switches.c.previous_revision
        ),
        previous_obstacle=case(
            (_PREVIOUS_READ, bindparam("obstacle", type_=Text)), else_=switches.c.previous_obstacle
        ),
        auto_rollback=_known_or("auto_rollback"),
    )
)


def observation_parameters(update: SwitchUpdate) -> dict[str, Any]:
    """The parameters of `STORE_OBSERVATION`."""
    return {
        "seen_status": update.status,
        "seen_hook_started_at": update.hook_started_at,
        "seen_traffic": _traffic_to_json(update.traffic),
        "seen_green_percent": update.green_percent,
        "green_unknown": update.green_unknown,
        "seen_traffic_moved_at": update.traffic_moved_at,
        "seen_traffic_read_at": update.traffic_read_at,
        "seen_traffic_unknown": update.traffic_unknown,
        "seen_switched_at": update.switched_at,
        "seen_shift_ended_at": update.shift_ended_at,
        "seen_blue_until": update.blue_until,
        "seen_rollback_id": update.rollback_id,
        "previous_read": update.previous is not None,
        "revision": update.previous.name if update.previous else None,
        "obstacle": update.previous.obstacle if update.previous else None,
        "seen_auto_rollback": update.auto_rollback,
    }


def _traffic_to_json(traffic: Traffic | None) -> str | None:
    if traffic is None:
        return None
    return f'{{"shift": "{traffic.shift}", "percent": {traffic.percent}, "minutes": {traffic.minutes}}}'
