"""Cards: where they stand, what they show, what they should show."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import partial
from typing import Any, Final
from uuid import UUID

from app.flow.events import SWITCHGATE, Event, Kind
from app.flow.record_ports import DueCard
from app.flow.views import CardPlace, GateView
from app.gate.ids import GateId
from app.record.chain import THE_CHAIN, chain_of
from app.record.database import Database
from app.record.events import INSERT, as_parameter
from app.record.evidence import WITH_EVIDENCE, with_evidence
from app.record.leases import Leases, coherent

_SELECT, _FROM = WITH_EVIDENCE.split(" FROM gates g ", 1)
DUE: Final = (
    f"{_SELECT}, c.channel, c.ts, c.fingerprint, c.posting_since FROM gates g {_FROM}"
    " JOIN cards c ON c.gate_id = g.id WHERE g.id = ANY(:gates)"
)

POSTING: Final = """
UPDATE cards SET posting_since = :now, channel = NULL, ts = NULL, fingerprint = NULL
WHERE gate_id = :gate AND claimed_by = :owner RETURNING 1
"""
# A change that came while the card was drawn has raised `wanted_version`: the card is then due again at once.
# What the card shows now, its thread is to tell, a second later: what happens together is told in one message.
DRAWN: Final = f"""
WITH c AS (
    UPDATE cards SET channel = :channel, ts = :ts, fingerprint = :fingerprint, posting_since = NULL,
        drawn_version = :version, attempts = 0, claimed_by = NULL, claimed_until = NULL, last_error = NULL,
        due_at = CASE WHEN wanted_version > :version THEN CAST(:now AS timestamptz) END
    WHERE gate_id = :gate AND claimed_by = :owner AND {THE_CHAIN} RETURNING gate_id
), t AS (
    INSERT INTO threads (gate_id, due_at)
    SELECT gate_id, CAST(:now AS timestamptz) + interval '1 second' FROM c
    ON CONFLICT (gate_id) DO UPDATE SET due_at = CASE
        WHEN threads.claimed_by IS NULL THEN LEAST(threads.due_at, excluded.due_at) ELSE excluded.due_at END
), a AS ({INSERT} WHERE EXISTS (SELECT 1 FROM c))
SELECT 1 FROM c
"""
AGAIN: Final = """
UPDATE cards SET due_at = CAST(:due_at AS timestamptz), claimed_by = NULL, claimed_until = NULL, last_error = :error,
    posting_since = CASE WHEN CAST(:uncertain AS boolean) THEN posting_since END,
    drawn_version = CASE WHEN CAST(:due_at AS timestamptz) IS NULL THEN wanted_version ELSE drawn_version END
WHERE gate_id = :gate AND claimed_by = :owner
"""
# Somebody pressed a button that the record says is gone: what Slack shows is not what we drew.
REDRAW: Final = "UPDATE cards SET fingerprint = NULL, due_at = :now WHERE gate_id = :gate AND due_at IS NULL"

# A post was not answered and cannot be searched for; whoever presses the card's button shows where it stands.
# Whoever is at work on it without knowing that loses the lease, and with it what it would write.
MET: Final = """
WITH adopted AS (
    UPDATE cards SET channel = :channel, ts = :ts, fingerprint = NULL, posting_since = NULL, due_at = :now,
        claimed_by = NULL, claimed_until = NULL
    WHERE gate_id = :gate AND ts IS NULL
)
SELECT channel, ts FROM cards WHERE gate_id = :gate
"""


class Cards:
    """One replica's side of the cards; see `app.flow.refresh_card.CardRecord`."""

    def __init__(self, database: Database, owner: UUID) -> None:
        self._database = database
        self.leases = Leases(database, "cards", owner)

    async def claim(self, *, now: datetime, limit: int) -> Sequence[DueCard]:
        """Leases cards that differ from what they should show."""
        claimed = await self.leases.claim(now=now, limit=limit)
        if not claimed:
            return []
        rows = await self._database.rows(DUE, gates=list(claimed))
        return list(coherent(rows, partial(_due, claimed)))

    async def redraw(self, gate: GateId, *, now: datetime) -> None:
        """Has the card drawn again although the record thinks that it is up to date."""
        await self._database.rows(REDRAW, gate=gate, now=now)

    async def met(self, gate: GateId, *, place: CardPlace, now: datetime) -> bool:
        """A card of this gate was seen at `place`; False: the gate's own card stands elsewhere."""
        rows = await self._database.rows(MET, gate=gate, channel=place.channel, ts=place.ts, now=now)
        return not rows or rows[0].ts is None or (rows[0].channel, rows[0].ts) == (place.channel, place.ts)

    async def card_posting(self, due: DueCard, *, now: datetime) -> bool:
        """Writes down the intent to post, before Slack is asked. False: the lease is lost."""
        return bool(await self._database.rows(POSTING, gate=due.view.id, owner=self.leases.owner, now=now))

    async def card_drawn(self, due: DueCard, *, place: CardPlace, fingerprint: str, now: datetime) -> bool:
        """The card stands at `place` and shows the gate as it was claimed. False: the lease is lost."""
        drawn = await self._database.rows(
            DRAWN,
            gate=due.view.id,
            chain=chain_of(due.view.switch.key),
            owner=self.leases.owner,
            channel=place.channel,
            ts=place.ts,
            fingerprint=fingerprint,
            version=due.view.version,
            now=now,
            events=as_parameter([] if due.place == place else [_posted(due.view, place, now)]),
        )
        return bool(drawn)

    async def card_again(self, due: DueCard, *, error: str, uncertain: bool, due_at: datetime | None) -> None:
        """Puts the card back until `due_at`; None: until the gate changes once more."""
        await self._database.rows(
            AGAIN,
            gate=due.view.id,
            owner=self.leases.owner,
            error=error[:500],
            uncertain=uncertain,
            due_at=due_at,
        )


def _due(claimed: Mapping[Any, int], row: Any) -> DueCard:
    return DueCard(
        attempts=claimed[row.id],
        view=with_evidence(row),
        place=CardPlace(channel=row.channel, ts=row.ts) if row.ts else None,
        fingerprint=row.fingerprint,
        posting_since=row.posting_since,
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
