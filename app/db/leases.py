"""Outgoing work is claimed by its own row: due, not leased, mine until the lease ends.

A lease is short and renewed while the work runs, so a killed replica's work is free again within seconds.
Every finish names the owner (fencing): a replica that lost its lease writes nothing. What a replica still works on
it does not claim again, even when the lease was lost: the same owner twice would be no fence.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Sequence
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from typing import Any, Final, Literal, TypeVar
from uuid import UUID

import structlog

from app.db.database import Database
from app.db.mapping.rows import IncoherentRow
from app.db.quarantine import Quarantine
from app.flow.ports.database import DatabaseUnavailable

log = structlog.get_logger(__name__)
T = TypeVar("T")

LEASE_DURATION: Final = timedelta(milliseconds=3500)
RENEW_INTERVAL: Final = timedelta(seconds=1)

UNREADABLE_ROW_ERRORS: Final = (IncoherentRow, ValueError, TypeError, KeyError, AttributeError)
"""What reading a row raises when it holds a value that this release does not know."""

LOG_INTERVAL_SECONDS: Final = 3600.0
MAX_LOGGED_PROBLEMS: Final = 1000

Work = Literal[
    "reports",
    "cards",
    "card_copies",
    "switches",
    "interventions",
    "evidence",
    "threads",
    "announcements",
    "probe_runs",
]
KEY_COLUMNS: Final[dict[Work, str]] = {
    "reports": "gate_id",
    "cards": "gate_id",
    "card_copies": "id",
    "threads": "gate_id",
    "switches": "id",
    "interventions": "id",
    "evidence": "gate_id",
    "announcements": "id",
    "probe_runs": "id",
}

EXTRA_CONDITIONS: Final[dict[Work, str]] = {
    # A card is redrawn at most once in two seconds, whatever happens to it.
    "cards": "AND (drawn_at IS NULL OR drawn_at <= CAST(:now AS timestamptz) - interval '2 seconds')",
    # Nothing is removed while it is not known where the gate's own card is, and never the card itself.
    "card_copies": """AND EXISTS (
        SELECT 1 FROM cards c WHERE c.gate_id = card_copies.gate_id
            AND c.posting_since IS NULL AND c.ts IS NOT NULL AND c.ts <> card_copies.ts
    )""",
}
"""What must hold of a due row besides."""


def claim_statement(work: Work) -> str:
    """Leases up to `:limit` due rows to `:owner` and gives their keys and attempts.

    ARRAY(…), because a subquery in a join may run more than once, and then takes more than `:limit`. A lease need not
    survive Postgres's own fall, so nobody waits until it is on disk: without it the work is claimed anew.
    """
    key = KEY_COLUMNS[work]
    return f"""
        UPDATE {work} SET claimed_by = :owner, claimed_until = :until, attempts = attempts + 1
        WHERE {key} = ANY(ARRAY(
            SELECT {key} FROM {work}
            WHERE due_at <= :now AND (claimed_until IS NULL OR claimed_until <= :now) AND {key} <> ALL(:busy)
                {EXTRA_CONDITIONS.get(work, "")}
            ORDER BY due_at LIMIT :limit FOR NO KEY UPDATE SKIP LOCKED
        ))
        RETURNING {key} AS key, attempts, set_config('synchronous_commit', 'off', true)
    """


def renew_statement(work: Work) -> str:
    """Extends one lease, if it is still ours."""
    return (
        f"UPDATE {work} SET claimed_until = :until WHERE {KEY_COLUMNS[work]} = :key AND claimed_by = :owner"
    )


def release_statement(work: Work) -> str:
    """Ends one lease, if it is still ours: whoever can do the work takes it at once."""
    return f"""
        UPDATE {work} SET claimed_by = NULL, claimed_until = NULL, last_error = :error
        WHERE {KEY_COLUMNS[work]} = :key AND claimed_by = :owner
    """


class Leases:
    """One replica's leases on one kind of work."""

    def __init__(self, database: Database, work: Work, owner: UUID) -> None:
        self._database = database
        self._claim = claim_statement(work)
        self._renew = renew_statement(work)
        self._release = release_statement(work)
        self._busy: set[UUID | int] = set()
        self.quarantine = Quarantine(work)
        self.owner = owner

    async def claim(self, *, now: datetime, limit: int) -> dict[Any, int]:
        """Key -> attempts of the rows that are now ours."""
        return {row.key: row.attempts for row in await self.claim_with(self._claim, now=now, limit=limit)}

    async def claim_with(self, statement: str, *, now: datetime, limit: int) -> list[Any]:
        """The rows of a statement that claims in the words of `claim_statement`."""
        return await self._database.rows(
            statement,
            owner=self.owner,
            now=now,
            until=now + LEASE_DURATION,
            limit=limit,
            busy=[*self._busy, *self.quarantine.keys()],
        )

    async def build_readable(
        self, rows: Sequence[Any], build: Callable[[Any], T], *, key: Callable[[Any], UUID | int]
    ) -> list[T]:
        """What can be built of the claimed rows; the others are set aside, and free for other replicas."""
        found = []
        for row in rows:
            try:
                found.append(build(row))
            except UNREADABLE_ROW_ERRORS as exc:
                await self.set_aside(key(row), problem=str(exc))
        return found

    async def set_aside(self, key: UUID | int, *, problem: str, exc: BaseException | None = None) -> None:
        """Leaves a row to others for a while; see `Quarantine`."""
        self.quarantine.add(key, problem=problem, exc=exc)
        await self._database.rows(self._release, key=key, owner=self.owner, error=problem[:500])

    @asynccontextmanager
    async def renewed(self, key: UUID | int, *, now: datetime) -> AsyncIterator[None]:
        """Renews the lease while the block runs. `now` is when it was claimed."""
        is_done = asyncio.Event()
        renewing = asyncio.create_task(self._renew_until(key, now, is_done))
        self._busy.add(key)
        try:
            yield
        finally:
            is_done.set()  # and not cancelled: a statement cut off half way costs its connection
            await asyncio.wait([renewing])
            self._busy.discard(key)

    async def _renew_until(self, key: UUID | int, claimed: datetime, is_done: asyncio.Event) -> None:
        clock = asyncio.get_running_loop().time
        began = clock()
        while not await _is_set_within(is_done, RENEW_INTERVAL.total_seconds()):
            until = claimed + timedelta(seconds=clock() - began) + LEASE_DURATION
            try:
                await self._database.rows(self._renew, owner=self.owner, key=key, until=until)
            except DatabaseUnavailable:
                continue  # the finish is fenced: at worst somebody else does the work again


async def _is_set_within(event: asyncio.Event, seconds: float) -> bool:
    try:
        async with asyncio.timeout(seconds):
            return await event.wait()
    except TimeoutError:
        return False


def readable_rows(rows: Iterable[Any], build: Callable[[Any], T]) -> Iterator[T]:
    """What can be built of the rows of a page or a list: one that cannot be read must not hold up the others.

    It is logged once an hour.
    """
    for row in rows:
        try:
            yield build(row)
        except UNREADABLE_ROW_ERRORS as exc:
            _log_hourly(str(exc))


_logged_at: dict[str, float] = {}


def _log_hourly(problem: str) -> None:
    now = asyncio.get_running_loop().time()
    if now - _logged_at.get(problem, -LOG_INTERVAL_SECONDS) >= LOG_INTERVAL_SECONDS:
        log.error("incoherent_row", problem=problem)
        if len(_logged_at) > MAX_LOGGED_PROBLEMS:
            _logged_at.clear()
        _logged_at[problem] = now
