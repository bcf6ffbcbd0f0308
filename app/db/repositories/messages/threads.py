"""Threads: up to which audit event each was posted."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import partial
from typing import Any, Final
from uuid import UUID

import structlog
from sqlalchemy import (
    Boolean,
    Integer,
    bindparam,
    case,
    func,
    literal_column,
    null,
    or_,
    select,
    update,
)
from sqlalchemy.dialects.postgresql import JSONB, aggregate_order_by

from app.db.audit_table import audit_events
from app.db.database import Database
from app.db.expressions import GATE_PARAM, NOW_PARAM, ONE, is_one_of
from app.db.gate_view import GATE_VIEW, as_json
from app.db.leases import NO_LEASE, Leases, is_leased
from app.db.mapping.rows import gate_view_from_row
from app.db.repositories.messages.card_place import CARD_PLACE, CARD_TS, IS_SHOWING, SHOWING
from app.db.repositories.messages.channels import CHANNEL_FACTS, Channels, current_id
from app.db.tables import cards, gates, switches, threads
from app.flow.audit_events import Actor, ActorKind, Event, Kind, current_detail, known_kind
from app.flow.notify.post_timeline import DueThread, PendingPost, TimelineEntry
from app.flow.read_models import CardPlace
from app.gate.ids import DomainName, GateId, SwitchKey

log = structlog.get_logger(__name__)

MAX_EVENTS: Final = 200

_unposted = (
    select(
        *(audit_events.c[name] for name in ("seq", "at", "kind", "domain", "gate_id")),
        *(audit_events.c[name] for name in ("actor_kind", "actor", "actor_name", "detail")),
    )
    .where(
        audit_events.c.account == switches.c.account,
        audit_events.c.region == switches.c.region,
        audit_events.c.deployment_id == switches.c.deployment_id,
        audit_events.c.seq > threads.c.last_posted_seq,
        or_(audit_events.c.gate_id.is_(None), audit_events.c.gate_id == gates.c.id),
    )
    .order_by(audit_events.c.seq)
    .limit(literal_column(str(MAX_EVENTS)))
    .correlate(switches, threads, gates)
    .subquery("unposted")
)
# A gate that another one's card shows has its timeline in that card's thread.
SELECT_CLAIMED: Final = (
    GATE_VIEW.add_columns(
        *CARD_PLACE,
        threads.c.posting_seq,
        threads.c.posting_since,
        current_id(threads.c.posting_channel).label("posting_channel"),
        threads.c.posting_thread,
        threads.c.due_at.label("thread_due_at"),
        *CHANNEL_FACTS,
        select(func.jsonb_agg(aggregate_order_by(as_json(_unposted), _unposted.c.seq), type_=JSONB))
        .scalar_subquery()
        .label("events"),
    )
    .join(threads, threads.c.gate_id == gates.c.id)
    .join(cards, cards.c.gate_id == gates.c.id)
    .outerjoin(SHOWING, IS_SHOWING)
    .where(is_one_of(gates.c.id, "gates"), CARD_TS.is_not(None))
)
_UNCERTAIN: Final = bindparam("uncertain", type_=Boolean)
STORE_POST_INTENT: Final = (
    update(threads)
    .where(is_leased("threads"))
    .values(
        posting_seq=bindparam("next_seq"),
        posting_since=bindparam("since"),
        posting_channel=bindparam("channel"),
        posting_thread=bindparam("thread"),
    )
    .returning(ONE)
)
STORE_POSTED: Final = (
    update(threads)
    .where(is_leased("threads"))
    .values(last_posted_seq=bindparam("posted_seq"), posting_seq=null(), posting_since=null())
)
# The card shows that the channel is unreachable.
INVALIDATE_CARD: Final = (
    update(cards).where(cards.c.gate_id == GATE_PARAM, cards.c.due_at.is_(None)).values(due_at=NOW_PARAM)
)
STORE_ALL_POSTED: Final = (
    update(threads)
    .where(is_leased("threads"))
    .values(
        **NO_LEASE,
        last_posted_seq=func.greatest(threads.c.last_posted_seq, bindparam("posted_seq", type_=Integer)),
        posting_seq=null(),
        posting_since=null(),
        attempts=0,
        last_error=null(),
        due_at=case((threads.c.due_at.is_distinct_from(bindparam("was_due")), threads.c.due_at)),
    )
)
RESCHEDULE: Final = (
    update(threads)
    .where(is_leased("threads"))
    .values(
        **NO_LEASE,
        due_at=bindparam("next_due_at"),
        last_error=bindparam("error"),
        posting_seq=case((_UNCERTAIN, threads.c.posting_seq)),
        posting_since=case((_UNCERTAIN, threads.c.posting_since)),
    )
)


class Threads:
    """Threads, leased by one replica; see `app.flow.notify.post_timeline.ThreadRepository`."""

    def __init__(self, database: Database, owner: UUID) -> None:
        self._database = database
        self._channels = Channels(database)
        self.leases = Leases(database, "threads", owner)

    async def claim(self, *, now: datetime, limit: int) -> Sequence[DueThread]:
        """Leases threads with possibly unposted events."""
        claimed = await self.leases.claim(now=now, limit=limit)
        if not claimed:
            return []
        rows = await self._database.execute(SELECT_CLAIMED, gates=list(claimed))
        return await self.leases.build_readable(rows, partial(_due, claimed), key=lambda row: row.id)

    async def mark_posting(self, due: DueThread, *, tried: PendingPost) -> bool:
        """Stores the intent to post, before the call to Slack. False: the lease is lost."""
        values = {
            "next_seq": tried.seq,
            "since": tried.since,
            "channel": tried.channel,
            "thread": tried.thread,
        }
        return bool(
            await self._database.execute(STORE_POST_INTENT, **self.leases.fence(due.view.id), **values)
        )

    async def mark_skipped(
        self, due: DueThread, *, seq: int, channel: str, problem: str, now: datetime
    ) -> None:
        """Skips a message for a channel that accepts none; the card shows it."""
        log.warning("channel_skipped", channel=channel, problem=problem, gate=str(due.view.id))
        await self._channels.closed(channel, problem=problem, now=now)
        await self.mark_posted(due, seq=seq)
        await self._database.execute(INVALIDATE_CARD, gate=due.view.id, now=now)

    async def mark_posted(self, due: DueThread, *, seq: int) -> None:
        """The thread contains everything up to `seq`."""
        await self._database.execute(STORE_POSTED, **self.leases.fence(due.view.id), posted_seq=seq)

    async def mark_caught_up(self, due: DueThread, *, seq: int) -> None:
        """Everything known at the claim is posted."""
        await self._database.execute(
            STORE_ALL_POSTED, **self.leases.fence(due.view.id), posted_seq=seq, was_due=due.due_at
        )

    async def retry_later(self, due: DueThread, *, error: str, uncertain: bool, due_at: datetime) -> None:
        """Reschedules the thread to `due_at`; `uncertain`: the post may have arrived."""
        values = {"error": error[:500], "uncertain": uncertain, "next_due_at": due_at}
        await self._database.execute(RESCHEDULE, **self.leases.fence(due.view.id), **values)


def _due(claimed: Mapping[Any, int], row: Any) -> DueThread:
    return DueThread(
        attempts=claimed[row.id],
        view=gate_view_from_row(row),
        place=CardPlace(channel=row.channel, ts=row.ts),
        entries=tuple(_entry(stored, row) for stored in row.events or () if known_kind(stored["kind"])),
        tried=_tried(row),
        due_at=row.thread_due_at,
        id_changes=row.id_changes or {},
    )


def _tried(row: Any) -> PendingPost | None:
    """The attempted post. Older releases posted in the card's thread."""
    if row.posting_seq is None:
        return None
    return PendingPost(
        seq=row.posting_seq,
        since=row.posting_since,
        channel=row.posting_channel or row.channel,
        thread=row.posting_thread if row.posting_channel else row.ts,
    )


def _entry(stored: Mapping[str, Any], row: Any) -> TimelineEntry:
    event = Event(
        at=datetime.fromisoformat(stored["at"]),
        kind=Kind(stored["kind"]),
        switch=SwitchKey(account=row.account, region=row.region, deployment=row.deployment_id),
        actor=Actor(kind=ActorKind(stored["actor_kind"]), id=stored["actor"], name=stored["actor_name"]),
        domain=DomainName(stored["domain"]) if stored["domain"] else None,
        gate=GateId(UUID(stored["gate_id"])) if stored["gate_id"] else None,
        detail=current_detail(Kind(stored["kind"]), stored["detail"]),
    )
    return TimelineEntry(seq=stored["seq"], event=event)
