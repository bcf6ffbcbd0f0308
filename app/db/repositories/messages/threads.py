"""Threads: up to which audit event each was posted."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import partial
from typing import Any, Final
from uuid import UUID

import structlog

from app.db.database import Database
from app.db.leases import Leases
from app.db.mapping.rows import SELECT_GATE_VIEW, gate_view_from_row
from app.db.repositories.messages.channels import CHANNEL_FACTS, Channels, current_id
from app.flow.audit_events import Actor, ActorKind, Event, Kind
from app.flow.notify.post_timeline import DueThread, PendingPost, TimelineEntry
from app.flow.read_models import CardPlace
from app.gate.ids import DomainName, GateId, SwitchKey

log = structlog.get_logger(__name__)

_SELECT, _FROM = SELECT_GATE_VIEW.split(" FROM gates g ", 1)
MAX_EVENTS: Final = 200
SELECT_CLAIMED: Final = f"""
{_SELECT}, {current_id("c.channel")} AS channel, c.ts, t.posting_seq, t.posting_since,
    {current_id("t.posting_channel")} AS posting_channel, t.posting_thread, t.due_at AS thread_due_at, {CHANNEL_FACTS},
    (SELECT coalesce(jsonb_agg(to_jsonb(e) - 'hash' ORDER BY e.seq), '[]') FROM (
        SELECT * FROM audit_events a
        WHERE a.account = s.account AND a.region = s.region AND a.deployment_id = s.deployment_id
            AND a.seq > t.last_posted_seq AND (a.gate_id IS NULL OR a.gate_id = g.id)
        ORDER BY a.seq LIMIT {MAX_EVENTS}
    ) e) AS happened
FROM gates g {_FROM} JOIN threads t ON t.gate_id = g.id JOIN cards c ON c.gate_id = g.id
WHERE g.id = ANY(:gates) AND c.ts IS NOT NULL
"""
WHERE_LEASED: Final = "WHERE gate_id = :gate AND claimed_by = :owner"
STORE_POST_INTENT: Final = f"""
UPDATE threads SET posting_seq = :seq, posting_since = :since, posting_channel = :channel, posting_thread = :thread
{WHERE_LEASED} RETURNING 1
"""
STORE_POSTED: Final = (
    f"UPDATE threads SET last_posted_seq = :seq, posting_seq = NULL, posting_since = NULL {WHERE_LEASED}"
)
# The card shows that the channel is unreachable.
INVALIDATE_CARD: Final = "UPDATE cards SET due_at = :now WHERE gate_id = :gate AND due_at IS NULL"
STORE_ALL_POSTED: Final = f"""
UPDATE threads SET last_posted_seq = GREATEST(last_posted_seq, :seq), posting_seq = NULL, posting_since = NULL,
    attempts = 0, claimed_by = NULL, claimed_until = NULL, last_error = NULL,
    due_at = CASE WHEN due_at IS DISTINCT FROM CAST(:was_due AS timestamptz) THEN due_at END
{WHERE_LEASED}
"""
RESCHEDULE: Final = f"""
UPDATE threads SET due_at = :due_at, claimed_by = NULL, claimed_until = NULL, last_error = :error,
    posting_seq = CASE WHEN CAST(:uncertain AS boolean) THEN posting_seq END,
    posting_since = CASE WHEN CAST(:uncertain AS boolean) THEN posting_since END
{WHERE_LEASED}
"""


class Threads:
    """Threads, leased by one replica; see `app.flow.notify.post_timeline.ThreadRecord`."""

    def __init__(self, database: Database, owner: UUID) -> None:
        self._database = database
        self._channels = Channels(database)
        self.leases = Leases(database, "threads", owner)

    async def claim(self, *, now: datetime, limit: int) -> Sequence[DueThread]:
        """Leases threads with possibly unposted events."""
        claimed = await self.leases.claim(now=now, limit=limit)
        if not claimed:
            return []
        rows = await self._database.rows(SELECT_CLAIMED, gates=list(claimed))
        return await self.leases.build_readable(rows, partial(_due, claimed), key=lambda row: row.id)

    async def posting(self, due: DueThread, *, tried: PendingPost) -> bool:
        """Stores the intent to post, before the call to Slack. False: the lease is lost."""
        values = {
            "seq": tried.seq,
            "since": tried.since,
            "channel": tried.channel,
            "thread": tried.thread,
        }
        return bool(await self._database.rows(STORE_POST_INTENT, **self._lease_values(due), **values))

    async def skipped(self, due: DueThread, *, seq: int, channel: str, problem: str, now: datetime) -> None:
        """Skips a message for a channel that accepts none; the card shows it."""
        log.warning("channel_skipped", channel=channel, problem=problem, gate=str(due.view.id))
        await self._channels.closed(channel, problem=problem, now=now)
        await self.posted(due, seq=seq)
        await self._database.rows(INVALIDATE_CARD, gate=due.view.id, now=now)

    async def posted(self, due: DueThread, *, seq: int) -> None:
        """The thread contains everything up to `seq`."""
        await self._database.rows(STORE_POSTED, **self._lease_values(due), seq=seq)

    async def caught_up(self, due: DueThread, *, seq: int) -> None:
        """Everything known at the claim is posted."""
        await self._database.rows(STORE_ALL_POSTED, **self._lease_values(due), seq=seq, was_due=due.due_at)

    async def retry_later(self, due: DueThread, *, error: str, uncertain: bool, due_at: datetime) -> None:
        """Reschedules the thread to `due_at`; `uncertain`: the post may have arrived."""
        values = {"error": error[:500], "uncertain": uncertain, "due_at": due_at}
        await self._database.rows(RESCHEDULE, **self._lease_values(due), **values)

    def _lease_values(self, due: DueThread) -> dict[str, Any]:
        return {"gate": due.view.id, "owner": self.leases.owner}


def _due(claimed: Mapping[Any, int], row: Any) -> DueThread:
    return DueThread(
        attempts=claimed[row.id],
        view=gate_view_from_row(row),
        place=CardPlace(channel=row.channel, ts=row.ts),
        entries=tuple(_entry(stored, row) for stored in row.happened if stored["kind"] in list(Kind)),
        tried=_tried(row),
        due_at=row.thread_due_at,
        id_changes=row.id_changes,
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
        detail=stored["detail"],
    )
    return TimelineEntry(seq=stored["seq"], event=event)
