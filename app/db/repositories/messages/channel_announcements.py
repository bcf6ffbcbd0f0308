"""Messages to post into channels; see `app.flow.notify.announce_in_channel.ChannelAnnouncementRepository`."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from functools import partial
from typing import Any, Final
from uuid import UUID

from sqlalchemy import (
    Boolean,
    Text,
    any_,
    bindparam,
    case,
    cast,
    delete,
    literal_column,
    null,
    or_,
    select,
    update,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB, insert
from sqlalchemy.ext.asyncio import AsyncConnection

from app.db.database import Database
from app.db.expressions import NOW_PARAM, ONE, is_one_of
from app.db.gate_view import GATE_VIEW, IS_AWAITING
from app.db.leases import NO_LEASE, Leases, is_leased, readable_rows
from app.db.mapping.rows import gate_view_from_row
from app.db.repositories.messages.channels import current_id
from app.db.statements import execute
from app.db.tables import cards, channel_announcements, gates, switches
from app.flow.freezes.freeze_acts import ActKind, FreezeAct
from app.flow.notify.announce_in_channel import DueChannelAnnouncement, WaitingGate
from app.flow.read_models import CardPlace
from app.gate.ids import DomainName
from app.gate.rules.freeze import Freeze, Span

MAX_WAITING: Final = 20
REQUEST: Final = insert(channel_announcements).from_select(
    ["kind", "channel", "detail", "written_at", "due_at"],
    select(
        bindparam("act", type_=Text),
        bindparam("to_channel", type_=Text),
        cast(bindparam("act_detail", type_=Text), JSONB),
        NOW_PARAM,
        NOW_PARAM,
    ),
)
SELECT_CLAIMED: Final = (
    select(
        channel_announcements.c.id,
        channel_announcements.c.kind,
        current_id(channel_announcements.c.channel).label("channel"),
        channel_announcements.c.detail,
        channel_announcements.c.written_at,
        channel_announcements.c.posting_since,
    )
    .where(is_one_of(channel_announcements.c.id, "ids"))
    .order_by(channel_announcements.c.id)
)
_DOMAINS: Final = bindparam("domains", type_=ARRAY(Text))
SELECT_WAITING: Final = (
    GATE_VIEW.add_columns(current_id(cards.c.channel).label("channel"), cards.c.ts)
    .outerjoin(cards, cards.c.gate_id == gates.c.id)
    .where(
        IS_AWAITING,
        switches.c.verified_at.is_not(None),
        or_(_DOMAINS.is_(None), switches.c.domain == any_(_DOMAINS)),
    )
    .order_by(gates.c.opened_at)
    .limit(literal_column(str(MAX_WAITING)))
)
STORE_POST_INTENT: Final = (
    update(channel_announcements)
    .where(is_leased("channel_announcements"))
    .values(posting_since=NOW_PARAM)
    .returning(ONE)
)
STORE_POSTED: Final = (
    update(channel_announcements)
    .where(is_leased("channel_announcements"))
    .values(**NO_LEASE, ts=bindparam("posted_ts"), due_at=null(), posting_since=null(), last_error=null())
)
DELETE: Final = delete(channel_announcements).where(is_leased("channel_announcements"))
RESCHEDULE: Final = (
    update(channel_announcements)
    .where(is_leased("channel_announcements"))
    .values(
        **NO_LEASE,
        due_at=bindparam("next_due_at"),
        last_error=bindparam("error"),
        posting_since=case((bindparam("uncertain", type_=Boolean), channel_announcements.c.posting_since)),
    )
)


async def request_in_channels(
    connection: AsyncConnection, act: FreezeAct, *, channels: Sequence[str], now: datetime
) -> None:
    """Requests one message in each channel, in the transaction of the act."""
    for channel in channels:
        values = {"act": act.kind, "to_channel": channel, "act_detail": json.dumps(_detail_of(act))}
        await execute(connection, REQUEST, {**values, "now": now})


class ChannelAnnouncements:
    """Messages for channels, leased by one replica."""

    def __init__(self, database: Database, owner: UUID) -> None:
        self._database = database
        self.leases = Leases(database, "channel_announcements", owner)

    async def claim(self, *, now: datetime, limit: int) -> Sequence[DueChannelAnnouncement]:
        """Leases messages that are not posted, each with the gates that wait."""
        claimed = await self.leases.claim(now=now, limit=limit)
        if not claimed:
            return []
        rows = await self._database.execute(SELECT_CLAIMED, ids=list(claimed))
        found = await self.leases.build_readable(rows, partial(_due, claimed), key=lambda row: row.id)
        return [await self._with_waiting(due) for due in found]

    async def mark_posting(self, due: DueChannelAnnouncement, *, now: datetime) -> bool:
        """Stores the intent to post; False if the lease was lost."""
        return bool(await self._database.execute(STORE_POST_INTENT, **self.leases.fence(due.id), now=now))

    async def mark_announced(self, due: DueChannelAnnouncement, *, ts: str) -> None:
        """It was posted."""
        await self._database.execute(STORE_POSTED, **self.leases.fence(due.id), posted_ts=ts)

    async def mark_dismissed(self, due: DueChannelAnnouncement) -> None:
        """It is not posted any more."""
        await self._database.execute(DELETE, **self.leases.fence(due.id))

    async def retry_later(
        self, due: DueChannelAnnouncement, *, error: str, uncertain: bool, due_at: datetime
    ) -> None:
        """Reschedules it to `due_at`."""
        values = {"error": error[:500], "uncertain": uncertain, "next_due_at": due_at}
        await self._database.execute(RESCHEDULE, **self.leases.fence(due.id), **values)

    async def _with_waiting(self, due: DueChannelAnnouncement) -> DueChannelAnnouncement:
        if due.act.kind is ActKind.DECLARED:
            return due
        domains = list(due.act.domains) if due.act.domains is not None else None
        rows = await self._database.execute(SELECT_WAITING, domains=domains)
        return replace(due, waiting=tuple(readable_rows(rows, _waiting)))


def _waiting(row: Any) -> WaitingGate:
    place = CardPlace(channel=row.channel, ts=row.ts) if row.ts else None
    return WaitingGate(view=gate_view_from_row(row), place=place)


def _due(claimed: Mapping[Any, int], row: Any) -> DueChannelAnnouncement:
    return DueChannelAnnouncement(
        attempts=claimed[row.id],
        id=row.id,
        channel=row.channel,
        act=_act_from(row.kind, row.detail),
        waiting=(),
        written_at=row.written_at,
        posting_since=row.posting_since,
    )


def _detail_of(act: FreezeAct) -> dict[str, Any]:
    freezes = [
        {
            "id": freeze.id,
            "reason": freeze.reason,
            "by": freeze.by,
            "start": freeze.when.start.isoformat(),
            "end": freeze.when.end.isoformat(),
        }
        for freeze in act.freezes
        if isinstance(freeze.when, Span)
    ]
    return {"freezes": freezes, "domains": act.domains, "by": act.by}


def _act_from(kind: str, detail: Mapping[str, Any]) -> FreezeAct:
    domains = detail["domains"]
    return FreezeAct(
        kind=ActKind(kind),
        freezes=tuple(map(_freeze_from, detail["freezes"])),
        domains=tuple(map(DomainName, domains)) if domains is not None else None,
        by=detail["by"],
    )


def _freeze_from(stored: Mapping[str, Any]) -> Freeze:
    start, end = (datetime.fromisoformat(stored[name]) for name in ("start", "end"))
    return Freeze(id=stored["id"], reason=stored["reason"], by=stored["by"], when=Span(start=start, end=end))
