"""Second copies of cards, until they are removed; see `app.flow.notify.remove_card_copy.CopyRepository`."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy import bindparam, null, select, update

from app.db.database import Database
from app.db.expressions import is_one_of
from app.db.leases import NO_LEASE, Leases, is_leased
from app.db.repositories.messages.channels import current_id
from app.db.tables import card_copies
from app.flow.notify.remove_card_copy import DueCopy
from app.flow.read_models import CardPlace
from app.gate.ids import GateId

SELECT_CLAIMED: Final = select(
    card_copies.c.id,
    card_copies.c.gate_id,
    current_id(card_copies.c.channel).label("channel"),
    card_copies.c.ts,
    card_copies.c.found_at,
).where(is_one_of(card_copies.c.id, "ids"))
STORE_REMOVED: Final = (
    update(card_copies).where(card_copies.c.id == bindparam("copy")).values(**NO_LEASE, due_at=null())
)
RESCHEDULE: Final = (
    update(card_copies)
    .where(is_leased("card_copies"))
    .values(**NO_LEASE, due_at=bindparam("next_due_at"), last_error=bindparam("error"))
)


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
            for row in await self._database.execute(SELECT_CLAIMED, ids=list(claimed))
        ]

    async def mark_removed(self, due: DueCopy) -> None:
        """There is nothing left to do. The row stays, so that the same copy is not listed anew."""
        await self._database.execute(STORE_REMOVED, copy=due.id)

    async def retry_later(self, due: DueCopy, *, error: str, due_at: datetime) -> None:
        """Reschedules it to `due_at`."""
        await self._database.execute(
            RESCHEDULE, **self.leases.fence(due.id), error=error[:500], next_due_at=due_at
        )
