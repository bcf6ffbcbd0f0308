"""Leases on due work. A replica claims a due row that no replica has leased, and works on it until the lease ends.

Leases are short and renewed while the work runs, so work of a killed replica can be claimed again within seconds.
Every finishing statement names the owner (fencing): a replica that lost its lease writes nothing. A replica does not
claim a row again while it still works on it, even after losing the lease: fencing needs two different owners.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Sequence
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from typing import Any, Final, Literal, TypeVar
from uuid import UUID

import structlog
from sqlalchemy import (
    Column,
    ColumnElement,
    Executable,
    Table,
    Update,
    and_,
    bindparam,
    exists,
    func,
    null,
    or_,
    select,
    update,
)
from sqlalchemy.sql.dml import ReturningUpdate

from app.db.database import Database
from app.db.expressions import LIMIT, NOW_PARAM, is_among, is_none_of
from app.db.mapping.rows import IncoherentRow
from app.db.quarantine import Quarantine
from app.db.tables import card_copies, cards, metadata
from app.flow.ports.database import DatabaseUnavailable

log = structlog.get_logger(__name__)
T = TypeVar("T")

LEASE_DURATION: Final = timedelta(milliseconds=3500)
RENEW_INTERVAL: Final = timedelta(seconds=1)

UNREADABLE_ROW_ERRORS: Final = (IncoherentRow, ValueError, TypeError, KeyError, AttributeError)
"""Raised when a row holds a value that this release does not know."""

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
    "channel_announcements",
    "direct_messages",
    "probe_runs",
]
NO_LEASE: Final = {"claimed_by": null(), "claimed_until": null()}
"""The values that end a lease."""

EXTRA_CONDITIONS: Final[dict[Work, ColumnElement[bool]]] = {
    # Update a card at most once in two seconds.
    "cards": or_(cards.c.drawn_at.is_(None), cards.c.drawn_at <= NOW_PARAM - timedelta(seconds=2)),
    # Remove no copy while the place of the gate's own card is unknown, and never the card itself.
    "card_copies": exists().where(
        cards.c.gate_id == card_copies.c.gate_id,
        cards.c.posting_since.is_(None),
        cards.c.ts != card_copies.c.ts,
    ),
}
"""Additional conditions for claiming a due row."""


def claim_statement(work: Work) -> ReturningUpdate[Any]:
    """Leases up to `limit` due rows to `owner` and gives their keys and attempts.

    ARRAY(…), because a subquery in a join may run more than once, and then takes more than `limit`. The commit is
    asynchronous: a lease need not survive a crash of Postgres; the work is then claimed again.
    """
    table, key = _table_and_key(work)
    due = (
        select(key)
        .where(
            table.c.due_at <= NOW_PARAM,
            or_(table.c.claimed_until.is_(None), table.c.claimed_until <= NOW_PARAM),
            is_none_of(key, "busy"),
        )
        .order_by(table.c.due_at)
        .limit(LIMIT)
        .with_for_update(key_share=True, skip_locked=True)
    )
    if work in EXTRA_CONDITIONS:
        due = due.where(EXTRA_CONDITIONS[work])
    return (
        update(table)
        .where(is_among(key, due))
        .values(
            claimed_by=bindparam("owner"), claimed_until=bindparam("until"), attempts=table.c.attempts + 1
        )
        .returning(key.label("key"), table.c.attempts, func.set_config("synchronous_commit", "off", True))
    )


def renew_statement(work: Work) -> Update:
    """Extends one lease, if the owner still holds it."""
    table, _ = _table_and_key(work)
    return update(table).where(is_leased(work)).values(claimed_until=bindparam("until"))


def release_statement(work: Work) -> Update:
    """Ends one lease, if the owner still holds it; any replica may claim the row at once."""
    table, _ = _table_and_key(work)
    return update(table).where(is_leased(work)).values(**NO_LEASE, last_error=bindparam("error"))


def is_leased(work: Work) -> ColumnElement[bool]:
    """The row with the key `key`, if `owner` holds its lease: the fence of every finishing statement."""
    table, key = _table_and_key(work)
    return and_(key == bindparam("key"), table.c.claimed_by == bindparam("owner"))


def _table_and_key(work: Work) -> tuple[Table, Column[Any]]:
    table = metadata.tables[work]
    return table, table.primary_key.columns[0]


class Leases:
    """One replica's leases on one kind of work."""

    def __init__(self, database: Database, work: Work, owner: UUID) -> None:
        self._database = database
        self._claim = claim_statement(work)
        self._renew = renew_statement(work)
        self._release = release_statement(work)
        self._busy: set[UUID | int] = set()
        self.work: Final = work
        self.quarantine = Quarantine(work)
        self.owner = owner

    def fence(self, key: UUID | int) -> dict[str, Any]:
        """The parameters of `is_leased`: this row, and this replica."""
        return {"key": key, "owner": self.owner}

    async def claim(self, *, now: datetime, limit: int) -> dict[Any, int]:
        """Key -> attempts of the rows now leased."""
        return {row.key: row.attempts for row in await self.claim_with(self._claim, now=now, limit=limit)}

    async def claim_with(self, statement: Executable, *, now: datetime, limit: int) -> Sequence[Any]:
        """The rows of a statement that contains `claim_statement`."""
        return await self._database.execute(
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
        """Builds the claimed rows. Unreadable ones are quarantined here and free for other replicas."""
        found = []
        for row in rows:
            try:
                found.append(build(row))
            except UNREADABLE_ROW_ERRORS as exc:
                await self.set_aside(key(row), problem=str(exc))
        return found

    async def set_aside(self, key: UUID | int, *, problem: str, exc: BaseException | None = None) -> None:
        """Quarantines a row here and releases its lease; see `Quarantine`."""
        self.quarantine.add(key, problem=problem, exc=exc)
        await self._database.execute(self._release, **self.fence(key), error=problem[:500])

    @asynccontextmanager
    async def renewed(self, key: UUID | int, *, now: datetime) -> AsyncIterator[None]:
        """Renews the lease while the block runs. `now` is when it was claimed."""
        is_done = asyncio.Event()
        renewing = asyncio.create_task(self._renew_until(key, now, is_done))
        self._busy.add(key)
        try:
            yield
        finally:
            is_done.set()  # do not cancel: a cancelled statement costs its connection
            await asyncio.wait([renewing])
            self._busy.discard(key)

    async def _renew_until(self, key: UUID | int, claimed: datetime, is_done: asyncio.Event) -> None:
        clock = asyncio.get_running_loop().time
        began = clock()
        while not await _is_set_within(is_done, RENEW_INTERVAL.total_seconds()):
            until = claimed + timedelta(seconds=clock() - began) + LEASE_DURATION
            try:
                await self._database.execute(self._renew, **self.fence(key), until=until)
            except DatabaseUnavailable:
                continue  # the finish is fenced: at worst another replica repeats the work


async def _is_set_within(event: asyncio.Event, seconds: float) -> bool:
    try:
        async with asyncio.timeout(seconds):
            return await event.wait()
    except TimeoutError:
        return False


def readable_rows(rows: Iterable[Any], build: Callable[[Any], T]) -> Iterator[T]:
    """Builds the rows of a page or a list, and skips unreadable ones.

    Each problem is logged once an hour.
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
