"""Slack channels: changed ids, and channels that accept no messages."""

from collections.abc import Mapping
from datetime import datetime
from typing import Final

import structlog
from sqlalchemy import Column, ColumnElement, Table, Update, delete, func, select, update
from sqlalchemy.dialects.postgresql import insert

from app.db.database import Database
from app.db.expressions import NOW_PARAM
from app.db.statements import execute
from app.db.tables import announcements, cards, channel_id_changes, channel_problems, threads

log = structlog.get_logger(__name__)

CHANNEL_FACTS: Final = (
    select(func.jsonb_object_agg(channel_id_changes.c.old_id, channel_id_changes.c.new_id))
    .scalar_subquery()
    .label("id_changes"),
    select(func.jsonb_object_agg(channel_problems.c.channel, channel_problems.c.problem))
    .scalar_subquery()
    .label("channel_problems"),
)
"""Both tables as JSON columns; NULL where a table is empty."""

SELECT_FACTS: Final = select(*CHANNEL_FACTS)

# Rows of closed gates keep the old id: `current_id` maps it on reading.
SELECT_OPEN_GATES: Final = "SELECT g.id FROM gates g WHERE g.phase <> 'closed'"
STORE_ID_CHANGE: Final = f"""
WITH again AS (
    DELETE FROM channel_id_changes WHERE old_id = :new
), chained AS (
    UPDATE channel_id_changes SET new_id = :new, learned_at = :now WHERE new_id = :old AND old_id <> :new
), change AS (
    INSERT INTO channel_id_changes (old_id, new_id, learned_at) VALUES (:old, :new, :now)
    ON CONFLICT (old_id) DO UPDATE SET new_id = excluded.new_id, learned_at = excluded.learned_at
), problem AS (
    DELETE FROM channel_problems WHERE channel = :old
), c AS (
    UPDATE cards SET channel = CASE WHEN channel = :old THEN :new ELSE channel END,
        posting_channel = CASE WHEN posting_channel = :old THEN :new ELSE posting_channel END,
        fingerprint = NULL, due_at = :now
    WHERE gate_id = ANY(ARRAY(
        SELECT gate_id FROM cards WHERE gate_id IN ({SELECT_OPEN_GATES}) AND :old IN (channel, posting_channel)
        ORDER BY gate_id FOR NO KEY UPDATE SKIP LOCKED
    ))
), t AS (
    UPDATE threads SET posting_channel = CASE WHEN posting_channel = :old THEN :new ELSE posting_channel END,
        due_at = CASE WHEN due_at IS NULL THEN NULL ELSE CAST(:now AS timestamptz) END
    WHERE gate_id = ANY(ARRAY(
        SELECT gate_id FROM threads WHERE due_at IS NOT NULL AND gate_id IN (
            SELECT gate_id FROM cards WHERE gate_id IN ({SELECT_OPEN_GATES}) AND :old IN (channel, posting_channel))
        ORDER BY gate_id FOR NO KEY UPDATE SKIP LOCKED
    ))
), n AS (
    UPDATE announcements SET due_at = :now WHERE id = ANY(ARRAY(
        SELECT id FROM announcements WHERE due_at > :now AND gate_id IN (
            SELECT gate_id FROM cards WHERE gate_id IN ({SELECT_OPEN_GATES}) AND :old IN (channel, posting_channel))
        ORDER BY id FOR NO KEY UPDATE SKIP LOCKED
    ))
), copies AS (
    UPDATE card_copies SET channel = :new, due_at = :now WHERE channel = :old AND due_at IS NOT NULL
)
SELECT 1
"""
"""As text: one statement, so that no replica sees an id changed in one table and not yet in another."""

_problem = insert(channel_problems)
UPSERT_PROBLEM: Final = _problem.on_conflict_do_update(
    index_elements=[channel_problems.c.channel], set_={"problem": _problem.excluded.problem}
)
DELETE_PROBLEMS: Final = delete(channel_problems)


def _make_due(table: Table) -> Update:
    """What waits for a retry is due now."""
    return (
        update(table).where(table.c.due_at > NOW_PARAM, table.c.claimed_by.is_(None)).values(due_at=NOW_PARAM)
    )


RETRY_CARDS: Final = _make_due(cards)
RETRY_THREADS: Final = _make_due(threads)
RETRY_ANNOUNCEMENTS: Final = _make_due(announcements)


def current_id(column: Column[str]) -> ColumnElement[str]:
    """The channel id in `column`, or the one that has taken its place."""
    new_id = select(channel_id_changes.c.new_id).where(channel_id_changes.c.old_id == column)
    return func.coalesce(new_id.correlate(column.table).scalar_subquery(), column)


class Channels:
    """Facts about Slack channels that all replicas share."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def id_changed(self, *, old: str, new: str, now: datetime) -> None:
        """Replaces the old id where it is still in use. Idempotent."""
        if old == new:
            return
        log.warning("channel_id_changed", old=old, new=new, remedy="name the new id in switchgate.toml")
        await self._database.execute(STORE_ID_CHANGE, old=old, new=new, now=now)

    async def closed(self, channel: str, *, problem: str, now: datetime) -> None:
        """Slack permanently rejects messages in this channel."""
        await self._database.execute(UPSERT_PROBLEM, channel=channel, problem=problem, since=now)

    async def retry_all(self, *, now: datetime) -> None:
        """Retries everything that waits for Slack at once."""
        async with self._database.transaction() as connection:
            await execute(connection, DELETE_PROBLEMS, {})
            for statement in (RETRY_CARDS, RETRY_THREADS, RETRY_ANNOUNCEMENTS):
                await execute(connection, statement, {"now": now})

    async def known(self) -> tuple[Mapping[str, str], Mapping[str, str]]:
        """Changed ids, old to new; and channels that take no messages, with Slack's reason."""
        (row,) = await self._database.execute(SELECT_FACTS)
        return row.id_changes or {}, row.channel_problems or {}
