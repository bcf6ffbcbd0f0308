"""Freezes, and the last rule status of waiting gates."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from app.db.audit_insert import INSERT_EVENTS, events_parameter
from app.db.audit_lock import NAMED_AUDIT_LOCK, audit_lock_name
from app.db.database import Database
from app.db.handled_requests import is_replayed
from app.db.invalidate_cards import invalidate_cards
from app.db.leases import readable_rows
from app.db.repositories.exclusivity import related_switches
from app.db.statements import execute
from app.flow.audit_events import Event
from app.flow.freezes.freeze_record import NO_DEPLOYMENT, ActiveFreeze, Declaration
from app.flow.notify.refresh_rule_status import RuleSnapshot, WaitingGates, announcement_for, freeze_over
from app.gate.ids import DomainName
from app.gate.rules.exclusivity import AFTER_ALLOW_TRAFFIC, RelatedSwitch
from app.gate.rules.freeze import Freeze, Span
from app.gate.rules.policy import Shift

TAKE_AUDIT_LOCK: Final = f"SELECT 1 WHERE {NAMED_AUDIT_LOCK}"
SELECT_ACTIVE: Final = """
SELECT id, domains, starts_at, ends_at, reason, declared_by FROM freezes WHERE ended_at IS NULL ORDER BY id
"""
# A transaction that holds a gate decides it first; later ones read this freeze.
LOCK_GATES: Final = """
SELECT id FROM gates WHERE phase = 'awaiting' AND id IN (
    SELECT g.id FROM gates g JOIN switches s ON s.id = g.switch_id
    WHERE g.phase = 'awaiting' AND (CAST(:domains AS text[]) IS NULL OR s.domain = ANY(:domains))
) ORDER BY id FOR NO KEY UPDATE
"""
# The locked gates. A gate opened meanwhile gets its rule status a moment later (`STORE_RULE_STATUS`).
INVALIDATE_CARDS: Final = invalidate_cards("id = ANY(:gates)")
DECLARE_FREEZE: Final = f"""
WITH f AS (
    INSERT INTO freezes (domains, starts_at, ends_at, reason, declared_by, declared_at)
    VALUES (CAST(:domains AS text[]), :starts_at, :ends_at, :reason, :by, :now) RETURNING id
), {INVALIDATE_CARDS}, a AS ({INSERT_EVENTS})
SELECT id FROM f
"""
LIFT_FREEZE: Final = f"""
WITH f AS (
    UPDATE freezes SET ended_at = :now, lifted_by = :by WHERE id = :id AND ended_at IS NULL
), {INVALIDATE_CARDS}, a AS ({INSERT_EVENTS})
SELECT 1
"""
REMOVE_DOMAINS: Final = f"""
WITH f AS (
    UPDATE freezes SET domains = ARRAY(SELECT unnest(freezes.domains) EXCEPT SELECT unnest(CAST(:domains AS text[])))
    WHERE id = :id AND ended_at IS NULL
), {INVALIDATE_CARDS}, a AS ({INSERT_EVENTS})
SELECT 1
"""
END_FREEZES: Final = f"""
WITH f AS (
    UPDATE freezes SET ended_at = ends_at WHERE id = ANY(:ids) AND ended_at IS NULL
), a AS ({INSERT_EVENTS})
SELECT 1
"""
SELECT_WAITING: Final = """
SELECT s.domain, s.traffic ->> 'shift' AS shift, m.fingerprint, coalesce(m.frozen, false) AS frozen,
    coalesce(m.awaiting_exclusivity, false) AS awaiting_exclusivity, min(g.opened_at) AS since
FROM gates g JOIN switches s ON s.id = g.switch_id LEFT JOIN gate_rule_snapshots m ON m.gate_id = g.id
WHERE g.phase = 'awaiting' AND s.verified_at IS NOT NULL AND s.domain IS NOT NULL
GROUP BY 1, 2, 3, 4, 5
"""
# A switch whose traffic moves (`app.flow.approval.approval_context`) does not wait, and is not announced as free.
STORE_RULE_STATUS: Final = """
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
    UPDATE cards SET wanted_version = g.version, due_at = :now, attempts = 0 FROM g WHERE cards.gate_id = g.id
), n AS (
    INSERT INTO announcements (gate_id, kind, subject, written_at, due_at)
    SELECT mine.id, CAST(:announcement AS text), CAST(:old AS text), :now, :now FROM mine
    WHERE CAST(:announcement AS text) = 'freeze_ended' OR (CAST(:announcement AS text) = 'exclusivity_free' AND rests)
    ON CONFLICT ON CONSTRAINT announcements_key DO NOTHING
)
SELECT 1
"""


class HeldFreezesRows:
    """The stored freezes under their lock; see `app.flow.freezes.freeze_record.HeldFreezes`."""

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
        values = {
            "domains": domains,
            "gates": await self._lock_gates(domains),
            "starts_at": declaration.start,
            "ends_at": declaration.end,
            "reason": declaration.reason.strip(),
            "by": declaration.by,
            "now": now,
            "events": events_parameter([event]),
        }
        id_: int = (await execute(self._connection, DECLARE_FREEZE, values))[0].id
        return id_

    async def lift(
        self, freeze: int, *, domains: Sequence[DomainName] | None, event: Event, now: datetime
    ) -> None:
        """Ends the freeze, or removes these domains from it."""
        found = next(each for each in self._active if each.freeze.id == freeze)
        remaining = set(found.domains or ()) - set(domains or ())
        is_partial = domains is not None and bool(remaining)
        affected = list(domains) if is_partial and domains else _as_list(found.domains)
        values: dict[str, Any] = {
            "id": freeze,
            "domains": affected,
            "gates": await self._lock_gates(affected),
            "now": now,
            "events": events_parameter([event]),
        }
        if is_partial:
            await execute(self._connection, REMOVE_DOMAINS, values)
        else:
            by = event.actor.id or event.actor.kind
            await execute(self._connection, LIFT_FREEZE, {**values, "by": by})

    async def _lock_gates(self, domains: Sequence[DomainName] | None) -> list[UUID]:
        return [row.id for row in await execute(self._connection, LOCK_GATES, {"domains": domains})]


class Freezes:
    """See `app.flow.freezes.freeze_record.FreezeRecord` and `app.flow.notify.refresh_rule_status.RuleStatusRecord`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    @asynccontextmanager
    async def hold_freezes(self, *, request: str | None = None) -> AsyncIterator[HeldFreezesRows]:
        """Holds the lock of all freezes until the block ends."""
        async with self._database.begin() as connection:
            active = await _lock_freezes(connection)
            is_replay = await is_replayed(connection, request, subject="freezes")
            yield HeldFreezesRows(connection, active, is_replay=is_replay)

    async def active(self) -> Sequence[ActiveFreeze]:
        """Freezes that are not over, including planned ones."""
        return [freeze_from_row(row) for row in await self._database.rows(SELECT_ACTIVE)]

    async def end_freezes(self, *, now: datetime) -> Sequence[ActiveFreeze]:
        """Ends expired freezes; gives the active ones."""
        active = await self.active()
        expired = [each for each in active if _end_of(each.freeze) <= now]
        if expired:
            async with self._database.begin() as connection:
                still_active = {each.freeze.id for each in await _lock_freezes(connection)}
                ended = [each for each in expired if each.freeze.id in still_active]
                events = events_parameter([freeze_over(each, now) for each in ended])
                ids = [each.freeze.id for each in ended]
                await execute(connection, END_FREEZES, {"ids": ids, "events": events})
        return [each for each in active if each not in expired]

    async def waiting(self) -> Sequence[WaitingGates]:
        """See `app.flow.notify.refresh_rule_status.WaitingGates`."""
        return list(readable_rows(await self._database.rows(SELECT_WAITING), _waiting))

    async def related_switches(self, domains: Sequence[DomainName]) -> Sequence[RelatedSwitch]:
        """These domains' switches that live, and the last one of each."""
        return await related_switches(self._database, domains)

    async def store_snapshot(
        self, waiting: WaitingGates, snapshot: RuleSnapshot, *, redraw: bool, now: datetime
    ) -> None:
        """Stores the current rule status and invalidates the cards; the first time only with `redraw`."""
        await self._database.rows(
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
