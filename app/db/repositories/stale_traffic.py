"""Shares of traffic that were not read again in time: they become unknown, and the cards say so.

A card is drawn from the record only, so the record has to say it; no poll may be there to do so.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from sqlalchemy import null, select, true, union_all, update

from app.db.database import Database
from app.db.expressions import LIMIT, NOW_PARAM, SWITCH_PARAM, is_among, is_none_of
from app.db.invalidate_cards import invalidate_cards
from app.db.tables import gates, switches

SELECT_STALE: Final = (
    select(switches.c.id)
    .where(
        switches.c.due_at.is_not(None),
        switches.c.traffic_stale_at <= NOW_PARAM,
        is_none_of(switches.c.id, "skip"),
    )
    .order_by(switches.c.traffic_stale_at)
    .limit(LIMIT)
)
_original = switches.alias("original")
_stale = (
    update(switches)
    .where(switches.c.id == SWITCH_PARAM, switches.c.traffic_stale_at <= NOW_PARAM)
    .values(traffic_unknown=true(), traffic_stale_at=null())
    .returning(switches.c.id, switches.c.account, switches.c.region, switches.c.deployment_id)
    .cte("stale")
)
# The card of a switch that is being rolled back shows what its rollback has moved.
_rolled_back = select(_original.c.id).where(
    _original.c.rollback_id == _stale.c.deployment_id,
    _original.c.account == _stale.c.account,
    _original.c.region == _stale.c.region,
)
MARK_UNKNOWN: Final = invalidate_cards(
    is_among(gates.c.switch_id, union_all(select(_stale.c.id), _rolled_back))
)


class StaleTraffic:
    """Live switches whose share of traffic counts as known, and was read too long ago."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def stale(self, *, now: datetime, limit: int, skip: Sequence[int]) -> Sequence[int]:
        """The ids of such switches."""
        rows = await self._database.execute(SELECT_STALE, now=now, limit=limit, skip=list(skip))
        return [row.id for row in rows]

    async def mark_unknown(self, switch: int, *, now: datetime) -> None:
        """Stores that the share is unknown and invalidates the cards that show it. Nothing if it was read meanwhile."""
        await self._database.execute(MARK_UNKNOWN, switch=switch, now=now)
