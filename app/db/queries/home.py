"""The queries of App Home: all waiting gates in brief, some in full, and the last decisions."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import func, select, true

from app.db.database import Database
from app.db.expressions import LIMIT, is_among, is_one_of
from app.db.gate_view import GATE_VIEW, GATE_VIEW_WITH_EVIDENCE, IS_AWAITING
from app.db.leases import readable_rows
from app.db.mapping.rows import gate_view_from_row
from app.db.queries.search import Pending
from app.db.repositories.evidence import gate_view_with_evidence
from app.db.repositories.exclusivity import related_switches
from app.db.repositories.messages.channels import current_id
from app.db.tables import cards, freezes, gates, switches, votes
from app.flow.read_models import CardPlace, GateView
from app.gate.ids import DomainName, GateId, UserId
from app.gate.rules.exclusivity import RelatedSwitch
from app.gate.rules.policy import Shift

_APPROVED_BY: Final = (
    select(func.array_agg(votes.c.voter))
    .where(votes.c.gate_id == gates.c.id, votes.c.choice == "approve")
    .correlate(gates)
    .scalar_subquery()
)
SELECT_WAITING: Final = (
    select(
        gates.c.id,
        switches.c.domain,
        switches.c.traffic["shift"].astext.label("shift"),
        _APPROVED_BY.label("approved_by"),
    )
    .join(switches, switches.c.id == gates.c.switch_id)
    .where(IS_AWAITING)
    .order_by(gates.c.deadline_at, gates.c.id)
)
SELECT_WAITING_BY_ID: Final = (
    GATE_VIEW_WITH_EVIDENCE.add_columns(current_id(cards.c.channel).label("channel"), cards.c.ts)
    .outerjoin(cards, cards.c.gate_id == gates.c.id)
    .where(is_one_of(gates.c.id, "gates"), IS_AWAITING)
    .order_by(gates.c.deadline_at, gates.c.id)
)
_last_decided = (
    select(gates.c.id).where(gates.c.decided_at.is_not(None)).order_by(gates.c.decided_at.desc()).limit(LIMIT)
)
SELECT_LAST_DECIDED: Final = GATE_VIEW.where(is_among(gates.c.id, _last_decided)).order_by(
    gates.c.decided_at.desc()
)
_waiting_gates = (
    select(func.count().label("gates"), func.sum(gates.c.version).label("versions"))
    .where(IS_AWAITING)
    .subquery()
)
_active_freezes = (
    select(func.count().label("freezes"), func.max(freezes.c.id).label("last_freeze"))
    .where(freezes.c.ended_at.is_(None))
    .subquery()
)
SELECT_STATE_VERSION: Final = select(_waiting_gates, _active_freezes).join(_active_freezes, true())
"""One row: each side is an aggregate."""


@dataclass(frozen=True, kw_only=True, slots=True)
class WaitingGate:
    """A waiting gate in brief. `domain` is None while CodeDeploy has not confirmed it."""

    id: GateId
    domain: DomainName | None
    shift: Shift | None
    approved_by: frozenset[UserId]


class HomeQueries:
    """The queries of Home and of bulk approval."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def waiting(self) -> Sequence[WaitingGate]:
        """Every waiting gate, the nearest deadline first."""
        return list(readable_rows(await self._database.execute(SELECT_WAITING), _waiting))

    async def related_switches(self, domains: Sequence[DomainName]) -> Sequence[RelatedSwitch]:
        """See `app.flow.approval.approval_context.RelatedSwitchRepository`."""
        return await related_switches(self._database, domains)

    async def gates(self, gates: Sequence[GateId]) -> Sequence[Pending]:
        """Those of these gates that still wait, with their evidence, the nearest deadline first."""
        if not gates:
            return []
        return list(
            readable_rows(await self._database.execute(SELECT_WAITING_BY_ID, gates=list(gates)), _pending)
        )

    async def last_decided(self, *, limit: int) -> Sequence[GateView]:
        """The latest decisions of all domains, newest first."""
        return list(
            readable_rows(await self._database.execute(SELECT_LAST_DECIDED, limit=limit), gate_view_from_row)
        )

    async def change_token(self) -> str:
        """A change token: differs after any change of the waiting gates or active freezes."""
        (row,) = await self._database.execute(SELECT_STATE_VERSION)
        return f"{row.gates} {row.versions} {row.freezes} {row.last_freeze}"


def _waiting(row: Any) -> WaitingGate:
    return WaitingGate(
        id=GateId(row.id),
        domain=DomainName(row.domain) if row.domain else None,
        shift=Shift(row.shift) if row.shift else None,
        approved_by=frozenset(map(UserId, row.approved_by or ())),
    )


def _pending(row: Any) -> Pending:
    place = CardPlace(channel=row.channel, ts=row.ts) if row.ts else None
    return Pending(view=gate_view_with_evidence(row), place=place)
