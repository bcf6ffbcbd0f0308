"""Interventions that a poll of their switch, or of its rollback, shows to be over."""

from typing import Any, Final

from sqlalchemy import ColumnElement, Select, bindparam, exists, null, select, update

from app.db.expressions import NOW_PARAM, SWITCH_PARAM, is_among
from app.db.gate_view import SWITCH_COLUMNS, as_json
from app.db.invalidate_cards import invalidation
from app.db.leases import NO_LEASE
from app.db.mapping.interventions import PROBLEM, intervention_from_json
from app.db.mapping.rows import switch_from_row
from app.db.tables import gates, interventions, switches
from app.flow.ports.switches import SettledIntervention

_original, _rollback = switches.alias("original"), switches.alias("rollback")


def _end_interventions(*which: ColumnElement[bool]) -> Select[Any]:
    """Ends the matching interventions, invalidates their switches' cards and gives both."""
    ended = (
        update(interventions)
        .where(interventions.c.phase.in_(["requested", "sent"]), *which)
        .values(**NO_LEASE, phase=bindparam("end"), finished_at=NOW_PARAM, due_at=null(), **PROBLEM)
        .returning(interventions)
        .cte("ended")
    )
    return (
        select(*SWITCH_COLUMNS, as_json(ended).label("intervention"))
        .join_from(ended, switches, switches.c.id == ended.c.switch_id)
        .add_cte(*invalidation(is_among(gates.c.switch_id, select(ended.c.switch_id))))
    )


END_INTERVENTIONS_WAITING_FOR: Final = _end_interventions(
    interventions.c.deployment_id == bindparam("deployment"),
    interventions.c.switch_id.in_(
        select(switches.c.id).where(
            switches.c.account == bindparam("account"), switches.c.region == bindparam("region")
        )
    ),
)
END_ROLLED_BACK_INTERVENTIONS: Final = _end_interventions(
    interventions.c.switch_id == SWITCH_PARAM,
    interventions.c.kind == "stop",
    exists().where(
        _original.c.id == SWITCH_PARAM,
        _rollback.c.account == _original.c.account,
        _rollback.c.region == _original.c.region,
        _rollback.c.deployment_id == _original.c.rollback_id,
        _rollback.c.switched_at.is_not(None),
    ),
)
END_OWN_INTERVENTIONS: Final = _end_interventions(
    interventions.c.switch_id == SWITCH_PARAM, interventions.c.kind == bindparam("of_kind")
)


def settled_from_row(row: Any) -> SettledIntervention:
    return SettledIntervention(
        intervention=intervention_from_json(row.intervention), switch=switch_from_row(row)
    )
