"""Switches: looked at from time to time while they live."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from app.flow.events import Event
from app.flow.ports import DueLook, Verification
from app.flow.views import GateView, Switch, Traffic
from app.gate.decision import Verdict
from app.gate.states import Awaiting, Closed
from app.record.database import Database
from app.record.events import INSERT, as_parameter
from app.record.leases import Leases
from app.record.opening import verified_columns
from app.record.rows import SWITCH, VIEW, switch_of, view_of

DUE: Final = f"""
SELECT {SWITCH}, coalesce(
    (SELECT g.hook_name FROM gates g WHERE g.switch_id = s.id ORDER BY g.opened_at LIMIT 1),
    'BeforeAllowTraffic'
) AS hook_name
FROM switches s WHERE s.id = ANY(:ids)
"""
AGAIN: Final = """
UPDATE switches SET due_at = CASE WHEN ended_at IS NULL THEN CAST(:due_at AS timestamptz) END,
    claimed_by = NULL, claimed_until = NULL, last_error = :error,
    attempts = CASE WHEN CAST(:rested AS boolean) THEN 0 ELSE attempts END
WHERE id = :id AND claimed_by = :owner
"""
LOCK: Final = text(
    "SELECT 1 FROM switches WHERE id = :id AND claimed_by = :owner AND ended_at IS NULL FOR NO KEY UPDATE"
)
LOCK_GATES: Final = text(
    "SELECT 1 FROM gates WHERE switch_id = :id AND phase <> 'closed' ORDER BY id FOR UPDATE"
)
THE_SWITCH: Final = text(f"SELECT {SWITCH} FROM switches s WHERE s.id = :id")
OPEN_GATES: Final = text(f"{VIEW} WHERE g.switch_id = :id AND g.phase <> 'closed' ORDER BY g.id")

VERIFY: Final = text("""
WITH s AS (
    UPDATE switches SET domain = :domain, application = :application, deployment_group = :deployment_group,
        creator = :creator, deployed_by = :deployed_by, deployer = :deployer, description = :description,
        config_name = :config_name, listener_port = :listener_port, deployment_created_at = :created_at,
        rollback_of = :rollback_of, status = :status, verified_at = :now
    WHERE id = :id
)
UPDATE reports SET due_at = :now FROM gates g
WHERE g.switch_id = :id AND g.phase = 'decided' AND reports.gate_id = g.id AND reports.due_at IS NULL
""")
LEARN: Final = text("""
UPDATE switches SET status = :status,
    hook_started_at = coalesce(hook_started_at, CAST(:started AS timestamptz)),
    traffic = coalesce(traffic, CAST(:traffic AS jsonb))
WHERE id = :id
""")
REDRAW: Final = """
    UPDATE cards SET wanted_version = g.version, due_at = :now, attempts = 0 FROM g WHERE cards.gate_id = g.id
"""
ASK: Final = text(f"""
WITH g AS (
    UPDATE gates SET deadline_at = :deadline_at, edition = :edition, version = version + 1
    WHERE id = :gate AND phase = 'awaiting' RETURNING id, version
), c AS ({REDRAW}), a AS ({INSERT})
SELECT 1
""")
CLOSE: Final = text(f"""
WITH g AS (
    UPDATE gates SET phase = 'closed', closed_at = :now, execution_id = NULL, version = version + 1,
        verdict = coalesce(verdict, CAST(:verdict AS text)),
        decided_at = coalesce(decided_at, CAST(:now AS timestamptz)),
        reason = coalesce(reason, CAST(:reason AS text)),
        outcome = coalesce(outcome, CAST(:outcome AS text)),
        reported_at = CASE WHEN CAST(:outcome AS text) IS NULL THEN NULL
                           ELSE coalesce(reported_at, CAST(:now AS timestamptz)) END
    WHERE id = :gate AND phase <> 'closed' RETURNING id, version
), r AS (
    UPDATE reports SET due_at = NULL FROM g WHERE reports.gate_id = g.id
), c AS ({REDRAW}), a AS ({INSERT})
SELECT 1
""")
END: Final = text(f"""
WITH s AS (
    UPDATE switches SET ended_at = :now, ending = :ending, due_at = NULL WHERE id = :id
), a AS ({INSERT})
SELECT 1
""")


class HeldSwitchRow:
    """A switch and its open gates under their locks; see `app.flow.ports.HeldSwitch`."""

    def __init__(self, connection: AsyncConnection, switch: Switch, open_gates: Sequence[GateView]) -> None:
        self._connection = connection
        self._switch = switch
        self._open_gates = open_gates

    @property
    def switch(self) -> Switch:
        return self._switch

    @property
    def open_gates(self) -> Sequence[GateView]:
        return self._open_gates

    async def verify(self, verification: Verification, *, now: datetime) -> None:
        """Stores what CodeDeploy confirmed; a report that had to wait for it is due now."""
        columns = verified_columns(verification)
        await self._connection.execute(VERIFY, {"id": self._switch.id, "now": now, **columns})

    async def learn(self, *, status: str, hook_started_at: datetime | None, traffic: Traffic | None) -> None:
        """Keeps what is already known where the new value is None."""
        await self._connection.execute(
            LEARN,
            {
                "id": self._switch.id,
                "status": status,
                "started": hook_started_at,
                "traffic": _as_json(traffic),
            },
        )

    async def ask(self, gate: Awaiting, *, events: Sequence[Event], now: datetime) -> None:
        """Stores a waiting gate's new deadline and edition; its card is to be redrawn."""
        values = {"gate": gate.id, "deadline_at": gate.deadline_at, "edition": gate.edition, "now": now}
        await self._connection.execute(ASK, {**values, "events": as_parameter(events)})

    async def close(
        self, gate: Closed, *, reason: str | None, events: Sequence[Event], now: datetime
    ) -> None:
        """Closes a gate; a waiting one as withdrawn, for `reason`."""
        values: dict[str, Any] = {
            "gate": gate.id,
            "verdict": gate.verdict,
            "reason": reason if gate.verdict is Verdict.WITHDRAWN else None,
            "outcome": gate.outcome,
            "now": now,
        }
        await self._connection.execute(CLOSE, {**values, "events": as_parameter(events)})

    async def end(self, *, ending: str, events: Sequence[Event], now: datetime) -> None:
        """The switch is over and is not looked at again."""
        values = {"id": self._switch.id, "ending": ending, "now": now, "events": as_parameter(events)}
        await self._connection.execute(END, values)


class Switches:
    """One replica's looks at live switches; see `app.flow.look_at_switch.LookRecord`."""

    def __init__(self, database: Database, owner: UUID) -> None:
        self._database = database
        self.leases = Leases(database, "switches", owner)

    async def claim(self, *, now: datetime, limit: int) -> Sequence[DueLook]:
        """Leases switches that have not been looked at for a while."""
        claimed = await self.leases.claim(now=now, limit=limit)
        if not claimed:
            return []
        rows = await self._database.rows(DUE, ids=list(claimed))
        return [
            DueLook(attempts=claimed[row.switch_id], switch=switch_of(row), hook_name=row.hook_name)
            for row in rows
        ]

    @asynccontextmanager
    async def hold_switch(self, due: DueLook) -> AsyncIterator[HeldSwitchRow | None]:
        """The switch and its open gates under their locks; None when the lease was lost or it has ended."""
        mine = {"id": due.switch.id, "owner": self.leases.owner}
        async with self._database.begin() as connection:
            if (await connection.execute(LOCK, mine)).first() is None:
                yield None
                return
            await connection.execute(LOCK_GATES, mine)
            switch = switch_of((await connection.execute(THE_SWITCH, mine)).one())
            gates = [view_of(row) for row in await connection.execute(OPEN_GATES, mine)]
            yield HeldSwitchRow(connection, switch, gates)

    async def look_again(self, due: DueLook, *, error: str | None, rested: bool, due_at: datetime) -> None:
        """Puts the switch back until `due_at`; `rested` forgets the tries. An ended one is never due."""
        await self._database.rows(
            AGAIN,
            id=due.switch.id,
            owner=self.leases.owner,
            error=error[:500] if error else None,
            due_at=due_at,
            rested=rested,
        )


def _as_json(traffic: Traffic | None) -> str | None:
    if traffic is None:
        return None
    return f'{{"shift": "{traffic.shift}", "percent": {traffic.percent}, "minutes": {traffic.minutes}}}'
