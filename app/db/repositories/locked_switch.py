"""A switch under its lock: stores what a poll observed and everything that follows from it."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, Final

from sqlalchemy.ext.asyncio import AsyncConnection

from app.db.audit_insert import INSERT_EVENTS, events_parameter
from app.db.invalidate_cards import INVALIDATE_CARDS_OF_G, invalidate_cards
from app.db.mapping.rows import INTERVENTION_JSON, SWITCH_COLUMNS, intervention_from_json, switch_from_row
from app.db.repositories.open_gate import verification_columns
from app.db.statements import execute
from app.flow.audit_events import Event
from app.flow.ports.database import Verification
from app.flow.ports.switches import SettledIntervention, SwitchUpdate
from app.flow.read_models import GateView, Switch, Traffic
from app.flow.undo.intervention import InterventionPhase
from app.gate.decision import Verdict
from app.gate.ids import DeploymentId
from app.gate.state_machine import Awaiting, Closed, Outcome
from app.gate.undo import InterventionKind
from app.observability.metrics import ANSWERED_ELSEWHERE, REPORTS

STORE_VERIFICATION: Final = """
WITH s AS (
    UPDATE switches SET domain = :domain, application = :application, deployment_group = :deployment_group,
        creator = :creator, deployed_by = :deployed_by, 
        named_deployers = CAST(:named_deployers AS text[]), description = :description,
        config_name = :config_name, listener_port = :listener_port, deployment_created_at = :created_at,
        rollback_of = :rollback_of, status = :status, verified_at = :now, previous_stale_since = :now
    WHERE id = :id
), e AS (
    UPDATE evidence SET due_at = :now, attempts = 0 FROM gates g
    WHERE g.switch_id = :id AND g.phase = 'awaiting' AND evidence.gate_id = g.id
)
UPDATE reports SET due_at = :now FROM gates g
WHERE g.switch_id = :id AND g.phase = 'decided' AND reports.gate_id = g.id AND reports.due_at IS NULL
"""
# The cards of a rolled-back switch also show its rollback.
GATES_SHOWING_SWITCH: Final = """
    switch_id = ANY(ARRAY(
        SELECT CAST(:id AS bigint)
        UNION ALL
        SELECT o.id FROM switches me JOIN switches o ON o.rollback_id = me.deployment_id
            AND o.account = me.account AND o.region = me.region
        WHERE me.id = :id
    ))
"""
STORE_OBSERVATION: Final = f"""
WITH s AS (
    UPDATE switches SET status = :status,
        hook_started_at = coalesce(hook_started_at, CAST(:hook_started_at AS timestamptz)),
        traffic = coalesce(traffic, CAST(:traffic AS jsonb)),
        green_percent = CASE WHEN CAST(:green_unknown AS boolean) THEN NULL
                             ELSE coalesce(CAST(:green_percent AS integer), green_percent) END,
        traffic_changed_at = CASE WHEN CAST(:green_percent AS integer) <> coalesce(green_percent, 0)
                        THEN CAST(:now AS timestamptz) ELSE traffic_changed_at END,
        switched_at = coalesce(switched_at, CAST(:switched_at AS timestamptz)),
        blue_until = coalesce(blue_until, CAST(:blue_until AS timestamptz)),
        rollback_id = coalesce(rollback_id, CAST(:rollback_id AS text)),
        previous_revision = CASE WHEN CAST(:previous_read AS boolean) THEN CAST(:previous_revision AS text)
                                 ELSE previous_revision END,
        previous_obstacle = CASE WHEN CAST(:previous_read AS boolean) THEN CAST(:previous_obstacle AS text)
                                 ELSE previous_obstacle END,
        auto_rollback = coalesce(auto_rollback, CAST(:auto_rollback AS boolean))
    WHERE id = :id
), i AS (
    UPDATE interventions SET deployment_id = CAST(:rollback_id AS text)
    WHERE switch_id = :id AND kind = 'stop' AND phase IN ('requested', 'sent')
        AND CAST(:rollback_id AS text) IS NOT NULL
), {invalidate_cards(f"CAST(:redraw AS boolean) AND {GATES_SHOWING_SWITCH}")}, a AS ({INSERT_EVENTS})
SELECT 1
"""
TRACK_ROLLBACK: Final = """
INSERT INTO switches (account, region, deployment_id, domain, application, deployment_group, listener_port,
                      creator, rollback_of, first_seen_at, verified_at, due_at)
SELECT account, region, CAST(:deployment AS text), domain, application, deployment_group, listener_port,
       'codeDeployRollback', deployment_id, :now, :now, :now
FROM switches WHERE id = :id AND verified_at IS NOT NULL
ON CONFLICT ON CONSTRAINT switches_key DO UPDATE
    SET due_at = CASE WHEN switches.ended_at IS NULL THEN excluded.due_at END
"""
END_INTERVENTIONS: Final = f"""
WITH i AS (
    UPDATE interventions SET phase = CAST(:phase AS text), finished_at = :now, due_at = NULL,
        claimed_by = NULL, claimed_until = NULL, problem = CAST(:problem AS text)
    WHERE phase IN ('requested', 'sent') AND {{which}}
    RETURNING *
), {invalidate_cards("switch_id = ANY(ARRAY(SELECT i.switch_id FROM i))")}
SELECT {SWITCH_COLUMNS}, {INTERVENTION_JSON} AS intervention
FROM i JOIN switches s ON s.id = i.switch_id
"""
END_INTERVENTIONS_WAITING_FOR: Final = END_INTERVENTIONS.format(
    which="deployment_id = :deployment AND switch_id IN"
    " (SELECT id FROM switches WHERE account = :account AND region = :region)"
)
END_ROLLED_BACK_INTERVENTIONS: Final = END_INTERVENTIONS.format(
    which="switch_id = :id AND kind = 'stop' AND EXISTS (SELECT 1 FROM switches o JOIN switches r"
    " ON r.account = o.account AND r.region = o.region AND r.deployment_id = o.rollback_id"
    " WHERE o.id = :id AND r.switched_at IS NOT NULL)"
)
END_OWN_INTERVENTIONS: Final = END_INTERVENTIONS.format(which="switch_id = :id AND kind = :kind")
RESET_GATE: Final = f"""
WITH g AS (
    UPDATE gates SET deadline_at = :deadline_at, prompt_version = :prompt_version, remind_at = :remind_at,
        version = version + 1
    WHERE id = :gate AND phase = 'awaiting' RETURNING id, version
), c AS ({INVALIDATE_CARDS_OF_G}), a AS ({INSERT_EVENTS})
SELECT 1
"""
CLOSE_GATE: Final = f"""
WITH g AS (
    UPDATE gates SET phase = 'closed', closed_at = :now, execution_id = NULL, version = version + 1,
        verdict = coalesce(verdict, CAST(:verdict AS text)),
        decided_at = coalesce(decided_at, CAST(:now AS timestamptz)),
        reason = coalesce(reason, CAST(:reason AS text)),
        outcome = coalesce(outcome, CAST(:outcome AS text)),
        outcome_detail = coalesce(outcome_detail, CAST(:held_status AS text)),
        reported_at = CASE WHEN CAST(:outcome AS text) IS NULL THEN NULL
                           ELSE coalesce(reported_at, CAST(:now AS timestamptz)) END
    WHERE id = :gate AND phase <> 'closed' RETURNING id, version
), r AS (
    UPDATE reports SET due_at = NULL, claimed_by = NULL, claimed_until = NULL FROM g WHERE reports.gate_id = g.id
), c AS ({INVALIDATE_CARDS_OF_G}), a AS ({INSERT_EVENTS})
SELECT 1
"""
STORE_COMPARISON: Final = f"""
WITH g AS (
    UPDATE gates SET event_read_at = :now,
        version = CASE WHEN CAST(:differs AS boolean) THEN version + 1 ELSE version END,
        outcome = CASE WHEN CAST(:differs AS boolean) THEN 'conflict' ELSE outcome END,
        outcome_detail = CAST(:held_status AS text)
    WHERE id = :gate AND outcome = 'acknowledged' AND event_read_at IS NULL RETURNING id, version
), c AS (
    UPDATE cards SET wanted_version = g.version, due_at = :now, attempts = 0 FROM g
    WHERE cards.gate_id = g.id AND CAST(:differs AS boolean)
), a AS ({INSERT_EVENTS} WHERE EXISTS (SELECT 1 FROM g))
SELECT id FROM g
"""
END_SWITCH: Final = f"""
WITH s AS (
    UPDATE switches SET ended_at = :now, end_reason = :end_reason, due_at = CAST(:due_at AS timestamptz),
        previous_stale_since = :now
    WHERE id = :id
), {invalidate_cards(GATES_SHOWING_SWITCH)}, a AS ({INSERT_EVENTS})
SELECT 1
"""


class HeldSwitchRow:
    """A switch and its open gates under their locks; see `app.flow.ports.database.HeldSwitch`."""

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
        columns = verification_columns(verification)
        await execute(self._connection, STORE_VERIFICATION, {"id": self._switch.id, "now": now, **columns})

    async def store(
        self, update: SwitchUpdate, *, events: Sequence[Event], redraw: bool, now: datetime
    ) -> None:
        """Stores the observation; keeps known values that it does not change."""
        values = {
            "id": self._switch.id,
            "status": update.status,
            "hook_started_at": update.hook_started_at,
            "traffic": _traffic_to_json(update.traffic),
            "green_percent": update.green_percent,
            "green_unknown": update.green_unknown,
            "switched_at": update.switched_at,
            "blue_until": update.blue_until,
            "rollback_id": update.rollback_id,
            "previous_read": update.previous is not None,
            "previous_revision": update.previous.name if update.previous else None,
            "previous_obstacle": update.previous.obstacle if update.previous else None,
            "auto_rollback": update.auto_rollback,
            "redraw": redraw,
            "now": now,
            "events": events_parameter(events),
        }
        await execute(self._connection, STORE_OBSERVATION, values)

    async def follow_rollback(self, rollback: DeploymentId, *, now: datetime) -> None:
        """Starts to poll the rollback deployment of this switch, too."""
        await execute(
            self._connection, TRACK_ROLLBACK, {"id": self._switch.id, "deployment": rollback, "now": now}
        )

    async def settle_waiting(
        self, phase: InterventionPhase, *, problem: str | None, now: datetime
    ) -> Sequence[SettledIntervention]:
        """Ends the interventions that wait for this deployment."""
        key = self._switch.key
        where = {"deployment": key.deployment, "account": key.account, "region": key.region}
        values = {**where, "phase": phase, "problem": problem, "now": now}
        return [
            _settled(row) for row in await execute(self._connection, END_INTERVENTIONS_WAITING_FOR, values)
        ]

    async def settle_own(
        self, kind: InterventionKind, phase: InterventionPhase, *, problem: str | None, now: datetime
    ) -> Sequence[SettledIntervention]:
        """Ends the interventions of this switch."""
        values = {"id": self._switch.id, "kind": kind, "phase": phase, "problem": problem, "now": now}
        return [_settled(row) for row in await execute(self._connection, END_OWN_INTERVENTIONS, values)]

    async def settle_rolled_back(self, *, now: datetime) -> Sequence[SettledIntervention]:
        """Ends the undos of this switch whose rollback has moved its traffic."""
        values = {"id": self._switch.id, "phase": InterventionPhase.DONE, "problem": None, "now": now}
        return [
            _settled(row) for row in await execute(self._connection, END_ROLLED_BACK_INTERVENTIONS, values)
        ]

    async def note(self, events: Sequence[Event]) -> None:
        await execute(self._connection, INSERT_EVENTS, {"events": events_parameter(events)})

    async def ask(
        self, gate: Awaiting, *, remind_at: datetime | None, events: Sequence[Event], now: datetime
    ) -> None:
        """Stores a waiting gate's new deadline and prompt version; its card is to be redrawn."""
        values = {
            "gate": gate.id,
            "deadline_at": gate.deadline_at,
            "prompt_version": gate.prompt_version,
            "remind_at": remind_at,
            "now": now,
            "events": events_parameter(events),
        }
        await execute(self._connection, RESET_GATE, values)

    async def close(
        self,
        gate: Closed,
        *,
        reason: str | None,
        events: Sequence[Event],
        now: datetime,
        held_status: str | None = None,
    ) -> None:
        """Closes a gate; a waiting one as withdrawn, for `reason`."""
        values: dict[str, Any] = {
            "gate": gate.id,
            "verdict": gate.verdict,
            "reason": reason if gate.verdict is Verdict.WITHDRAWN else None,
            "outcome": gate.outcome,
            "held_status": held_status,
            "now": now,
        }
        await execute(self._connection, CLOSE_GATE, {**values, "events": events_parameter(events)})
        if held_status is not None:
            ANSWERED_ELSEWHERE.inc()
        self._open_gates = [view for view in self._open_gates if view.id != gate.id]

    async def compare(
        self, gate: GateView, *, held_status: str, differs: bool, events: Sequence[Event], now: datetime
    ) -> None:
        """Stores the status that CodeDeploy holds after it accepted an answer; marks a conflict if it differs."""
        values = {"gate": gate.id, "held_status": held_status, "differs": differs, "now": now}
        found = await execute(
            self._connection, STORE_COMPARISON, {**values, "events": events_parameter(events)}
        )
        if found and differs:
            REPORTS.labels(outcome=Outcome.CONFLICT).inc()
        self._open_gates = [
            replace(view, event_read_at=now) if view.id == gate.id else view for view in self._open_gates
        ]

    async def end(
        self, *, end_reason: str, due_at: datetime | None, events: Sequence[Event], now: datetime
    ) -> None:
        """The deployment is over. `due_at`: when to look for its rollback; None: never again."""
        values = {"id": self._switch.id, "end_reason": end_reason, "due_at": due_at, "now": now}
        await execute(self._connection, END_SWITCH, {**values, "events": events_parameter(events)})


def _settled(row: Any) -> SettledIntervention:
    return SettledIntervention(
        intervention=intervention_from_json(row.intervention), switch=switch_from_row(row)
    )


def _traffic_to_json(traffic: Traffic | None) -> str | None:
    if traffic is None:
        return None
    return f'{{"shift": "{traffic.shift}", "percent": {traffic.percent}, "minutes": {traffic.minutes}}}'
