"""Members of user groups and users, as last read from Slack; see `app.flow.ports.membership.MembershipRecord`."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from app.db.database import Database
from app.flow.ports.membership import Membership

SELECT_ALL: Final = "SELECT entry, members, last_synced_at FROM memberships WHERE last_synced_at IS NOT NULL"
CLAIM_REFRESH: Final = """
INSERT INTO memberships (entry, requested_at)
SELECT entry, :now FROM unnest(CAST(:entries AS text[])) AS entry ORDER BY entry
ON CONFLICT (entry) DO UPDATE SET requested_at = excluded.requested_at
    WHERE (memberships.last_synced_at IS NULL OR memberships.last_synced_at < :stale_before)
        AND memberships.requested_at < :requested_before
RETURNING entry
"""
UPSERT_MEMBERSHIP: Final = """
INSERT INTO memberships (entry, members, last_synced_at, requested_at)
VALUES (:entry, CAST(:members AS text[]), :last_synced_at, :last_synced_at)
ON CONFLICT (entry) DO UPDATE SET members = excluded.members, last_synced_at = excluded.last_synced_at
    WHERE memberships.last_synced_at IS NULL OR memberships.last_synced_at < excluded.last_synced_at
"""


class Memberships:
    def __init__(self, database: Database) -> None:
        self._database = database

    async def all(self) -> Sequence[Membership]:
        rows = await self._database.rows(SELECT_ALL)
        return [
            Membership(entry=row.entry, members=tuple(row.members), last_synced_at=row.last_synced_at)
            for row in rows
        ]

    async def claim(
        self, entries: Sequence[str], *, stale_before: datetime, requested_before: datetime, now: datetime
    ) -> Sequence[str]:
        """The entries that this replica alone is to refresh now."""
        rows = await self._database.rows(
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
            await self._database.rows(
                UPSERT_MEMBERSHIP,
                entry=one.entry,
                members=list(one.members),
                last_synced_at=one.last_synced_at,
            )
