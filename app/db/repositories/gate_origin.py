"""Reads about a held gate that few requests need: whether an undo of ours makes its deployment, and who withdrew it."""

from typing import Final

from sqlalchemy import Uuid, and_, bindparam, exists, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from app.db.audit_table import audit_events
from app.db.expressions import GATE_PARAM, ONE
from app.db.statements import execute
from app.db.tables import interventions, switches
from app.flow.audit_events import ActorKind, Kind
from app.flow.read_models import GateView
from app.flow.undo.execute_intervention import undo_named_in
from app.gate.people import Build

_original = switches.alias("original")

SELECT_MAKING_UNDO: Final = select(
    exists(select(interventions.c.id))
    .where(
        _original.c.id == interventions.c.switch_id,
        _original.c.account == bindparam("account"),
        _original.c.region == bindparam("region"),
        interventions.c.kind == "redeploy",
        or_(
            interventions.c.deployment_id == bindparam("deployment"),
            and_(
                interventions.c.id == bindparam("undo", type_=Uuid),
                interventions.c.phase == "requested",
                interventions.c.deployment_id.is_(None),
            ),
        ),
    )
    .label("found")
)
SELECT_WITHDRAWAL: Final = (
    select(audit_events.c.id)
    .where(
        audit_events.c.deployment_id == bindparam("deployment"),
        audit_events.c.gate_id == GATE_PARAM,
        audit_events.c.kind == Kind.GATE_WITHDRAWN,
        audit_events.c.actor_kind == ActorKind.API,
        audit_events.c.actor == bindparam("token"),
        audit_events.c.actor_name == bindparam("build"),
    )
    .limit(ONE)
)


async def is_made_by_an_undo(connection: AsyncConnection, view: GateView) -> bool:
    """Also while the answer of CodeDeploy, which names the deployment, is not stored yet."""
    key = view.switch.key
    values = {
        "deployment": key.deployment,
        "account": key.account,
        "region": key.region,
        "undo": undo_named_in(view.switch.description or ""),
    }
    (row,) = await execute(connection, SELECT_MAKING_UNDO, values)
    return bool(row.found)


async def was_withdrawn_by(connection: AsyncConnection, view: GateView, build: Build) -> bool:
    """Whether the audit trail has this token's withdrawal of the gate for this build."""
    values = {
        "deployment": view.switch.key.deployment,
        "gate": view.id,
        "token": build.token,
        "build": build.name,
    }
    return bool(await execute(connection, SELECT_WITHDRAWAL, values))
