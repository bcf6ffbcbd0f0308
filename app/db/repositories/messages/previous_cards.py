"""Updates the card of a domain's previous switch: while a later switch is in progress it offers no undo.

The update runs separately, because a transaction that opens, verifies or ends a switch must not wait for rows of
another one.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from app.db.database import Database
from app.db.invalidate_cards import invalidate_cards
from app.gate.ids import DomainName

SELECT_STALE: Final = """
SELECT id, domain, previous_stale_since AS since FROM switches
WHERE previous_stale_since IS NOT NULL AND id <> ALL(:skip) ORDER BY previous_stale_since LIMIT :limit
"""
GATES_OF_PREVIOUS_SWITCH: Final = """switch_id = ANY(ARRAY(
    SELECT o.id FROM switches o
    WHERE o.domain = CAST(:domain AS text) AND -o.id > -CAST(:before AS bigint) AND o.status = 'Succeeded'
    ORDER BY -o.id LIMIT 1
))"""
INVALIDATE_PREVIOUS_CARD: Final = f"WITH {invalidate_cards(GATES_OF_PREVIOUS_SWITCH)} SELECT 1"
# It may have become stale again meanwhile.
CLEAR_STALE: Final = (
    "UPDATE switches SET previous_stale_since = NULL WHERE id = :id AND previous_stale_since = :since"
)


@dataclass(frozen=True, kw_only=True, slots=True)
class StalePrevious:
    """A switch since whose last change the card of its domain's previous switch was not redrawn."""

    id: int
    domain: DomainName | None
    since: datetime


class PreviousCards:
    """Cards that a later switch has made stale."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def stale(self, *, limit: int, skip: Sequence[int]) -> Sequence[StalePrevious]:
        """The longest stale first."""
        rows = await self._database.rows(SELECT_STALE, limit=limit, skip=list(skip))
        return [
            StalePrevious(id=row.id, domain=DomainName(row.domain) if row.domain else None, since=row.since)
            for row in rows
        ]

    async def redraw(self, stale: StalePrevious, *, now: datetime) -> None:
        """Invalidates the card. Idempotent; each statement in a transaction of its own."""
        await self._database.rows(INVALIDATE_PREVIOUS_CARD, domain=stale.domain, before=stale.id, now=now)
        await self._database.rows(CLEAR_STALE, id=stale.id, since=stale.since)
