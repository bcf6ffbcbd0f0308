"""Rows -> read models. An inconsistent row raises `IncoherentRow`."""

from datetime import datetime
from typing import Any, Final, assert_never
from uuid import UUID

from app.db.mapping.overridden_rules import blockers_from_json, overridden_rules_from_json
from app.flow.read_models import MIN_VISIBLE_DELAY, CastVote, GateView, Rollback, Switch, Traffic
from app.flow.undo.intervention import Intervention, InterventionPhase
from app.gate.decision import Verdict
from app.gate.ids import DeploymentId, DomainName, GateId, SwitchKey, UserId
from app.gate.previous_revision import Obstacle
from app.gate.rules.checks import Check, CheckState
from app.gate.rules.freeze import Freeze, Span
from app.gate.rules.permits import Basis
from app.gate.rules.policy import Shift
from app.gate.rules.traffic_guard import TrafficGuard
from app.gate.rules.violations import Violation
from app.gate.state_machine import Awaiting, Closed, Decided, Gate, Outcome, Phase, Reported
from app.gate.undo import InterventionKind
from app.gate.votes import Choice


class IncoherentRow(Exception):
    """The row holds a value or a combination that no release writes."""


SWITCH_COLUMNS: Final = """
    s.id AS switch_id, s.account, s.region, s.deployment_id, s.domain, s.application, s.deployment_group,
    s.creator, s.deployed_by, s.deployer, s.named_deployers, s.description, s.config_name, s.traffic, s.listener_port,
    s.hook_started_at, s.deployment_created_at, s.rollback_of, s.status, s.first_seen_at, s.verified_at,
    s.ended_at, s.end_reason, s.green_percent, s.traffic_changed_at, s.switched_at, s.blue_until, s.rollback_id,
    s.previous_revision, s.previous_obstacle, s.auto_rollback
"""

GATE_COLUMNS: Final = f"""
    g.id, g.hook_name, g.phase, g.prompt_version, g.version, g.opened_at, g.deadline_at, g.verdict, g.basis,
    g.decided_at, g.decided_by, g.decided_name, g.reason, g.overridden_rules, g.outcome, g.outcome_detail,
    g.reported_at, g.event_read_at, g.reminded_at,
    (SELECT t.last_error FROM reports t
      WHERE t.gate_id = g.id
        AND t.due_at > g.decided_at + interval '{MIN_VISIBLE_DELAY.total_seconds()} seconds') AS report_error,
    (SELECT coalesce(jsonb_agg(jsonb_build_array(v.voter, v.name, v.choice, v.reason, v.voted_at, v.counted)
                               ORDER BY v.voted_at), '[]')
       FROM votes v WHERE v.gate_id = g.id) AS votes,
    (SELECT coalesce(jsonb_agg(jsonb_build_array(k.name, k.state, k.summary, k.url, k.reported_by, k.reported_at)
                               ORDER BY k.reported_at), '[]')
       FROM checks k
      WHERE k.deployment_id = s.deployment_id AND k.region = s.region AND k.account IN (s.account, '')) AS checks
"""

INTERVENTION_JSON: Final = """
    jsonb_build_array(i.id, i.kind, i.phase, i.requested_by, i.requested_name, i.reason, i.requested_at,
                      i.deployment_id, i.problem, i.finished_at)
"""


BLUE_TASK_DEFINITION: Final = """
    (SELECT e.seen #>> '{blue,task_definition}' FROM evidence e JOIN gates h ON h.id = e.gate_id
      WHERE h.switch_id = s.id AND e.seen #>> '{blue,task_definition}' IS NOT NULL
      ORDER BY h.opened_at DESC LIMIT 1)
"""
"""The task definition of blue, as last read for the switch `s`."""


def from_undo_that_created(deployment: str, *, account: str, region: str) -> str:
    """SQL, FROM and WHERE: the undo `i` that created this deployment. Arguments are SQL: a parameter or a column."""
    return (
        "FROM interventions i JOIN switches o ON o.id = i.switch_id"
        f" WHERE i.deployment_id = {deployment} AND i.kind = 'redeploy'"
        f" AND o.account = {account} AND o.region = {region}"
    )


FREEZE_COLUMN: Final = """
    (SELECT coalesce(jsonb_agg(jsonb_build_array(f.id, f.reason, f.declared_by, f.starts_at, f.ends_at)
                               ORDER BY f.id), '[]')
       FROM freezes f
      WHERE f.ended_at IS NULL AND (f.domains IS NULL OR s.domain = ANY(f.domains))) AS freezes
"""

RELATED_COLUMNS: Final = f"""
    {FREEZE_COLUMN},
    (SELECT {INTERVENTION_JSON}
       FROM interventions i WHERE i.switch_id = s.id ORDER BY i.requested_at DESC LIMIT 1) AS intervention,
    (SELECT jsonb_build_array(e.blockers, e.seen_at) FROM evidence e WHERE e.gate_id = g.id) AS guard,
    (SELECT jsonb_build_array(r.deployment_id, r.status, r.switched_at, r.ended_at)
       FROM switches r
      WHERE r.account = s.account AND r.region = s.region AND r.deployment_id = s.rollback_id) AS rollback,
    (s.ended_at IS NOT NULL AND (
        SELECT n.id FROM switches n
         WHERE n.domain = s.domain AND -n.id < -s.id AND (n.ended_at IS NULL OR n.status = 'Succeeded')
         ORDER BY -n.id LIMIT 1) IS NOT NULL) AS superseded
"""
"""Freezes, the last intervention, the traffic guard, and later deployments."""

SELECT_GATE_VIEW: Final = (
    f"SELECT {GATE_COLUMNS}, {SWITCH_COLUMNS}, {RELATED_COLUMNS}"
    " FROM gates g JOIN switches s ON s.id = g.switch_id"
)


def switch_from_row(row: Any) -> Switch:
    """A switch from a row with the `SWITCH_COLUMNS` columns. Raises `IncoherentRow`."""
    return Switch(
        id=row.switch_id,
        key=SwitchKey(account=row.account, region=row.region, deployment=DeploymentId(row.deployment_id)),
        domain=DomainName(row.domain) if row.domain else None,
        application=row.application,
        deployment_group=row.deployment_group,
        creator=row.creator,
        deployed_by=row.deployed_by,
        deployer=UserId(row.deployer) if row.deployer else None,
        named_deployers=tuple(map(UserId, row.named_deployers)),
        description=row.description,
        config_name=row.config_name,
        traffic=traffic_from_json(row.traffic),
        listener_port=row.listener_port,
        hook_started_at=row.hook_started_at,
        created_at=row.deployment_created_at,
        rollback_of=row.rollback_of,
        status=row.status,
        first_seen_at=row.first_seen_at,
        verified=row.verified_at is not None,
        ended_at=row.ended_at,
        end_reason=row.end_reason,
        green_percent=row.green_percent,
        traffic_changed_at=row.traffic_changed_at,
        switched_at=row.switched_at,
        blue_until=row.blue_until,
        rollback_id=row.rollback_id,
        previous_revision=row.previous_revision,
        previous_obstacle=_previous_obstacle(row),
        auto_rollback=row.auto_rollback,
    )


def _previous_obstacle(row: Any) -> Obstacle | None:
    return Obstacle(row.previous_obstacle) if row.previous_obstacle else None


def gate_view_from_row(row: Any) -> GateView:
    """A gate with its switch and votes from a row of `SELECT_GATE_VIEW`. Raises `IncoherentRow`."""
    votes = tuple(_vote(*vote) for vote in row.votes)
    return GateView(
        gate=_gate(row, votes),
        switch=switch_from_row(row),
        hook_name=row.hook_name,
        prompt_version=row.prompt_version,
        version=row.version,
        opened_at=row.opened_at,
        deadline_at=row.deadline_at,
        votes=votes,
        basis=Basis(row.basis) if row.basis else None,
        decided_at=row.decided_at,
        decided_by=UserId(row.decided_by) if row.decided_by else None,
        decided_name=row.decided_name,
        reason=row.reason,
        outcome=Outcome(row.outcome) if row.outcome else None,
        outcome_detail=row.outcome_detail,
        reported_at=row.reported_at,
        event_read_at=row.event_read_at,
        report_error=row.report_error,
        reminded_at=row.reminded_at,
        intervention=intervention_from_json(row.intervention) if row.intervention else None,
        rollback=_rollback(*row.rollback) if row.rollback else None,
        superseded=row.superseded,
        overridden_rules=_overridden_rules(row),
        guard=_guard(row),
        freezes=tuple(_freeze(*freeze) for freeze in row.freezes),
        checks=tuple(check_from_columns(*check) for check in row.checks),
    )


def intervention_from_json(stored: list[Any]) -> Intervention:
    """An intervention from the array that `RELATED_COLUMNS` makes of its row."""
    id_, kind, phase, by, name, reason, requested_at, deployment, problem, finished_at = stored
    return Intervention(
        id=UUID(id_),
        kind=InterventionKind(kind),
        phase=InterventionPhase(phase),
        by=UserId(by),
        name=name,
        reason=reason,
        requested_at=datetime.fromisoformat(requested_at),
        deployment=deployment,
        problem=problem,
        finished_at=_datetime_or_none(finished_at),
    )


def _rollback(deployment: str, status: str | None, switched_at: str | None, ended_at: str | None) -> Rollback:
    return Rollback(
        deployment=deployment,
        status=status,
        switched_at=_datetime_or_none(switched_at),
        ended_at=_datetime_or_none(ended_at),
    )


def _datetime_or_none(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None


def _gate(row: Any, votes: tuple[CastVote, ...]) -> Gate:
    gate = GateId(row.id if isinstance(row.id, UUID) else UUID(str(row.id)))
    phase = Phase(row.phase)
    if phase is Phase.AWAITING:
        if row.verdict is not None:
            raise IncoherentRow(f"gate {gate} awaits and is {row.verdict}")
        return Awaiting(
            id=gate,
            opened_at=row.opened_at,
            deadline_at=row.deadline_at,
            prompt_version=row.prompt_version,
            verified=row.verified_at is not None,
            deployer=UserId(row.deployer) if row.deployer else None,
            named=frozenset(map(UserId, row.named_deployers)),
            approved_by=frozenset(vote.voter for vote in votes if vote.choice is Choice.APPROVE),
            rejected_by=frozenset(vote.voter for vote in votes if vote.choice is Choice.REJECT),
        )
    if row.verdict is None:
        raise IncoherentRow(f"gate {gate} is {phase} without a verdict")
    verdict = Verdict(row.verdict)
    match phase:
        case Phase.DECIDED:
            return Decided(id=gate, verdict=verdict, verified=row.verified_at is not None)
        case Phase.REPORTED:
            if row.outcome is None:
                raise IncoherentRow(f"gate {gate} is reported without an outcome")
            return Reported(id=gate, verdict=verdict, outcome=Outcome(row.outcome))
        case Phase.CLOSED:
            return Closed(id=gate, verdict=verdict, outcome=Outcome(row.outcome) if row.outcome else None)
        case _:
            assert_never(phase)


def check_from_columns(
    name: str, state: str, summary: str, url: str | None, by: str, at: datetime | str
) -> Check:
    """A check from its columns, or from the array that `SELECT_GATE_VIEW` makes of them."""
    reported_at = at if isinstance(at, datetime) else datetime.fromisoformat(at)
    return Check(name=name, state=CheckState(state), summary=summary, url=url, by=by, at=reported_at)


def _freeze(id_: int, reason: str, by: str, starts_at: str, ends_at: str) -> Freeze:
    span = Span(start=datetime.fromisoformat(starts_at), end=datetime.fromisoformat(ends_at))
    return Freeze(id=id_, reason=reason, by=by, when=span)


def _overridden_rules(row: Any) -> tuple[Violation, ...]:
    try:
        return overridden_rules_from_json(row.overridden_rules)
    except (KeyError, ValueError, TypeError) as exc:
        raise IncoherentRow(f"gate {row.id} has overridden rules that make no sense") from exc


def _guard(row: Any) -> TrafficGuard | None:
    blockers, seen_at = row.guard or (None, None)
    if seen_at is None:
        return None
    try:
        return TrafficGuard(blockers=blockers_from_json(blockers), seen_at=datetime.fromisoformat(seen_at))
    except (KeyError, ValueError, TypeError) as exc:
        raise IncoherentRow(f"gate {row.id} is held by rules that make no sense") from exc


def traffic_from_json(stored: dict[str, Any] | None) -> Traffic | None:
    """How traffic moves, from its column. Raises `IncoherentRow`."""
    if stored is None:
        return None
    try:
        return Traffic(shift=Shift(stored["shift"]), percent=stored["percent"], minutes=stored["minutes"])
    except (KeyError, TypeError, ValueError) as exc:
        raise IncoherentRow(f"no way to move traffic: {stored}") from exc


def _vote(voter: str, name: str, choice: str, reason: str, at: str, counted: bool) -> CastVote:
    return CastVote(
        voter=UserId(voter),
        name=name,
        choice=Choice(choice),
        reason=reason,
        at=datetime.fromisoformat(at),
        counted=counted,
    )
