"""Cards: their place, the published version and the wanted version."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from functools import partial
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Boolean, DateTime, bindparam, case, exists, null, select, update

from app.db.audit_insert import INSERT_EVENTS, events_parameter
from app.db.audit_lock import NAMED_AUDIT_LOCK, audit_lock_name
from app.db.database import Database
from app.db.expressions import GATE_PARAM, NOW_PARAM, ONE, is_one_of
from app.db.gate_view import GATE_VIEW, GATE_VIEW_WITH_EVIDENCE, IS_AWAITING
from app.db.invalidate_cards import invalidate_cards
from app.db.leases import NO_LEASE, Leases, is_leased
from app.db.mapping.rows import gate_view_from_row
from app.db.repositories.evidence import gate_view_with_evidence
from app.db.repositories.messages.channels import CHANNEL_FACTS, Channels, current_id
from app.db.tables import cards, gates
from app.flow.audit_events import SWITCHGATE, Event, Kind
from app.flow.notify.publish_card import DueCard
from app.flow.read_models import CardPlace, GateView
from app.gate.ids import GateId

_following = gates.alias("following")
SELECT_CLAIMED: Final = (
    GATE_VIEW_WITH_EVIDENCE.add_columns(
        current_id(cards.c.channel).label("channel"),
        cards.c.ts,
        cards.c.fingerprint,
        cards.c.posting_since,
        current_id(cards.c.posting_channel).label("posting_channel"),
        select(_following.c.id)
        .where(_following.c.shown_by == gates.c.id)
        .order_by(_following.c.switch_id.desc(), _following.c.opened_at.desc())
        .limit(ONE)
        .scalar_subquery()
        .label("followed_by"),
        *CHANNEL_FACTS,
    )
    .join(cards, cards.c.gate_id == gates.c.id)
    .where(is_one_of(gates.c.id, "gates"))
)
SELECT_FOLLOWING: Final = GATE_VIEW.where(is_one_of(gates.c.id, "gates"))

_VANISHED: Final = bindparam("vanished", type_=Boolean)
_UNCERTAIN: Final = bindparam("uncertain", type_=Boolean)

# Keep the old place: if the new post fails, it is the only card. A vanished card has no place. Whether the gate needs a
# card of its own may have changed since the claim.
STORE_POST_INTENT: Final = (
    update(cards)
    .where(is_leased("cards"), ~exists().where(gates.c.id == cards.c.gate_id, gates.c.shown_by.is_not(None)))
    .values(
        posting_since=NOW_PARAM,
        posting_channel=bindparam("next_channel"),
        fingerprint=null(),
        channel=case((_VANISHED, null()), else_=cards.c.channel),
        ts=case((_VANISHED, null()), else_=cards.c.ts),
    )
    .returning(ONE)
)
# A change during the update has raised `wanted_version`: the card is then due again at once. The thread is due a second
# later, so that simultaneous events share one message. As text: one statement instead of seven, because every vote
# causes it.
STORE_PUBLISHED: Final = f"""
WITH old AS (
    SELECT channel, ts FROM cards WHERE gate_id = :gate AND claimed_by = :owner AND ts <> :ts
), c AS (
    UPDATE cards SET channel = :channel, ts = :ts, fingerprint = :fingerprint, posting_since = NULL,
        posting_channel = NULL,
        drawn_at = CASE WHEN fingerprint IS DISTINCT FROM :fingerprint OR ts IS DISTINCT FROM :ts
            THEN CAST(:now AS timestamptz) ELSE drawn_at END,
        drawn_version = :version, wanted_version = greatest(wanted_version, :version),
        attempts = 0, claimed_by = NULL, claimed_until = NULL, last_error = NULL,
        due_at = CASE WHEN wanted_version > :version THEN CAST(:now AS timestamptz) END
    WHERE gate_id = :gate AND claimed_by = :owner AND {NAMED_AUDIT_LOCK} RETURNING gate_id
), t AS (
    INSERT INTO threads (gate_id, due_at)
    SELECT gate_id, CAST(:now AS timestamptz) + interval '1 second' FROM c
    ON CONFLICT (gate_id) DO UPDATE SET due_at = CASE
        WHEN threads.claimed_by IS NULL THEN LEAST(threads.due_at, excluded.due_at) ELSE excluded.due_at END
), n AS (
    UPDATE announcements SET due_at = :now
    WHERE gate_id IN (SELECT gate_id FROM c) AND due_at > :now AND claimed_by IS NULL AND CAST(:posted AS boolean)
), copy AS (
    INSERT INTO card_copies (gate_id, channel, ts, found_at, due_at)
    SELECT c.gate_id, old.channel, old.ts, :now, :now FROM c, old
    ON CONFLICT ON CONSTRAINT card_copies_key DO NOTHING
), p AS (
    DELETE FROM channel_problems WHERE channel = :channel AND EXISTS (SELECT 1 FROM c)
), a AS ({INSERT_EVENTS} WHERE EXISTS (SELECT 1 FROM c))
SELECT 1 FROM c
"""
# The thread of a gate that another one's card shows is that card's thread.
STORE_SHOWN: Final = """
WITH c AS (
    UPDATE cards SET channel = NULL, ts = NULL, fingerprint = NULL, posting_since = NULL, posting_channel = NULL,
        drawn_version = :version, wanted_version = greatest(wanted_version, :version),
        attempts = 0, claimed_by = NULL, claimed_until = NULL, last_error = NULL,
        due_at = CASE WHEN wanted_version > :version THEN CAST(:now AS timestamptz) END
    WHERE gate_id = :gate AND claimed_by = :owner RETURNING gate_id
)
INSERT INTO threads (gate_id, due_at)
SELECT gate_id, CAST(:now AS timestamptz) + interval '1 second' FROM c
ON CONFLICT (gate_id) DO UPDATE SET due_at = CASE
    WHEN threads.claimed_by IS NULL THEN LEAST(threads.due_at, excluded.due_at) ELSE excluded.due_at END
"""
"""As text, as `STORE_PUBLISHED` is."""

REDRAW_SHOWING: Final = invalidate_cards(gates.c.id == GATE_PARAM)
_NEXT_DUE_AT: Final = bindparam("next_due_at", type_=DateTime(timezone=True))
RESCHEDULE: Final = (
    update(cards)
    .where(is_leased("cards"))
    .values(
        **NO_LEASE,
        due_at=_NEXT_DUE_AT,
        last_error=bindparam("error"),
        posting_since=case((_UNCERTAIN, cards.c.posting_since)),
        posting_channel=case((_UNCERTAIN, cards.c.posting_channel)),
        drawn_version=case((_NEXT_DUE_AT.is_(None), cards.c.wanted_version), else_=cards.c.drawn_version),
    )
)
# A user pressed a button that is no longer on the stored card: Slack shows an outdated card.
FORCE_PUBLISH: Final = (
    update(cards)
    .where(cards.c.gate_id == GATE_PARAM, cards.c.due_at.is_(None))
    .values(fingerprint=null(), due_at=NOW_PARAM)
)

INVALIDATE_WAITING: Final = invalidate_cards(IS_AWAITING)

# A card was found at an unknown place. It is the gate's own if none is known, if the ts is the same (the channel id has
# changed), or if a post there got no answer. Any other one is a copy. A replica that is publishing the card meanwhile
# loses its lease, and writes nothing. A gate that another one's card shows has its buttons there. As text: one
# statement reads the old place and writes by it.
ADOPT_OR_INSERT_COPY: Final = """
WITH old AS (
    SELECT channel, ts, ts IS NULL OR (ts = :ts AND channel <> :channel) OR (
        posting_since IS NOT NULL AND posting_channel = :channel AND ts <> :ts) AS adopt
    FROM cards WHERE gate_id = :gate AND NOT EXISTS (
        SELECT 1 FROM gates WHERE gates.id = :gate AND gates.shown_by IS NOT NULL) FOR NO KEY UPDATE
), adopted AS (
    UPDATE cards SET channel = :channel, ts = :ts, fingerprint = NULL, posting_since = NULL, posting_channel = NULL,
        due_at = :now, claimed_by = NULL, claimed_until = NULL
    FROM old WHERE cards.gate_id = :gate AND old.adopt
), copy AS (
    INSERT INTO card_copies (gate_id, channel, ts, found_at, due_at)
    SELECT :gate, CASE WHEN adopt THEN channel ELSE :channel END, CASE WHEN adopt THEN ts ELSE :ts END, :now, :now
    FROM old WHERE ts <> :ts
    ON CONFLICT ON CONSTRAINT card_copies_key DO UPDATE SET due_at = coalesce(card_copies.due_at, excluded.due_at)
)
SELECT channel, ts, adopt FROM old
"""

# Slack does not report deleted messages, so cards of waiting gates and of approved live switches are sent again: each
# every 40 s, and at most forty a minute in total, whatever the number of replicas. Slack accepts about fifty a minute.
# As text: MATERIALIZED twice, so that each part is planned by itself.
REPUBLISH_OLDEST: Final = """
WITH watched AS MATERIALIZED (
    SELECT id FROM gates WHERE phase = 'awaiting'
    UNION ALL
    SELECT id FROM gates
    WHERE switch_id = ANY(ARRAY(SELECT id FROM switches WHERE ended_at IS NULL))
        AND phase <> 'awaiting' AND verdict = 'approved'
), due AS MATERIALIZED (
    SELECT gate_id FROM cards
    WHERE gate_id = ANY(ARRAY(SELECT id FROM watched)) AND due_at IS NULL AND ts IS NOT NULL
        AND (drawn_at IS NULL OR drawn_at < CAST(:now AS timestamptz) - greatest(interval '40 seconds',
            interval '1.5 seconds' * (SELECT count(*) FROM watched)))
    ORDER BY drawn_at NULLS FIRST LIMIT 5 FOR NO KEY UPDATE SKIP LOCKED
)
UPDATE cards SET fingerprint = NULL, due_at = :now WHERE gate_id = ANY(ARRAY(SELECT gate_id FROM due))
RETURNING 1
"""


class Cards:
    """Cards, leased by one replica; see `app.flow.notify.publish_card.CardRepository`."""

    def __init__(self, database: Database, owner: UUID) -> None:
        self._database = database
        self._channels = Channels(database)
        self.leases = Leases(database, "cards", owner)

    async def claim(self, *, now: datetime, limit: int) -> Sequence[DueCard]:
        """Leases cards that differ from what they should show."""
        claimed = await self.leases.claim(now=now, limit=limit)
        if not claimed:
            return []
        rows = await self._database.execute(SELECT_CLAIMED, gates=list(claimed))
        following = await self._following([row.followed_by for row in rows if row.followed_by])
        return await self.leases.build_readable(
            rows, partial(_due, claimed, following), key=lambda row: row.id
        )

    async def _following(self, wanted: Sequence[UUID]) -> Mapping[UUID, Any]:
        """The rows of the gates that the claimed cards show as well."""
        if not wanted:
            return {}
        rows = await self._database.execute(SELECT_FOLLOWING, gates=list(wanted))
        return {row.id: row for row in rows}

    async def redraw(self, gate: GateId, *, now: datetime) -> None:
        """Publishes the card again although it counts as up to date."""
        await self._database.execute(FORCE_PUBLISH, gate=gate, now=now)

    async def republish_oldest(self, *, now: datetime) -> int:
        """Makes the oldest cards due again, in case they were deleted in Slack; returns how many."""
        return len(await self._database.execute(REPUBLISH_OLDEST, now=now))

    async def redraw_waiting(self, *, now: datetime) -> None:
        """Invalidates the cards of all waiting gates: their rule status may have changed."""
        await self._database.execute(INVALIDATE_WAITING, now=now)

    async def register_location(self, gate: GateId, *, place: CardPlace, now: datetime) -> bool:
        """Saves that a card of this gate is at `place`. False: the gate's own card is elsewhere, and this is a copy.

        A copy is then due to be removed.
        """
        rows = await self._database.execute(
            ADOPT_OR_INSERT_COPY, gate=gate, channel=place.channel, ts=place.ts, now=now
        )
        if not rows:
            return True
        (old,) = rows
        if old.ts == place.ts and old.channel != place.channel:
            await self._channels.id_changed(old=old.channel, new=place.channel, now=now)
        return bool(old.adopt) or old.ts == place.ts

    async def channel_closed(self, channel: str, *, problem: str, now: datetime) -> None:
        """Slack refuses messages in this channel for good."""
        await self._channels.closed(channel, problem=problem, now=now)

    async def mark_posting(
        self, due: DueCard, *, now: datetime, channel: str | None = None, vanished: bool = False
    ) -> bool:
        """Stores the intent to post and the channel, before the call to Slack. False: the lease is lost."""
        values = {"next_channel": channel, "vanished": vanished, "now": now}
        return bool(
            await self._database.execute(STORE_POST_INTENT, **self.leases.fence(due.view.id), **values)
        )

    async def mark_published(
        self, due: DueCard, *, place: CardPlace, fingerprint: str, now: datetime
    ) -> bool:
        """The card stands at `place` and shows the gate as it was claimed. False: the lease is lost."""
        posted = due.place is None or due.place.ts != place.ts
        drawn = await self._database.execute(
            STORE_PUBLISHED,
            gate=due.view.id,
            audit_lock=audit_lock_name(due.view.switch.key),
            owner=self.leases.owner,
            channel=place.channel,
            ts=place.ts,
            fingerprint=fingerprint,
            version=due.view.version,
            posted=posted,
            now=now,
            events=events_parameter([_posted(due.view, place, now)] if posted else []),
        )
        if (
            drawn
            and due.place is not None
            and due.place.ts == place.ts
            and due.place.channel != place.channel
        ):
            await self._channels.id_changed(old=due.place.channel, new=place.channel, now=now)
        return bool(drawn)

    async def redraw_showing(self, gate: GateId, *, now: datetime) -> None:
        """Has the card updated that shows another gate, too, and that one has changed."""
        await self._database.execute(REDRAW_SHOWING, gate=gate, now=now)

    async def mark_shown(self, due: DueCard, *, now: datetime) -> None:
        """Another gate's card shows it, and is to be updated. Its timeline goes into that card's thread."""
        await self._database.execute(
            STORE_SHOWN, gate=due.view.id, owner=self.leases.owner, version=due.view.version, now=now
        )

    async def retry_later(
        self, due: DueCard, *, error: str, uncertain: bool, due_at: datetime | None
    ) -> None:
        """Reschedules the card to `due_at`; None: until the gate changes again."""
        values = {"error": error[:500], "uncertain": uncertain, "next_due_at": due_at}
        await self._database.execute(RESCHEDULE, **self.leases.fence(due.view.id), **values)


def _due(claimed: Mapping[Any, int], following: Mapping[UUID, Any], row: Any) -> DueCard:
    found = following.get(row.followed_by)
    followed_by = gate_view_from_row(found) if found is not None else None
    return DueCard(
        attempts=claimed[row.id],
        view=replace(gate_view_with_evidence(row), followed_by=followed_by),
        place=CardPlace(channel=row.channel, ts=row.ts) if row.ts else None,
        fingerprint=row.fingerprint,
        posting_since=row.posting_since,
        posting_channel=row.posting_channel,
        id_changes=row.id_changes or {},
        closed_channels=row.channel_problems or {},
    )


def _posted(view: GateView, place: CardPlace, now: datetime) -> Event:
    return Event(
        at=now,
        kind=Kind.CARD_POSTED,
        switch=view.switch.key,
        actor=SWITCHGATE,
        domain=view.switch.domain,
        gate=view.id,
        detail={"channel": place.channel, "ts": place.ts},
    )
