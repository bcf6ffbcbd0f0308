"""What a switch rolls back, as a poll of it needs that: the other switches, and the gate whose card shows it."""

from typing import Final

from sqlalchemy import Text, and_, bindparam, case, exists, literal, or_, select, update
from sqlalchemy.dialects.postgresql import insert

from app.db.expressions import NOW_PARAM, SWITCH_PARAM
from app.db.gate_view import SWITCH_COLUMNS
from app.db.invalidate_cards import INVALIDATE_CARDS_OF_G
from app.db.shown_by import showing_gate, switch_that_it_undoes
from app.db.tables import interventions, switches

_me, _original = switches.alias("me"), switches.alias("original")
_stopped_here = exists().where(
    interventions.c.switch_id == switches.c.id,
    interventions.c.kind == "stop",
    interventions.c.phase != "failed",
)
SELECT_ROLLED_BACK: Final = (
    select(*SWITCH_COLUMNS)
    .join(_me, and_(_me.c.account == switches.c.account, _me.c.region == switches.c.region))
    .where(
        _me.c.id == SWITCH_PARAM,
        or_(
            switches.c.rollback_id == _me.c.deployment_id,
            switches.c.deployment_id == bindparam("rollback_of", type_=Text),
        ),
        ~_stopped_here,
    )
)
_UNDONE: Final = switch_that_it_undoes(
    "me.deployment_id",
    account="me.account",
    region="me.region",
    rollback_of="me.rollback_of",
    tagged="CAST(:undo AS uuid)",
    application="me.application",
    deployment_group="me.deployment_group",
)
STORE_SHOWING_GATE: Final = f"""
WITH g AS (
    UPDATE gates SET shown_by = showing.id, returns = showing.returns, version = version + 1
    FROM switches me CROSS JOIN LATERAL ({_UNDONE}) undone
        CROSS JOIN LATERAL ({showing_gate("undone.switch_id")}) showing
    WHERE me.id = :switch AND gates.switch_id = me.id AND gates.shown_by IS NULL
    RETURNING gates.id, gates.version
), c AS ({INVALIDATE_CARDS_OF_G})
SELECT id FROM g
"""
"""As text, as the statement that opens a gate decides the same."""
STORE_ROLLBACK: Final = (
    update(interventions)
    .where(
        interventions.c.switch_id == SWITCH_PARAM,
        interventions.c.kind == "stop",
        interventions.c.phase.in_(["requested", "sent"]),
    )
    .values(deployment_id=bindparam("deployment"))
)
_COPIED: Final = ("account", "region", "domain", "application", "deployment_group", "listener_port")
_rollback_switch = insert(switches).from_select(
    [
        *_COPIED,
        *("deployment_id", "creator", "rollback_of", "first_seen_at", "verified_at", "due_at"),
    ],
    select(
        *(_original.c[name] for name in _COPIED),
        bindparam("deployment", type_=Text),
        literal("codeDeployRollback"),
        _original.c.deployment_id,
        NOW_PARAM,
        NOW_PARAM,
        NOW_PARAM,
    ).where(_original.c.id == SWITCH_PARAM, _original.c.verified_at.is_not(None)),
)
TRACK_ROLLBACK: Final = _rollback_switch.on_conflict_do_update(
    constraint="switches_key",
    set_={"due_at": case((switches.c.ended_at.is_(None), _rollback_switch.excluded.due_at))},
)
