"""The deployers of a live switch: named and certain ones."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from app.db.audit_insert import INSERT_EVENTS, events_parameter
from app.db.audit_lock import SWITCH_AUDIT_LOCK
from app.db.database import Database
from app.db.invalidate_cards import invalidate_cards
from app.db.leases import readable_rows
from app.db.mapping.rows import SELECT_GATE_VIEW, SWITCH_COLUMNS, gate_view_from_row, switch_from_row
from app.flow.audit_events import Event
from app.flow.evidence.resolve_deployer import UnknownDeployer
from app.flow.read_models import GateView
from app.gate.deployer import Deployer
from app.gate.ids import GateId

# Strict mode: lax mode would unwrap each [key, value] pair before the filter.
GITHUB_ACTOR_PATH: Final = 'strict $.green.revision.tags[*] ? (@[0] == "github-actor")[1]'

SELECT_UNKNOWN: Final = f"""
WITH waiting AS (
    SELECT s.id FROM switches s
    WHERE s.id IN (SELECT w.switch_id FROM gates w WHERE w.phase = 'awaiting')
        AND s.deployer IS NULL AND s.verified_at IS NOT NULL AND s.ended_at IS NULL
), chosen AS (
    (SELECT id FROM waiting ORDER BY id DESC LIMIT :limit)
    UNION
    (SELECT id FROM waiting WHERE id > :after ORDER BY id LIMIT :limit)
)
SELECT {SWITCH_COLUMNS}, (
    SELECT max(jsonb_path_query_first(e.seen, CAST(:tag AS jsonpath), '{{}}', true) #>> '{{}}')
    FROM gates w JOIN evidence e ON e.gate_id = w.id WHERE w.switch_id = s.id AND w.phase = 'awaiting'
) AS tag
FROM chosen JOIN switches s ON s.id = chosen.id
ORDER BY s.id
"""

STORE_DEPLOYER: Final = f"""
WITH s AS (
    UPDATE switches SET deployer = :deployer, deployed_by = :shown, named_deployers = CAST(:named AS text[])
    WHERE id = :id AND {SWITCH_AUDIT_LOCK} AND deployer IS NULL AND named_deployers = CAST(:before AS text[])
    RETURNING id
), {invalidate_cards("gates.phase = 'awaiting'", join="JOIN s ON gates.switch_id = s.id")}, a AS (
    {INSERT_EVENTS} WHERE EXISTS (SELECT 1 FROM s) AND CAST(:news AS boolean)
)
SELECT id FROM s
"""


SELECT_WITH_EARLIER_APPROVALS: Final = f"""
{SELECT_GATE_VIEW} WHERE g.phase = 'awaiting' AND s.verified_at IS NOT NULL AND s.deployer IS NOT NULL
    AND g.id <> ALL(:skip) AND EXISTS (
    SELECT 1 FROM votes v WHERE v.gate_id = g.id AND v.choice = 'approve' AND v.voted_at > :since
)
ORDER BY g.deadline_at LIMIT :limit
"""


class Deployers:
    """See `app.flow.evidence.resolve_deployer.DeployerRecord` and
    `app.flow.approval.approve_by_earlier_votes.EarlierVotes`.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    async def unknown(self, *, after: int, limit: int) -> Sequence[UnknownDeployer]:
        """Waiting switches whose deployer is not known: the newest, and those with ids above `after`."""
        rows = await self._database.rows(SELECT_UNKNOWN, after=after, limit=limit, tag=GITHUB_ACTOR_PATH)
        return list(
            readable_rows(rows, lambda row: UnknownDeployer(switch=switch_from_row(row), tag=row.tag))
        )

    async def with_earlier_approvals(
        self, *, since: datetime, limit: int, skip: Sequence[GateId]
    ) -> Sequence[GateView]:
        """Waiting gates whose deployer is known and that somebody has approved after `since`."""
        rows = await self._database.rows(
            SELECT_WITH_EARLIER_APPROVALS, since=since, limit=limit, skip=list(skip)
        )
        return list(readable_rows(rows, gate_view_from_row))

    async def store(
        self, unknown: UnknownDeployer, found: Deployer, *, shown: str | None, event: Event, now: datetime
    ) -> bool:
        """Stores the people; False if another replica was first."""
        before = sorted(unknown.switch.named_deployers)
        rows = await self._database.rows(
            STORE_DEPLOYER,
            id=unknown.switch.id,
            deployer=found.known,
            shown=shown,
            named=sorted(found.named),
            before=before,
            news=found.known is not None or sorted(found.named) != before,
            now=now,
            events=events_parameter([event]),
        )
        return bool(rows)
