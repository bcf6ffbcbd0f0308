"""The deployer of a live switch: as the deployment names it, and as resolved to a Slack user."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from sqlalchemy import Text, bindparam, cast, exists, func, literal_column, select, union, update
from sqlalchemy.dialects.postgresql import ARRAY, JSONB, JSONPATH

from app.db.audit_insert import insert_events
from app.db.audit_lock import SWITCH_AUDIT_LOCK
from app.db.database import Database
from app.db.expressions import LIMIT, SWITCH_PARAM, condition, is_none_of
from app.db.gate_view import GATE_VIEW, IS_AWAITING, SWITCH_COLUMNS
from app.db.invalidate_cards import invalidate_cards
from app.db.leases import readable_rows
from app.db.mapping.rows import gate_view_from_row, switch_from_row
from app.db.statements import execute
from app.db.tables import evidence, gates, switches, votes
from app.flow.audit_events import Event
from app.flow.evidence.resolve_deployer import UnknownDeployer
from app.flow.read_models import GateView
from app.gate.deployer import Deployer
from app.gate.ids import GateId

# Strict mode: lax mode would unwrap each [key, value] pair before the filter.
GITHUB_ACTOR_PATH: Final = 'strict $.green.revision.tags[*] ? (@[0] == "github-actor")[1]'

_waiting = (
    select(switches.c.id)
    .where(
        switches.c.id.in_(select(gates.c.switch_id).where(IS_AWAITING)),
        switches.c.deployer.is_(None),
        switches.c.verified_at.is_not(None),
        switches.c.ended_at.is_(None),
    )
    .cte("waiting")
)
_chosen = union(
    select(_waiting.c.id).order_by(_waiting.c.id.desc()).limit(LIMIT),
    select(_waiting.c.id).where(_waiting.c.id > bindparam("after")).order_by(_waiting.c.id).limit(LIMIT),
).cte("chosen")
_github_actor = func.jsonb_path_query_first(
    evidence.c.seen,
    cast(bindparam("tag", type_=Text), JSONPATH),
    literal_column("'{}'::jsonb"),
    literal_column("true"),
    type_=JSONB,
)
SELECT_UNKNOWN: Final = (
    select(
        *SWITCH_COLUMNS,
        select(func.max(_github_actor.op("#>>")(literal_column("'{}'"))))
        .join_from(gates, evidence, evidence.c.gate_id == gates.c.id)
        .where(gates.c.switch_id == switches.c.id, IS_AWAITING)
        .correlate(switches)
        .scalar_subquery()
        .label("tag"),
    )
    .join_from(_chosen, switches, switches.c.id == _chosen.c.id)
    .order_by(switches.c.id)
)

_NAMED_BEFORE: Final = bindparam("before", type_=ARRAY(Text))
STORE_DEPLOYER: Final = (
    update(switches)
    .where(
        switches.c.id == SWITCH_PARAM,
        condition(SWITCH_AUDIT_LOCK),
        switches.c.deployer.is_(None),
        switches.c.named_deployers == _NAMED_BEFORE,
    )
    .values(deployer=bindparam("user"), deployed_by=bindparam("shown"), named_deployers=bindparam("named"))
    .returning(switches.c.id)
)
INVALIDATE_CARDS: Final = invalidate_cards(gates.c.switch_id == SWITCH_PARAM, IS_AWAITING)


SELECT_WITH_EARLIER_APPROVALS: Final = (
    GATE_VIEW.where(
        IS_AWAITING,
        switches.c.verified_at.is_not(None),
        switches.c.deployer.is_not(None),
        is_none_of(gates.c.id, "skip"),
        exists().where(
            votes.c.gate_id == gates.c.id,
            votes.c.choice == "approve",
            votes.c.voted_at > bindparam("since"),
        ),
    )
    .order_by(gates.c.deadline_at)
    .limit(LIMIT)
)


class Deployers:
    """See `app.flow.evidence.resolve_deployer.DeployerRepository` and
    `app.flow.approval.approve_by_earlier_votes.EarlierVotes`.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    async def unknown(self, *, after: int, limit: int) -> Sequence[UnknownDeployer]:
        """Waiting switches whose deployer is not known: the newest, and those with ids above `after`."""
        rows = await self._database.execute(SELECT_UNKNOWN, after=after, limit=limit, tag=GITHUB_ACTOR_PATH)
        return list(
            readable_rows(rows, lambda row: UnknownDeployer(switch=switch_from_row(row), tag=row.tag))
        )

    async def with_earlier_approvals(
        self, *, since: datetime, limit: int, skip: Sequence[GateId]
    ) -> Sequence[GateView]:
        """Waiting gates whose deployer is known and that somebody has approved after `since`."""
        rows = await self._database.execute(
            SELECT_WITH_EARLIER_APPROVALS, since=since, limit=limit, skip=list(skip)
        )
        return list(readable_rows(rows, gate_view_from_row))

    async def store(
        self, unknown: UnknownDeployer, found: Deployer, *, shown: str | None, event: Event, now: datetime
    ) -> bool:
        """Stores the people; False if another replica was first."""
        before = sorted(unknown.switch.named_deployers)
        is_news = found.known is not None or sorted(found.named) != before
        values = {
            "switch": unknown.switch.id,
            "user": found.known,
            "shown": shown,
            "named": sorted(found.named),
            "before": before,
        }
        async with self._database.transaction() as connection:
            if not await execute(connection, STORE_DEPLOYER, values):
                return False
            await execute(connection, INVALIDATE_CARDS, {"switch": unknown.switch.id, "now": now})
            await insert_events(connection, [event] if is_news else [])
            return True
