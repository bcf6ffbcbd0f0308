"""Announcements to post to Slack; see `app.flow.notify.announce.AnnouncementRecord`."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import partial
from typing import Any, Final
from uuid import UUID

from app.db.database import Database
from app.db.leases import Leases
from app.db.mapping.rows import SELECT_GATE_VIEW, gate_view_from_row
from app.db.repositories.messages.channels import current_id
from app.flow.notify.announce import AnnouncementKind, DueAnnouncement
from app.flow.read_models import CardPlace

_SELECT, _FROM = SELECT_GATE_VIEW.split(" FROM gates g ", 1)
SELECT_CLAIMED: Final = f"""
{_SELECT}, {current_id("c.channel")} AS channel, c.ts, n.id AS announcement, n.kind AS announcement_kind,
    n.posting_since, {current_id("n.posting_channel")} AS posting_channel, n.posting_thread FROM gates g {_FROM}
JOIN announcements n ON n.gate_id = g.id LEFT JOIN cards c ON c.gate_id = g.id
WHERE n.id = ANY(:ids) ORDER BY n.id
"""
STORE_POST_INTENT: Final = """
UPDATE announcements SET posting_since = :now, posting_channel = :channel, posting_thread = :thread
WHERE id = :id AND claimed_by = :owner RETURNING 1
"""
STORE_POSTED: Final = """
UPDATE announcements SET ts = :ts, due_at = NULL, posting_since = NULL, claimed_by = NULL, claimed_until = NULL,
    last_error = NULL
WHERE id = :id AND claimed_by = :owner
"""
DELETE_ANNOUNCEMENT: Final = "DELETE FROM announcements WHERE id = :id AND claimed_by = :owner"
RESCHEDULE: Final = """
UPDATE announcements SET due_at = :due_at, claimed_by = NULL, claimed_until = NULL, last_error = :error,
    posting_since = CASE WHEN CAST(:uncertain AS boolean) THEN posting_since END
WHERE id = :id AND claimed_by = :owner
"""


class Announcements:
    """Announcements, leased by one replica."""

    def __init__(self, database: Database, owner: UUID) -> None:
        self._database = database
        self.leases = Leases(database, "announcements", owner)

    async def claim(self, *, now: datetime, limit: int) -> Sequence[DueAnnouncement]:
        """Leases announcements that are not posted."""
        claimed = await self.leases.claim(now=now, limit=limit)
        if not claimed:
            return []
        rows = await self._database.rows(SELECT_CLAIMED, ids=list(claimed))
        return await self.leases.build_readable(
            rows, partial(_due, claimed), key=lambda row: row.announcement
        )

    async def posting(self, due: DueAnnouncement, *, place: CardPlace, now: datetime) -> bool:
        """Stores the intent to post and the thread; False if the lease was lost."""
        values = {"id": due.id, "owner": self.leases.owner, "channel": place.channel, "thread": place.ts}
        return bool(await self._database.rows(STORE_POST_INTENT, **values, now=now))

    async def announced(self, due: DueAnnouncement, *, ts: str) -> None:
        """It was posted."""
        await self._database.rows(STORE_POSTED, id=due.id, owner=self.leases.owner, ts=ts)

    async def dismissed(self, due: DueAnnouncement) -> None:
        """It is obsolete and is not posted."""
        await self._database.rows(DELETE_ANNOUNCEMENT, id=due.id, owner=self.leases.owner)

    async def retry_later(
        self, due: DueAnnouncement, *, error: str, uncertain: bool, due_at: datetime
    ) -> None:
        """Reschedules it to `due_at`."""
        await self._database.rows(
            RESCHEDULE,
            id=due.id,
            owner=self.leases.owner,
            error=error[:500],
            uncertain=uncertain,
            due_at=due_at,
        )


def _due(claimed: Mapping[Any, int], row: Any) -> DueAnnouncement:
    return DueAnnouncement(
        attempts=claimed[row.announcement],
        id=row.announcement,
        kind=AnnouncementKind(row.announcement_kind),
        view=gate_view_from_row(row),
        place=CardPlace(channel=row.channel, ts=row.ts) if row.ts else None,
        posting_since=row.posting_since,
        tried=_tried(row),
    )


def _tried(row: Any) -> CardPlace | None:
    """Where a post was attempted. Older releases did not store it."""
    if row.posting_since is None or row.posting_channel is None:
        return None
    return CardPlace(channel=row.posting_channel, ts=row.posting_thread)
