"""Announcements to post to Slack; see `app.flow.notify.announce.AnnouncementRepository`."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import partial
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Boolean, Text, bindparam, case, delete, func, null, select, update
from sqlalchemy.dialects.postgresql import insert

from app.db.database import Database
from app.db.expressions import NOW_PARAM, ONE, is_one_of
from app.db.gate_view import GATE_VIEW
from app.db.leases import NO_LEASE, Leases, is_leased
from app.db.mapping.rows import gate_view_from_row
from app.db.repositories.messages.card_place import CARD_PLACE, IS_SHOWING, SHOWING
from app.db.repositories.messages.channels import current_id
from app.db.tables import announcements, cards, gates
from app.flow.notify.announcement import Destination, DueAnnouncement
from app.flow.notify.announcement_kinds import AnnouncementKind
from app.flow.read_models import CardPlace

SELECT_CLAIMED: Final = (
    GATE_VIEW.add_columns(
        *CARD_PLACE,
        announcements.c.id.label("announcement"),
        announcements.c.kind.label("announcement_kind"),
        announcements.c.written_at,
        announcements.c.posting_since,
        current_id(announcements.c.channel).label("other_channel"),
        current_id(announcements.c.posting_channel).label("posting_channel"),
        announcements.c.posting_thread,
    )
    .join(announcements, announcements.c.gate_id == gates.c.id)
    .outerjoin(cards, cards.c.gate_id == gates.c.id)
    .outerjoin(SHOWING, IS_SHOWING)
    .where(is_one_of(announcements.c.id, "ids"))
    .order_by(announcements.c.id)
)
STORE_POST_INTENT: Final = (
    update(announcements)
    .where(is_leased("announcements"))
    .values(
        posting_since=NOW_PARAM, posting_channel=bindparam("to_channel"), posting_thread=bindparam("thread")
    )
    .returning(ONE)
)
STORE_POSTED: Final = (
    update(announcements)
    .where(is_leased("announcements"))
    .values(**NO_LEASE, ts=bindparam("posted_ts"), due_at=null(), posting_since=null(), last_error=null())
)
_there: Final = bindparam("next_channel", type_=Text)
# The subject keeps it apart from the announcement in the card's thread.
REQUEST_ELSEWHERE: Final = (
    insert(announcements)
    .from_select(
        ["gate_id", "kind", "subject", "channel", "written_at", "due_at"],
        select(
            announcements.c.gate_id,
            announcements.c.kind,
            func.concat(announcements.c.subject, "@", _there),
            _there,
            announcements.c.written_at,
            NOW_PARAM,
        ).where(is_leased("announcements")),
    )
    .on_conflict_do_nothing(constraint="announcements_key")
)
DELETE_ANNOUNCEMENT: Final = delete(announcements).where(is_leased("announcements"))
RESCHEDULE: Final = (
    update(announcements)
    .where(is_leased("announcements"))
    .values(
        **NO_LEASE,
        due_at=bindparam("next_due_at"),
        last_error=bindparam("error"),
        posting_since=case((bindparam("uncertain", type_=Boolean), announcements.c.posting_since)),
    )
)


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
        rows = await self._database.execute(SELECT_CLAIMED, ids=list(claimed))
        return await self.leases.build_readable(
            rows, partial(_due, claimed), key=lambda row: row.announcement
        )

    async def mark_posting(self, due: DueAnnouncement, *, to: Destination, now: datetime) -> bool:
        """Stores the intent to post and the destination; False if the lease was lost."""
        values = {"to_channel": to.channel, "thread": to.thread, "now": now}
        return bool(await self._database.execute(STORE_POST_INTENT, **self.leases.fence(due.id), **values))

    async def mark_announced(self, due: DueAnnouncement, *, ts: str) -> None:
        """It was posted."""
        await self._database.execute(STORE_POSTED, **self.leases.fence(due.id), posted_ts=ts)

    async def request_elsewhere(self, due: DueAnnouncement, *, channel: str, now: datetime) -> None:
        """Requests the same announcement in another channel, once."""
        values = {"next_channel": channel, "now": now}
        await self._database.execute(REQUEST_ELSEWHERE, **self.leases.fence(due.id), **values)

    async def mark_dismissed(self, due: DueAnnouncement) -> None:
        """It is obsolete and is not posted."""
        await self._database.execute(DELETE_ANNOUNCEMENT, **self.leases.fence(due.id))

    async def retry_later(
        self, due: DueAnnouncement, *, error: str, uncertain: bool, due_at: datetime
    ) -> None:
        """Reschedules it to `due_at`."""
        values = {"error": error[:500], "uncertain": uncertain, "next_due_at": due_at}
        await self._database.execute(RESCHEDULE, **self.leases.fence(due.id), **values)


def _due(claimed: Mapping[Any, int], row: Any) -> DueAnnouncement:
    return DueAnnouncement(
        attempts=claimed[row.announcement],
        id=row.announcement,
        kind=AnnouncementKind(row.announcement_kind),
        view=gate_view_from_row(row),
        place=CardPlace(channel=row.channel, ts=row.ts) if row.ts else None,
        written_at=row.written_at,
        posting_since=row.posting_since,
        tried=_tried(row),
        channel=row.other_channel,
    )


def _tried(row: Any) -> Destination | None:
    """Where a post was attempted. Older releases did not store it."""
    if row.posting_since is None or row.posting_channel is None:
        return None
    return Destination(channel=row.posting_channel, thread=row.posting_thread)
