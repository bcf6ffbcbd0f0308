"""Members of user groups and users, as last read from Slack; see `app.flow.ports.membership.MembershipRecord`."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from app.db.database import Database
from app.flow.ports.membership import Membership

SELECT_ALL: Final = "SELECT entry, members, heard_at FROM memberships WHERE heard_at IS NOT NULL"
CLAIM_REFRESH: Final = """
INSERT INTO memberships (entry, asked_at)
SELECT entry, :now FROM unnest(CAST(:entries AS text[])) AS entry ORDER BY entry
ON CONFLICT (entry) DO UPDATE SET asked_at = excluded.asked_at
    WHERE (memberships.heard_at IS NULL OR memberships.heard_at < :stale_before)
        AND memberships.asked_at < :asked_before
RETURNING entry
"""
UPSERT_MEMBERSHIP: Final = """
INSERT INTO memberships (entry, members, heard_at, asked_at)
VALUES (:entry, CAST(:members AS text[]), :heard_at, :heard_at)
ON CONFLICT (entry) DO UPDATE SET members = excluded.members, heard_at = excluded.heard_at
    WHERE memberships.heard_at IS NULL OR memberships.heard_at < excluded.heard_at
"""


class Memberships:
    def __init__(self, database: Database) -> None:
        self._database = database

    async def all(self) -> Sequence[Membership]:
        rows = await self._database.rows(SELECT_ALL)
        return [
            Membership(entry=row.entry, members=tuple(row.members), last_synced_at=row.heard_at)
            for row in rows
        ]

    async def claim(
        self, entries: Sequence[str], *, stale_before: datetime, asked_before: datetime, now: datetime
    ) -> Sequence[str]:
        """The entries that this replica alone is to refresh now."""
        rows = await self._database.rows(
            CLAIM_REFRESH,
            entries=list(entries),
            stale_before=stale_before,
            asked_before=asked_before,
            now=now,
        )
        return [row.entry for row in rows]

    async def store(self, memberships: Sequence[Membership]) -> None:
        """Keeps the newer of what is stored and what is given."""
        for one in memberships:
            await self._database.rows(
                UPSERT_MEMBERSHIP, entry=one.entry, members=list(one.members), heard_at=one.last_synced_at
            )
