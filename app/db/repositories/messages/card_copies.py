"""Second copies of cards, until they are removed; see `app.flow.notify.remove_card_copy.CopyRecord`."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final
from uuid import UUID

from app.db.database import Database
from app.db.leases import Leases
from app.db.repositories.messages.channels import current_id
from app.flow.notify.remove_card_copy import DueCopy
from app.flow.read_models import CardPlace
from app.gate.ids import GateId

SELECT_CLAIMED: Final = f"""
SELECT id, gate_id, {current_id("channel")} AS channel, ts, found_at FROM card_copies WHERE id = ANY(:ids)
"""
STORE_REMOVED: Final = (
    "UPDATE card_copies SET due_at = NULL, claimed_by = NULL, claimed_until = NULL WHERE id = :id"
)
RESCHEDULE: Final = """
UPDATE card_copies SET due_at = :due_at, claimed_by = NULL, claimed_until = NULL, last_error = :error
WHERE id = :id AND claimed_by = :owner
"""


class CardCopies:
    """Card copies, leased by one replica."""

    def __init__(self, database: Database, owner: UUID) -> None:
        self._database = database
        self.leases = Leases(database, "card_copies", owner)

    async def claim(self, *, now: datetime, limit: int) -> Sequence[DueCopy]:
        """Leases copies that are to be removed."""
        claimed = await self.leases.claim(now=now, limit=limit)
        if not claimed:
            return []
        return [
            DueCopy(
                attempts=claimed[row.id],
                id=row.id,
                gate=GateId(row.gate_id),
                place=CardPlace(channel=row.channel, ts=row.ts),
                found_at=row.found_at,
            )
            for row in await self._database.rows(SELECT_CLAIMED, ids=list(claimed))
        ]

    async def copy_removed(self, due: DueCopy) -> None:
        """There is nothing left to do. The row stays, so that the same copy is not listed anew."""
        await self._database.rows(STORE_REMOVED, id=due.id)

    async def retry_later(self, due: DueCopy, *, error: str, due_at: datetime) -> None:
        """Reschedules it to `due_at`."""
        await self._database.rows(
            RESCHEDULE, id=due.id, owner=self.leases.owner, error=error[:500], due_at=due_at
        )
