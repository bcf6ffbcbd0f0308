"""Who acted: everybody in the audit trail, with the name that they had last."""

from collections.abc import Sequence
from typing import Final

from app.db.database import Database
from app.db.queries.audit_filter import AuditActor

# A loose index scan over `audit_by_actor`: one look-up per actor, whatever the number of events.
SELECT_AUDIT_ACTORS: Final = """
WITH RECURSIVE actors AS (
    (SELECT actor FROM audit_events WHERE actor IS NOT NULL ORDER BY actor LIMIT 1)
    UNION ALL
    SELECT (SELECT e.actor FROM audit_events e WHERE e.actor > a.actor ORDER BY e.actor LIMIT 1)
    FROM actors a WHERE a.actor IS NOT NULL
)
SELECT a.actor, last.actor_name FROM actors a CROSS JOIN LATERAL (
    SELECT e.actor_name, e.actor_kind FROM audit_events e WHERE e.actor = a.actor ORDER BY e.at DESC, e.id DESC LIMIT 1
) last
WHERE a.actor IS NOT NULL AND last.actor_kind = 'person'
"""


async def audit_actors(database: Database) -> Sequence[AuditActor]:
    """Everybody who acted."""
    return [
        AuditActor(row.actor, row.actor_name or row.actor) for row in await database.rows(SELECT_AUDIT_ACTORS)
    ]
