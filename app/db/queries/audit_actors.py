"""Who acted: everybody and everything in the audit trail, with the name that they had last."""

from collections.abc import Sequence
from typing import Final

from sqlalchemy import Text, bindparam, func, select, true

from app.db.audit_table import audit_events
from app.db.database import Database
from app.db.expressions import ONE
from app.db.queries.audit_filter import AuditActor

# A loose index scan over `audit_by_actor`: one look-up per actor, whatever the number of events.
_event = audit_events.alias("event")
_first = (
    select(audit_events.c.actor)
    .where(audit_events.c.actor.is_not(None))
    .order_by(audit_events.c.actor)
    .limit(ONE)
    .cte("actors", recursive=True)
)
_next = (
    select(_event.c.actor)
    .where(_event.c.actor > _first.c.actor)
    .order_by(_event.c.actor)
    .limit(ONE)
    .correlate(_first)
    .scalar_subquery()
)
_actors = _first.union_all(select(_next).where(_first.c.actor.is_not(None)))
_last = (
    select(_event.c.actor_name)
    .where(_event.c.actor == _actors.c.actor)
    .order_by(_event.c.at.desc(), _event.c.id.desc())
    .limit(ONE)
    .lateral("last")
)
SELECT_AUDIT_ACTORS: Final = (
    select(_actors.c.actor, _last.c.actor_name).join(_last, true()).where(_actors.c.actor.is_not(None))
)

SELECT_EVER_NAMED: Final = (
    select(audit_events.c.actor, audit_events.c.actor_name)
    .where(
        audit_events.c.actor.is_not(None),
        func.lower(audit_events.c.actor_name) == func.lower(bindparam("name", type_=Text)),
    )
    .distinct()
)


async def audit_actors(database: Database) -> Sequence[AuditActor]:
    """Everybody who acted: people, and callers of the API and of hooks under the names of their tokens and keys."""
    return [
        AuditActor(row.actor, row.actor_name or row.actor)
        for row in await database.execute(SELECT_AUDIT_ACTORS)
    ]


async def audit_actors_ever_named(database: Database, name: str) -> Sequence[AuditActor]:
    """Those who acted under this name at some time. No index has names: it reads the whole trail."""
    rows = await database.execute(SELECT_EVER_NAMED, name=" ".join(name.split()))
    return list({row.actor: AuditActor(row.actor, row.actor_name) for row in rows}.values())
