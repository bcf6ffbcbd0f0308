"""Updates the card of a domain's previous switch: while a later switch is in progress it offers no undo.

The update runs separately, because a transaction that opens, verifies or ends a switch must not wait for rows of
another one.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import BigInteger, Text, bindparam, null, select, update

from app.db.database import Database
from app.db.expressions import LIMIT, NOW_PARAM, ONE, SWITCH_PARAM, is_among, is_none_of
from app.db.gate_view import SUCCEEDED
from app.db.invalidate_cards import invalidate_cards
from app.db.tables import gates, switches
from app.gate.ids import DomainName

SELECT_STALE: Final = (
    select(switches.c.id, switches.c.domain, switches.c.previous_stale_since.label("since"))
    .where(switches.c.previous_stale_since.is_not(None), is_none_of(switches.c.id, "skip"))
    .order_by(switches.c.previous_stale_since)
    .limit(LIMIT)
)
_previous = (
    select(switches.c.id)
    .where(
        switches.c.domain == bindparam("of_domain", type_=Text),
        -switches.c.id > -bindparam("before", type_=BigInteger),
        switches.c.status == SUCCEEDED,
    )
    .order_by(-switches.c.id)
    .limit(ONE)
)
INVALIDATE_PREVIOUS_CARD: Final = invalidate_cards(is_among(gates.c.switch_id, _previous))
# CodeDeploy runs one deployment of a group at a time. Where a newer one has come, earlier ones are over or about to be:
# they are polled at once, so that no card asks for an approval while another one says that it was rolled back.
_earlier = (
    select(switches.c.id)
    .where(
        switches.c.domain == bindparam("of_domain", type_=Text),
        switches.c.id < bindparam("before", type_=BigInteger),
        switches.c.ended_at.is_(None),
        switches.c.due_at > NOW_PARAM,
    )
    .order_by(switches.c.id)
    .with_for_update(key_share=True)
)
MAKE_EARLIER_DUE: Final = (
    update(switches).where(is_among(switches.c.id, _earlier)).values(due_at=NOW_PARAM).returning(ONE)
)
# It may have become stale again meanwhile.
CLEAR_STALE: Final = (
    update(switches)
    .where(switches.c.id == SWITCH_PARAM, switches.c.previous_stale_since == bindparam("since"))
    .values(previous_stale_since=null())
)


@dataclass(frozen=True, kw_only=True, slots=True)
class StalePrevious:
    """A switch since whose last change the card of its domain's previous switch was not redrawn."""

    id: int
    domain: DomainName | None
    since: datetime


class PreviousCards:
    """Cards that a later switch has made stale."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def stale(self, *, limit: int, skip: Sequence[int]) -> Sequence[StalePrevious]:
        """The longest stale first."""
        rows = await self._database.execute(SELECT_STALE, limit=limit, skip=list(skip))
        return [
            StalePrevious(id=row.id, domain=DomainName(row.domain) if row.domain else None, since=row.since)
            for row in rows
        ]

    async def redraw(self, stale: StalePrevious, *, now: datetime) -> None:
        """Invalidates the card, and has earlier deployments polled. Idempotent; each statement in a transaction of its
        own."""
        domain = {"of_domain": stale.domain, "before": stale.id, "now": now}
        await self._database.execute(INVALIDATE_PREVIOUS_CARD, **domain)
        await self._database.execute(MAKE_EARLIER_DUE, **domain)
        await self._database.execute(CLEAR_STALE, switch=stale.id, since=stale.since)
