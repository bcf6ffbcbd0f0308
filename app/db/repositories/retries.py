"""What waits for another try because AWS could not be asked: due again at once when it can."""

from datetime import datetime
from typing import Final

from app.db.database import Database

JITTER: Final = "random() * interval '300 milliseconds'"
"""So that what waited does not come back to AWS in one moment."""

RETRY_REPORTS: Final = f"""
UPDATE reports SET due_at = CAST(:now AS timestamptz) + {JITTER}
WHERE due_at > CAST(:now AS timestamptz) + interval '300 milliseconds' AND last_error IS NOT NULL
"""
RETRY_INTERVENTIONS: Final = f"""
UPDATE interventions SET due_at = CAST(:now AS timestamptz) + {JITTER}
WHERE due_at > CAST(:now AS timestamptz) + interval '300 milliseconds' AND phase = 'asked' AND last_error IS NOT NULL
"""
RETRY_SWITCHES: Final = f"""
UPDATE switches SET due_at = CAST(:now AS timestamptz) + {JITTER}
WHERE due_at > CAST(:now AS timestamptz) + interval '300 milliseconds' AND last_error IS NOT NULL
"""


class Retries:
    """Everything that is tried again at AWS after a failure."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def bring_forward(self, *, now: datetime) -> None:
        """Decisions first: each kind in a transaction of its own, so that none waits for another's rows."""
        for statement in (RETRY_REPORTS, RETRY_INTERVENTIONS, RETRY_SWITCHES):
            await self._database.rows(f"{statement} RETURNING 1", now=now)
