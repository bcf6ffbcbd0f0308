"""Makes work that failed at AWS due again as soon as AWS is reachable."""

from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import ColumnElement, Table, Update, func, update

from app.db.database import Database
from app.db.expressions import NOW_PARAM
from app.db.tables import interventions, reports, switches

MAX_JITTER: Final = timedelta(milliseconds=300)
"""Spreads the retries over time."""


def _retry(table: Table, *where: ColumnElement[bool]) -> Update:
    """Makes failed work due at once, or nearly."""
    failed = (table.c.due_at > NOW_PARAM + MAX_JITTER, table.c.last_error.is_not(None))
    return update(table).where(*failed, *where).values(due_at=NOW_PARAM + func.random() * MAX_JITTER)


RETRY_REPORTS: Final = _retry(reports)
RETRY_INTERVENTIONS: Final = _retry(interventions, interventions.c.phase == "requested")
RETRY_SWITCHES: Final = _retry(switches)


class Retries:
    """Work that is retried at AWS after a failure."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def bring_forward(self, *, now: datetime) -> None:
        """Decisions first. Each kind in a transaction of its own, so that none waits for rows of another."""
        for statement in (RETRY_REPORTS, RETRY_INTERVENTIONS, RETRY_SWITCHES):
            await self._database.execute(statement, now=now)
