"""Who deployed a live switch: named by the deployment, found later as somebody in Slack."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from app.flow.events import Event
from app.flow.know_deployer import Unknown
from app.gate.ids import UserId
from app.record.chain import SWITCH_CHAIN
from app.record.database import Database
from app.record.events import INSERT, as_parameter
from app.record.rows import SWITCH, switch_of

# The task definition's `github-actor`, once the evidence has it, goes before what the deployment itself says.
UNKNOWN: Final = f"""
SELECT {SWITCH}, n.name AS named FROM switches s
JOIN (
    SELECT w.switch_id, max(e.seen #>> '{{commits,actor}}') AS tagged
    FROM gates w LEFT JOIN evidence e ON e.gate_id = w.id WHERE w.phase = 'awaiting' GROUP BY w.switch_id
) t ON t.switch_id = s.id
CROSS JOIN LATERAL (SELECT coalesce(t.tagged, s.deployed_by) AS name) n
WHERE s.deployer IS NULL AND s.verified_at IS NOT NULL AND s.ended_at IS NULL
    AND (n.name LIKE '%@%' OR lower(n.name) = ANY(:logins))
ORDER BY s.id LIMIT :limit
"""

KNOWN: Final = f"""
WITH s AS (
    UPDATE switches SET deployer = :deployer, deployed_by = :named
    WHERE id = :id AND {SWITCH_CHAIN} AND deployer IS NULL RETURNING id
), g AS (
    UPDATE gates SET version = version + 1 FROM s
    WHERE gates.switch_id = s.id AND gates.phase = 'awaiting' RETURNING gates.id, gates.version
), c AS (
    UPDATE cards SET wanted_version = g.version, due_at = :now, attempts = 0 FROM g WHERE cards.gate_id = g.id
), a AS (
    {INSERT} WHERE EXISTS (SELECT 1 FROM s)
)
SELECT id FROM s
"""


class Deployers:
    """See `app.flow.know_deployer.DeployerRecord`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def unknown(self, *, logins: Sequence[str], limit: int) -> Sequence[Unknown]:
        """Live switches with a waiting gate whose deployer is named, may be found, and is not known.

        `logins`: those that the configuration maps, in small letters.
        """
        rows = await self._database.rows(UNKNOWN, logins=list(logins), limit=limit)
        return [Unknown(switch=switch_of(row), named=row.named) for row in rows]

    async def deployer_known(
        self, unknown: Unknown, deployer: UserId, event: Event, *, now: datetime
    ) -> bool:
        """Stores who deployed; False when somebody else was first."""
        rows = await self._database.rows(
            KNOWN,
            id=unknown.switch.id,
            deployer=deployer,
            named=unknown.named,
            now=now,
            events=as_parameter([event]),
        )
        return bool(rows)
