"""A switch under its lock: stores what a poll observed and everything that follows from it."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, Final

from sqlalchemy import (
    Boolean,
    Text,
    bindparam,
    case,
    func,
    literal_column,
    null,
    select,
    true,
    union_all,
    update,
)
from sqlalchemy.ext.asyncio import AsyncConnection

from app.db.audit_insert import insert_events
from app.db.expressions import GATE_PARAM, NOW_PARAM, ONE, SWITCH_PARAM, is_among
from app.db.gate_view import IS_AWAITING
from app.db.invalidate_cards import invalidate_cards
from app.db.leases import NO_LEASE
from app.db.mapping.interventions import problem_values
from app.db.mapping.rows import switch_from_row
from app.db.repositories.messages.announcement_requests import request_at_gate, request_at_switch
from app.db.repositories.observed_switch import STORE_OBSERVATION, observation_parameters
from app.db.repositories.open_gate import verification_columns
from app.db.repositories.rolled_back import (
    SELECT_ROLLED_BACK,
    STORE_ROLLBACK,
    STORE_SHOWING_GATE,
    TRACK_ROLLBACK,
)
from app.db.repositories.settled_interventions import (
    END_INTERVENTIONS_WAITING_FOR,
    END_OWN_INTERVENTIONS,
    END_ROLLED_BACK_INTERVENTIONS,
    settled_from_row,
)
from app.db.statements import execute
from app.db.tables import evidence, gates, reports, switches
from app.flow.audit_events import Event
from app.flow.notify.announcement_kinds import AnnouncementKind
from app.flow.ports.database import Verification
from app.flow.ports.switches import SettledIntervention, SwitchUpdate
from app.flow.read_models import GateView, Switch
from app.flow.undo.execute_intervention import undo_named_in
from app.flow.undo.intervention import InterventionPhase, InterventionProblem
from app.gate.decision import Verdict
from app.gate.ids import DeploymentId, GateId, SwitchKey
from app.gate.state_machine import Awaiting, Closed, Outcome
from app.gate.undo import InterventionKind
from app.observability.metrics import ANSWERED_ELSEWHERE, DECISIONS, REPORTS, UNKNOWN_DOMAIN

MAKE_EVIDENCE_DUE: Final = (
    update(evidence)
    .where(evidence.c.gate_id == gates.c.id, gates.c.switch_id == SWITCH_PARAM, IS_AWAITING)
    .values(due_at=NOW_PARAM, attempts=0)
)
# Green's health is looked at again where traffic has moved, also of a gate whose decision was to stop that.
MAKE_HEALTH_DUE: Final = (
    update(evidence)
    .where(
        evidence.c.gate_id == gates.c.id,
        gates.c.switch_id == SWITCH_PARAM,
        gates.c.phase != literal_column("'awaiting'"),
    )
    .values(due_at=NOW_PARAM, attempts=0)
)
STORE_OBSERVED: Final = (
    update(gates).where(gates.c.switch_id == SWITCH_PARAM, IS_AWAITING).values(observed=true())
)
MAKE_REPORTS_DUE: Final = (
    update(reports)
    .where(
        reports.c.gate_id == gates.c.id,
        reports.c.due_at.is_(None),
        gates.c.switch_id == SWITCH_PARAM,
        gates.c.phase == "decided",
    )
    .values(due_at=NOW_PARAM)
)
_me, _original = switches.alias("me"), switches.alias("original")
_rolled_back = select(_original.c.id).where(
    _me.c.id == SWITCH_PARAM,
    _original.c.rollback_id == _me.c.deployment_id,
    _original.c.account == _me.c.account,
    _original.c.region == _me.c.region,
)
# The cards of a rolled-back switch also show its rollback.
INVALIDATE_CARDS: Final = invalidate_cards(
    is_among(gates.c.switch_id, union_all(select(SWITCH_PARAM), _rolled_back))
)
INVALIDATE_CARD: Final = invalidate_cards(gates.c.id == GATE_PARAM)
RESET_GATE: Final = (
    update(gates)
    .where(gates.c.id == GATE_PARAM, IS_AWAITING)
    .values(
        deadline_at=bindparam("deadline"),
        prompt_version=bindparam("prompt"),
        remind_at=bindparam("reminder"),
    )
    .returning(ONE)
)
_OUTCOME: Final = bindparam("ended_as", type_=Text)
CLOSE_GATE: Final = (
    update(gates)
    .where(gates.c.id == GATE_PARAM, gates.c.phase != "closed")
    .values(
        phase="closed",
        closed_at=NOW_PARAM,
        execution_id=null(),
        verdict=func.coalesce(gates.c.verdict, bindparam("ended_verdict", type_=Text)),
        decided_at=func.coalesce(gates.c.decided_at, NOW_PARAM),
        reason=func.coalesce(gates.c.reason, bindparam("why", type_=Text)),
        outcome=func.coalesce(gates.c.outcome, _OUTCOME),
        outcome_detail=func.coalesce(gates.c.outcome_detail, bindparam("codedeploy_status", type_=Text)),
        reported_at=case((_OUTCOME.is_not(None), func.coalesce(gates.c.reported_at, NOW_PARAM))),
    )
    .returning(ONE)
)
CANCEL_REPORT: Final = (
    update(reports).where(reports.c.gate_id == GATE_PARAM).values(**NO_LEASE, due_at=null())
)
STORE_COMPARISON: Final = (
    update(gates)
    .where(gates.c.id == GATE_PARAM, gates.c.outcome == "acknowledged", gates.c.event_read_at.is_(None))
    .values(
        event_read_at=NOW_PARAM,
        outcome=case((bindparam("differs", type_=Boolean), "conflict"), else_=gates.c.outcome),
        outcome_detail=bindparam("codedeploy_status"),
    )
    .returning(ONE)
)
END_SWITCH: Final = (
    update(switches)
    .where(switches.c.id == SWITCH_PARAM)
    .values(
        ended_at=NOW_PARAM,
        end_reason=bindparam("why"),
        due_at=bindparam("next_due_at"),
        traffic_stale_at=null(),
        previous_stale_since=NOW_PARAM,
    )
)


class HeldSwitchRow:
    """A switch and its open gates under their locks; see `app.flow.ports.switches.HeldSwitch`."""

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
        """Stores what CodeDeploy confirmed; makes the reports and evidence that waited for it due."""
        values = {"switch": self._switch.id, "now": now}
        columns = {**verification_columns(verification), "verified_at": now, "previous_stale_since": now}
        await self._connection.execute(
            update(switches).where(switches.c.id == self._switch.id).values(**columns)
        )
        await execute(self._connection, MAKE_EVIDENCE_DUE, values)
        await execute(self._connection, MAKE_REPORTS_DUE, values)
        if verification.observed:
            # Nobody could decide the unconfirmed gate: the mode of now applies.
            await execute(self._connection, STORE_OBSERVED, values)
        undo = undo_named_in(verification.facts.description)
        await execute(self._connection, STORE_SHOWING_GATE, {**values, "undo": undo})

    async def store(
        self, update: SwitchUpdate, *, events: Sequence[Event], redraw: bool, now: datetime
    ) -> None:
        """Stores the observation; keeps known values that it does not change."""
        switch = {"switch": self._switch.id}
        await execute(
            self._connection, STORE_OBSERVATION, {**switch, **observation_parameters(update), "now": now}
        )
        if update.rollback_id is not None:
            await execute(self._connection, STORE_ROLLBACK, {**switch, "deployment": update.rollback_id})
        if update.green_percent:
            await execute(self._connection, MAKE_HEALTH_DUE, {**switch, "now": now})
        if redraw:
            await execute(self._connection, INVALIDATE_CARDS, {**switch, "now": now})
        await insert_events(self._connection, events)

    async def follow_rollback(self, rollback: DeploymentId, *, now: datetime) -> None:
        """Starts to poll the rollback deployment of this switch, too."""
        await execute(
            self._connection, TRACK_ROLLBACK, {"switch": self._switch.id, "deployment": rollback, "now": now}
        )

    async def settle_waiting(
        self, phase: InterventionPhase, *, problem: InterventionProblem | None, now: datetime
    ) -> Sequence[SettledIntervention]:
        """Ends the interventions that wait for this deployment."""
        key = self._switch.key
        where = {"deployment": key.deployment, "account": key.account, "region": key.region}
        values = {**where, "end": phase, **problem_values(problem), "now": now}
        return [
            settled_from_row(row)
            for row in await execute(self._connection, END_INTERVENTIONS_WAITING_FOR, values)
        ]

    async def rolled_back(self) -> Sequence[Switch]:
        """The switches that CodeDeploy rolls back by this one; those that were stopped here are excluded."""
        values = {"switch": self._switch.id, "rollback_of": self._switch.rollback_of}
        return [switch_from_row(row) for row in await execute(self._connection, SELECT_ROLLED_BACK, values)]

    async def settle_own(
        self,
        kind: InterventionKind,
        phase: InterventionPhase,
        *,
        problem: InterventionProblem | None,
        now: datetime,
    ) -> Sequence[SettledIntervention]:
        """Ends the interventions of this switch."""
        values = {
            "switch": self._switch.id,
            "of_kind": kind,
            "end": phase,
            **problem_values(problem),
            "now": now,
        }
        return [
            settled_from_row(row) for row in await execute(self._connection, END_OWN_INTERVENTIONS, values)
        ]

    async def settle_rolled_back(self, *, now: datetime) -> Sequence[SettledIntervention]:
        """Ends the undos of this switch whose rollback has moved its traffic."""
        values = {
            "switch": self._switch.id,
            "end": InterventionPhase.DONE,
            **problem_values(None),
            "now": now,
        }
        return [
            settled_from_row(row)
            for row in await execute(self._connection, END_ROLLED_BACK_INTERVENTIONS, values)
        ]

    async def add_audit_events(self, events: Sequence[Event]) -> None:
        await insert_events(self._connection, events)

    async def announce(self, kind: AnnouncementKind, *, gate: GateId, now: datetime) -> None:
        """Requests an announcement in the thread of the gate's card, once."""
        await request_at_gate(self._connection, kind, gate=gate, now=now)

    async def announce_at_switch(
        self, kind: AnnouncementKind, *, switch: SwitchKey, about: str = "", now: datetime
    ) -> None:
        """Requests an announcement in the thread of the switch's latest card, once for each `about`."""
        await request_at_switch(self._connection, kind, switch=switch, about=about, now=now)

    async def ask(
        self, gate: Awaiting, *, remind_at: datetime | None, events: Sequence[Event], now: datetime
    ) -> None:
        """Stores a waiting gate's new deadline and prompt version; its card is to be redrawn."""
        values = {
            "gate": gate.id,
            "deadline": gate.deadline_at,
            "prompt": gate.prompt_version,
            "reminder": remind_at,
        }
        if await execute(self._connection, RESET_GATE, values):
            await execute(self._connection, INVALIDATE_CARD, {"gate": gate.id, "now": now})
        await insert_events(self._connection, events)

    async def close(
        self,
        gate: Closed,
        *,
        reason: str | None,
        events: Sequence[Event],
        now: datetime,
        codedeploy_status: str | None = None,
    ) -> None:
        """Closes a gate; a waiting one as withdrawn, for `reason`."""
        values: dict[str, Any] = {
            "gate": gate.id,
            "ended_verdict": gate.verdict,
            "why": reason if gate.verdict is Verdict.WITHDRAWN else None,
            "ended_as": gate.outcome,
            "codedeploy_status": codedeploy_status,
            "now": now,
        }
        if await execute(self._connection, CLOSE_GATE, values):
            await execute(self._connection, CANCEL_REPORT, {"gate": gate.id})
            await execute(self._connection, INVALIDATE_CARD, {"gate": gate.id, "now": now})
        await insert_events(self._connection, events)
        if codedeploy_status is not None:
            ANSWERED_ELSEWHERE.inc()
        if any(view.id == gate.id and isinstance(view.gate, Awaiting) for view in self._open_gates):
            domain = self._switch.domain or UNKNOWN_DOMAIN
            DECISIONS.labels(verdict=Verdict.WITHDRAWN, domain=domain).inc()
        self._open_gates = [view for view in self._open_gates if view.id != gate.id]

    async def compare(
        self, gate: GateView, *, codedeploy_status: str, differs: bool, events: Sequence[Event], now: datetime
    ) -> None:
        """Stores the status that CodeDeploy holds after it accepted an answer; marks a conflict if it differs."""
        values = {"gate": gate.id, "codedeploy_status": codedeploy_status, "differs": differs, "now": now}
        if await execute(self._connection, STORE_COMPARISON, values):
            if differs:
                await execute(self._connection, INVALIDATE_CARD, {"gate": gate.id, "now": now})
                REPORTS.labels(outcome=Outcome.CONFLICT).inc()
            await insert_events(self._connection, events)
        self._open_gates = [
            replace(view, event_read_at=now) if view.id == gate.id else view for view in self._open_gates
        ]

    async def end(
        self, *, end_reason: str, due_at: datetime | None, events: Sequence[Event], now: datetime
    ) -> None:
        """The deployment is over. `due_at`: when to look for its rollback; None: never again."""
        switch = {"switch": self._switch.id}
        values = {"why": end_reason, "next_due_at": due_at, "now": now}
        await execute(self._connection, END_SWITCH, {**switch, **values})
        await execute(self._connection, INVALIDATE_CARDS, {**switch, "now": now})
        await insert_events(self._connection, events)
