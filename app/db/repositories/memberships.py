"""Members of user groups and users, as last read from Slack; see `app.flow.ports.membership.MembershipRepository`."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from sqlalchemy import Text, and_, bindparam, func, or_, select
from sqlalchemy.dialects.postgresql import ARRAY, insert

from app.db.database import Database
from app.db.expressions import NOW_PARAM
from app.db.tables import memberships
from app.flow.ports.membership import Membership

SELECT_ALL: Final = select(memberships).where(memberships.c.last_synced_at.is_not(None))

_ENTRIES: Final = func.unnest(bindparam("entries", type_=ARRAY(Text))).column_valued("entry")
_claim = insert(memberships).from_select(
    ["entry", "requested_at"], select(_ENTRIES, NOW_PARAM).order_by(_ENTRIES)
)
CLAIM_REFRESH: Final = _claim.on_conflict_do_update(
    index_elements=[memberships.c.entry],
    set_={"requested_at": _claim.excluded.requested_at},
    where=and_(
        or_(
            memberships.c.last_synced_at.is_(None),
            memberships.c.last_synced_at < bindparam("stale_before"),
        ),
        memberships.c.requested_at < bindparam("requested_before"),
    ),
).returning(memberships.c.entry)

_upsert = insert(memberships)
UPSERT_MEMBERSHIP: Final = _upsert.on_conflict_do_update(
    index_elements=[memberships.c.entry],
    set_={"members": _upsert.excluded.members, "last_synced_at": _upsert.excluded.last_synced_at},
    where=or_(
        memberships.c.last_synced_at.is_(None),
        memberships.c.last_synced_at < _upsert.excluded.last_synced_at,
    ),
)


class Memberships:
    def __init__(self, database: Database) -> None:
        self._database = database

    async def all(self) -> Sequence[Membership]:
        rows = await self._database.execute(SELECT_ALL)
        return [
            Membership(entry=row.entry, members=tuple(row.members), last_synced_at=row.last_synced_at)
            for row in rows
        ]

    async def claim(
        self, entries: Sequence[str], *, stale_before: datetime, requested_before: datetime, now: datetime
    ) -> Sequence[str]:
        """The entries that this replica alone is to refresh now."""
        rows = await self._database.execute(
            CLAIM_REFRESH,
            entries=list(entries),
            stale_before=stale_before,
            requested_before=requested_before,
            now=now,
        )
        return [row.entry for row in rows]

    async def store(self, memberships: Sequence[Membership]) -> None:
        """Keeps the newer of what is stored and what is given."""
        for one in memberships:
            await self._database.execute(
                UPSERT_MEMBERSHIP,
                entry=one.entry,
                members=list(one.members),
                last_synced_at=one.last_synced_at,
                requested_at=one.last_synced_at,
            )
