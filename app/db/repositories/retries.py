"""Makes work that failed at AWS due again as soon as AWS is reachable."""

from datetime import datetime
from typing import Final

from app.db.database import Database

JITTER: Final = "random() * interval '300 milliseconds'"
"""Spreads the retries over time."""

RETRY_REPORTS: Final = f"""
UPDATE reports SET due_at = CAST(:now AS timestamptz) + {JITTER}
WHERE due_at > CAST(:now AS timestamptz) + interval '300 milliseconds' AND last_error IS NOT NULL
"""
RETRY_INTERVENTIONS: Final = f"""
UPDATE interventions SET due_at = CAST(:now AS timestamptz) + {JITTER}
WHERE due_at > CAST(:now AS timestamptz) + interval '300 milliseconds'
    AND phase = 'requested' AND last_error IS NOT NULL
"""
RETRY_SWITCHES: Final = f"""
UPDATE switches SET due_at = CAST(:now AS timestamptz) + {JITTER}
WHERE due_at > CAST(:now AS timestamptz) + interval '300 milliseconds' AND last_error IS NOT NULL
"""


class Retries:
    """Work that is retried at AWS after a failure."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def bring_forward(self, *, now: datetime) -> None:
        """Decisions first. Each kind in a transaction of its own, so that none waits for rows of another."""
        for statement in (RETRY_REPORTS, RETRY_INTERVENTIONS, RETRY_SWITCHES):
            await self._database.rows(f"{statement} RETURNING 1", now=now)
