"""The queries of App Home: all waiting gates in brief, some in full, and the last decisions."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from app.db.database import Database
from app.db.leases import readable_rows
from app.db.mapping.rows import SELECT_GATE_VIEW, gate_view_from_row
from app.db.queries.search import Pending
from app.db.repositories.evidence import SELECT_GATE_WITH_EVIDENCE, gate_view_with_evidence
from app.db.repositories.exclusivity import related_switches
from app.db.repositories.messages.channels import current_id
from app.flow.read_models import CardPlace, GateView
from app.gate.ids import DomainName, GateId
from app.gate.rules.exclusivity import RelatedSwitch
from app.gate.rules.policy import Shift

_SELECT, _FROM = SELECT_GATE_WITH_EVIDENCE.split(" FROM gates g ", 1)
SELECT_WAITING: Final = """
SELECT g.id, s.domain, s.traffic ->> 'shift' AS shift FROM gates g JOIN switches s ON s.id = g.switch_id
WHERE g.phase = 'awaiting' ORDER BY g.deadline_at, g.id
"""
SELECT_WAITING_BY_ID: Final = f"""
{_SELECT}, {current_id("c.channel")} AS channel, c.ts FROM gates g {_FROM} LEFT JOIN cards c ON c.gate_id = g.id
WHERE g.id = ANY(:gates) AND g.phase = 'awaiting' ORDER BY g.deadline_at, g.id
"""
SELECT_LAST_DECIDED: Final = f"""
{SELECT_GATE_VIEW} WHERE g.id = ANY(ARRAY(
    SELECT id FROM gates WHERE decided_at IS NOT NULL ORDER BY decided_at DESC LIMIT :limit
)) ORDER BY g.decided_at DESC
"""
SELECT_STATE_VERSION: Final = """
SELECT concat_ws(' ', (SELECT concat(count(*), ' ', sum(version)) FROM gates WHERE phase = 'awaiting'),
    (SELECT concat(count(*), ' ', max(id)) FROM freezes WHERE ended_at IS NULL)) AS change_token
"""


@dataclass(frozen=True, kw_only=True, slots=True)
class WaitingGate:
    """A waiting gate in brief. `domain` is None while CodeDeploy has not confirmed it."""

    id: GateId
    domain: DomainName | None
    shift: Shift | None


class HomeQueries:
    """The queries of Home and of bulk approval."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def waiting(self) -> Sequence[WaitingGate]:
        """Every waiting gate, the nearest deadline first."""
        return list(readable_rows(await self._database.rows(SELECT_WAITING), _waiting))

    async def related_switches(self, domains: Sequence[DomainName]) -> Sequence[RelatedSwitch]:
        """See `app.flow.approval.approval_context.RelatedSwitchRecord`."""
        return await related_switches(self._database, domains)

    async def gates(self, gates: Sequence[GateId]) -> Sequence[Pending]:
        """Those of these gates that still wait, with their evidence, the nearest deadline first."""
        if not gates:
            return []
        return list(
            readable_rows(await self._database.rows(SELECT_WAITING_BY_ID, gates=list(gates)), _pending)
        )

    async def last_decided(self, *, limit: int) -> Sequence[GateView]:
        """The latest decisions of all domains, newest first."""
        return list(
            readable_rows(await self._database.rows(SELECT_LAST_DECIDED, limit=limit), gate_view_from_row)
        )

    async def change_token(self) -> str:
        """A change token: differs after any change of the waiting gates or active freezes."""
        token: str = (await self._database.rows(SELECT_STATE_VERSION))[0].change_token
        return token


def _waiting(row: Any) -> WaitingGate:
    return WaitingGate(
        id=GateId(row.id),
        domain=DomainName(row.domain) if row.domain else None,
        shift=Shift(row.shift) if row.shift else None,
    )


def _pending(row: Any) -> Pending:
    place = CardPlace(channel=row.channel, ts=row.ts) if row.ts else None
    return Pending(view=gate_view_with_evidence(row), place=place)
