"""Freezes, and the last rule status of waiting gates."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import BigInteger, Text, any_, bindparam, false, func, or_, select, update
from sqlalchemy.dialects.postgresql import ARRAY, insert
from sqlalchemy.ext.asyncio import AsyncConnection

from app.db.audit_insert import insert_events
from app.db.audit_lock import TAKE_AUDIT_LOCK, audit_lock_name
from app.db.database import Database
from app.db.expressions import NOW_PARAM, is_one_of
from app.db.gate_view import IS_AWAITING
from app.db.handled_requests import claim_request
from app.db.invalidate_cards import INVALIDATE_CARDS_OF_G, invalidate_cards
from app.db.leases import readable_rows
from app.db.repositories.exclusivity import related_switches
from app.db.repositories.messages.channel_announcements import request_in_channels
from app.db.statements import execute
from app.db.tables import freezes, gate_rule_snapshots, gates, switches
from app.flow.audit_events import Event
from app.flow.freezes.freeze_acts import ActKind, FreezeAct, channels_of
from app.flow.freezes.stored_freezes import NO_DEPLOYMENT, ActiveFreeze, Declaration
from app.flow.notify.refresh_rule_status import RuleSnapshot, WaitingGates, announcement_for, freeze_over
from app.flow.ports.rules import Rules
from app.gate.ids import DomainName
from app.gate.rules.exclusivity import AFTER_ALLOW_TRAFFIC, RelatedSwitch
from app.gate.rules.freeze import Freeze, Span
from app.gate.rules.policy import Shift

SELECT_ACTIVE: Final = select(freezes).where(freezes.c.ended_at.is_(None)).order_by(freezes.c.id)
# A transaction that holds a gate decides it first; later ones read this freeze.
_DOMAINS: Final = bindparam("domains", type_=ARRAY(Text))
_awaiting_there = (
    select(gates.c.id)
    .join(switches, switches.c.id == gates.c.switch_id)
    .where(IS_AWAITING, or_(_DOMAINS.is_(None), switches.c.domain == any_(_DOMAINS)))
    .correlate(None)
)
LOCK_GATES: Final = (
    select(gates.c.id)
    .where(IS_AWAITING, gates.c.id.in_(_awaiting_there))
    .order_by(gates.c.id)
    .with_for_update(key_share=True)
)
# The locked gates. A gate opened meanwhile gets its rule status a moment later (`STORE_RULE_STATUS`).
INVALIDATE_CARDS: Final = invalidate_cards(is_one_of(gates.c.id, "gates"))
DECLARE_FREEZE: Final = insert(freezes).returning(freezes.c.id)
_FREEZE: Final = bindparam("freeze", type_=BigInteger)
LIFT_FREEZE: Final = (
    update(freezes)
    .where(freezes.c.id == _FREEZE, freezes.c.ended_at.is_(None))
    .values(ended_at=NOW_PARAM, lifted_by=bindparam("by"))
)
REMOVE_DOMAINS: Final = """
UPDATE freezes SET domains = ARRAY(SELECT unnest(freezes.domains) EXCEPT SELECT unnest(CAST(:removed AS text[])))
WHERE id = :freeze AND ended_at IS NULL
"""
"""As text, because SQLAlchemy does not correlate the parts of an EXCEPT."""

END_FREEZES: Final = (
    update(freezes)
    .where(is_one_of(freezes.c.id, "ids"), freezes.c.ended_at.is_(None))
    .values(ended_at=freezes.c.ends_at)
)
# The act's own message announces that these gates are free; `STORE_RULE_STATUS` then announces nothing.
CLEAR_FROZEN: Final = (
    update(gate_rule_snapshots)
    .where(is_one_of(gate_rule_snapshots.c.gate_id, "gates"), gate_rule_snapshots.c.frozen)
    .values(frozen=false())
)
_SHIFT: Final = switches.c.traffic["shift"].astext.label("shift")
_FROZEN: Final = func.coalesce(gate_rule_snapshots.c.frozen, false()).label("frozen")
_AWAITING_EXCLUSIVITY: Final = func.coalesce(gate_rule_snapshots.c.awaiting_exclusivity, false()).label(
    "awaiting_exclusivity"
)
SELECT_WAITING: Final = (
    select(
        switches.c.domain,
        _SHIFT,
        gate_rule_snapshots.c.fingerprint,
        _FROZEN,
        _AWAITING_EXCLUSIVITY,
        func.min(gates.c.opened_at).label("since"),
    )
    .select_from(gates)
    .join(switches, switches.c.id == gates.c.switch_id)
    .outerjoin(gate_rule_snapshots, gate_rule_snapshots.c.gate_id == gates.c.id)
    .where(IS_AWAITING, switches.c.verified_at.is_not(None), switches.c.domain.is_not(None))
    .group_by(switches.c.domain, _SHIFT, gate_rule_snapshots.c.fingerprint, _FROZEN, _AWAITING_EXCLUSIVITY)
)
# A switch whose traffic moves (`app.flow.approval.approval_context`) does not wait, and is not announced as free.
STORE_RULE_STATUS: Final = f"""
WITH mine AS (
    SELECT g.id, g.hook_name <> :after_traffic AND s.switched_at IS NULL AND coalesce(s.green_percent, 0) = 0 AS rests
    FROM gates g JOIN switches s ON s.id = g.switch_id LEFT JOIN gate_rule_snapshots m ON m.gate_id = g.id
    WHERE g.phase = 'awaiting' AND s.verified_at IS NOT NULL AND s.domain = :domain
        AND s.traffic ->> 'shift' IS NOT DISTINCT FROM CAST(:shift AS text)
        AND m.fingerprint IS NOT DISTINCT FROM CAST(:old AS text)
        AND coalesce(m.frozen, false) = CAST(:was_frozen AS boolean)
        AND coalesce(m.awaiting_exclusivity, false) = CAST(:was_awaiting AS boolean)
    ORDER BY g.id FOR NO KEY UPDATE OF g SKIP LOCKED
), m AS (
    INSERT INTO gate_rule_snapshots (gate_id, fingerprint, frozen, awaiting_exclusivity)
    SELECT id, :fingerprint, :frozen, :awaiting_exclusivity FROM mine
    ON CONFLICT (gate_id) DO UPDATE SET fingerprint = excluded.fingerprint, frozen = excluded.frozen,
        awaiting_exclusivity = excluded.awaiting_exclusivity
), g AS (
    UPDATE gates SET version = version + 1 FROM mine
    WHERE gates.id = mine.id AND (CAST(:old AS text) IS NOT NULL OR CAST(:news AS boolean))
    RETURNING gates.id, gates.version
), c AS (
    {INVALIDATE_CARDS_OF_G}
), n AS (
    INSERT INTO announcements (gate_id, kind, subject, written_at, due_at)
    SELECT mine.id, CAST(:announcement AS text), CAST(:old AS text), :now, :now FROM mine
    WHERE CAST(:announcement AS text) = 'freeze_ended' OR (CAST(:announcement AS text) = 'exclusivity_free' AND rests)
    ON CONFLICT ON CONSTRAINT announcements_key DO NOTHING
)
SELECT 1
"""
"""As text: one statement decides, under the gates' locks, which status is stored, redrawn and announced."""


class HeldFreezesRows:
    """The stored freezes under their lock; see `app.flow.freezes.stored_freezes.HeldFreezes`."""

    def __init__(
        self, connection: AsyncConnection, active: Sequence[ActiveFreeze], *, is_replay: bool
    ) -> None:
        self._connection = connection
        self._active = active
        self.is_replay = is_replay

    @property
    def active(self) -> Sequence[ActiveFreeze]:
        return self._active

    async def declare(self, declaration: Declaration, *, event: Event, now: datetime) -> int:
        """Stores the freeze; gives its number."""
        domains = list(declaration.domains) if declaration.domains is not None else None
        locked = await self._lock_gates(domains)
        values = {
            "domains": domains,
            "starts_at": declaration.start,
            "ends_at": declaration.end,
            "reason": declaration.reason.strip(),
            "declared_by": declaration.by,
            "declared_at": now,
        }
        id_: int = (await execute(self._connection, DECLARE_FREEZE, values))[0].id
        await self._invalidate_cards(locked, events=[event], now=now)
        return id_

    async def lift(
        self, freeze: int, *, domains: Sequence[DomainName] | None, event: Event, now: datetime
    ) -> None:
        """Ends the freeze, or removes these domains from it."""
        found = next(each for each in self._active if each.freeze.id == freeze)
        remaining = set(found.domains or ()) - set(domains or ())
        is_partial = domains is not None and bool(remaining)
        affected = list(domains) if is_partial and domains else _as_list(found.domains)
        locked = await self._lock_gates(affected)
        if found.freeze.around(now) is not None:
            await execute(self._connection, CLEAR_FROZEN, {"gates": locked})
        if is_partial:
            await execute(self._connection, REMOVE_DOMAINS, {"freeze": freeze, "removed": affected})
        else:
            by = event.actor.id or event.actor.kind
            await execute(self._connection, LIFT_FREEZE, {"freeze": freeze, "by": by, "now": now})
        await self._invalidate_cards(locked, events=[event], now=now)

    async def announce(self, act: FreezeAct, *, channels: Sequence[str], now: datetime) -> None:
        """Requests one message about the act in each channel."""
        await request_in_channels(self._connection, act, channels=channels, now=now)

    async def _invalidate_cards(
        self, locked: Sequence[UUID], *, events: Sequence[Event], now: datetime
    ) -> None:
        await execute(self._connection, INVALIDATE_CARDS, {"gates": locked, "now": now})
        await insert_events(self._connection, events)

    async def _lock_gates(self, domains: Sequence[DomainName] | None) -> list[UUID]:
        return [row.id for row in await execute(self._connection, LOCK_GATES, {"domains": domains})]


class Freezes:
    """See `FreezeRepository` (`app.flow.freezes.stored_freezes`) and `RuleStatusRepository`
    (`app.flow.notify.refresh_rule_status`)."""

    def __init__(self, database: Database) -> None:
        self._database = database

    @asynccontextmanager
    async def hold_freezes(self, *, request: str | None = None) -> AsyncIterator[HeldFreezesRows]:
        """Holds the lock of all freezes until the block ends."""
        async with self._database.transaction() as connection:
            active = await _lock_freezes(connection)
            is_replay = not await claim_request(connection, request, subject="freezes")
            yield HeldFreezesRows(connection, active, is_replay=is_replay)

    async def active(self) -> Sequence[ActiveFreeze]:
        """Freezes that are not over, including planned ones."""
        return [freeze_from_row(row) for row in await self._database.execute(SELECT_ACTIVE)]

    async def end_freezes(self, *, rules: Rules, now: datetime) -> Sequence[ActiveFreeze]:
        """Ends expired freezes and requests the messages about that; gives the active ones."""
        active = await self.active()
        expired = [each for each in active if _end_of(each.freeze) <= now]
        if expired:
            async with self._database.transaction() as connection:
                still_active = {each.freeze.id for each in await _lock_freezes(connection)}
                ended = [each for each in expired if each.freeze.id in still_active]
                await execute(connection, END_FREEZES, {"ids": [each.freeze.id for each in ended]})
                await insert_events(connection, [freeze_over(each, now) for each in ended])
                for each in ended:
                    domains = _as_list(each.domains)
                    locked = [row.id for row in await execute(connection, LOCK_GATES, {"domains": domains})]
                    await execute(connection, CLEAR_FROZEN, {"gates": locked})
                    act = FreezeAct(kind=ActKind.ENDED, freezes=(each.freeze,), domains=each.domains, by=None)
                    channels = channels_of(each.domains, rules=rules)
                    await request_in_channels(connection, act, channels=channels, now=now)
        return [each for each in active if each not in expired]

    async def waiting(self) -> Sequence[WaitingGates]:
        """See `app.flow.notify.refresh_rule_status.WaitingGates`."""
        return list(readable_rows(await self._database.execute(SELECT_WAITING), _waiting))

    async def related_switches(self, domains: Sequence[DomainName]) -> Sequence[RelatedSwitch]:
        """These domains' switches that live, and the last one of each."""
        return await related_switches(self._database, domains)

    async def store_snapshot(
        self, waiting: WaitingGates, snapshot: RuleSnapshot, *, redraw: bool, now: datetime
    ) -> None:
        """Stores the current rule status and invalidates the cards; the first time only with `redraw`."""
        await self._database.execute(
            STORE_RULE_STATUS,
            domain=waiting.domain,
            shift=waiting.shift,
            old=waiting.fingerprint,
            was_frozen=waiting.frozen,
            was_awaiting=waiting.awaits_exclusivity,
            fingerprint=snapshot.fingerprint,
            frozen=snapshot.frozen,
            awaiting_exclusivity=snapshot.awaits_exclusivity,
            announcement=announcement_for(waiting, snapshot),
            after_traffic=AFTER_ALLOW_TRAFFIC,
            news=redraw,
            now=now,
        )


async def _lock_freezes(connection: AsyncConnection) -> Sequence[ActiveFreeze]:
    """Takes the lock of all freezes; gives the active ones."""
    await execute(connection, TAKE_AUDIT_LOCK, {"audit_lock": audit_lock_name(NO_DEPLOYMENT)})
    return [freeze_from_row(row) for row in await execute(connection, SELECT_ACTIVE, {})]


def _waiting(row: Any) -> WaitingGates:
    return WaitingGates(
        domain=DomainName(row.domain),
        shift=Shift(row.shift) if row.shift else None,
        fingerprint=row.fingerprint,
        frozen=row.frozen,
        awaits_exclusivity=row.awaiting_exclusivity,
        since=row.since,
    )


def freeze_from_row(row: Any) -> ActiveFreeze:
    """A freeze from its row."""
    return ActiveFreeze(
        freeze=Freeze(
            id=row.id,
            reason=row.reason,
            by=row.declared_by,
            when=Span(start=row.starts_at, end=row.ends_at),
        ),
        domains=tuple(DomainName(name) for name in row.domains) if row.domains is not None else None,
    )


def _end_of(freeze: Freeze) -> datetime:
    if not isinstance(freeze.when, Span):
        raise TypeError("stored freezes are spans")
    return freeze.when.end


def _as_list(domains: tuple[DomainName, ...] | None) -> list[DomainName] | None:
    return list(domains) if domains is not None else None
