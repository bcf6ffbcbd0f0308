"""Who deployed a live switch: named by the deployment, found later as somebody in Slack."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from app.flow.events import Event
from app.flow.know_deployer import Unknown
from app.flow.views import Switch
from app.gate.ids import UserId
from app.record.chain import SWITCH_CHAIN
from app.record.database import Database
from app.record.events import INSERT, as_parameter
from app.record.rows import SWITCH, switch_of

UNKNOWN: Final = f"""
SELECT {SWITCH} FROM switches s
WHERE s.deployer IS NULL AND s.deployed_by IS NOT NULL AND s.verified_at IS NOT NULL AND s.ended_at IS NULL
    AND s.id IN (SELECT w.switch_id FROM gates w WHERE w.phase = 'awaiting')
    AND (s.deployed_by LIKE '%@%' OR lower(s.deployed_by) = ANY(:logins))
ORDER BY s.id LIMIT :limit
"""
# The name that the task definition gives goes before what the description says, while nobody is known.
NAMED: Final = "UPDATE switches SET deployed_by = :login WHERE id = :id AND deployer IS NULL"

KNOWN: Final = f"""
WITH s AS (
    UPDATE switches SET deployer = :deployer WHERE id = :id AND {SWITCH_CHAIN} AND deployer IS NULL RETURNING id
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
        return [Unknown(switch=switch_of(row)) for row in rows]

    async def named(self, switch: int, *, login: str) -> None:
        """The task definition's `github-actor` tag was read."""
        await self._database.rows(NAMED, id=switch, login=login[:200])

    async def deployer_known(self, switch: Switch, deployer: UserId, event: Event, *, now: datetime) -> bool:
        """Stores who deployed; False when somebody else was first."""
        rows = await self._database.rows(
            KNOWN, id=switch.id, deployer=deployer, now=now, events=as_parameter([event])
        )
        return bool(rows)
