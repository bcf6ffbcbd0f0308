"""Rows -> read models. An inconsistent row raises `IncoherentRow`."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, assert_never
from uuid import UUID

from app.db.mapping.interventions import intervention_from_json
from app.db.mapping.overridden_rules import blockers_from_json, overridden_rules_from_json
from app.flow.read_models import CastVote, GateView, Rollback, Switch, Traffic
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
from app.gate.votes import Choice, QuestionAnswer


class IncoherentRow(Exception):
    """The row holds a value or a combination that no release writes."""


def from_undo_that_created(deployment: str, *, account: str, region: str) -> str:
    """SQL, FROM and WHERE: the undo `i` that created this deployment. Arguments are SQL: a parameter or a column."""
    return (
        "FROM interventions i JOIN switches o ON o.id = i.switch_id"
        f" WHERE i.deployment_id = {deployment} AND i.kind = 'redeploy'"
        f" AND o.account = {account} AND o.region = {region}"
    )


def switch_from_row(row: Any) -> Switch:
    """A switch from a row with `app.db.gate_view.SWITCH_COLUMNS`. Raises `IncoherentRow`."""
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
        traffic_read_at=row.traffic_read_at,
        traffic_unknown=row.traffic_unknown,
        switched_at=row.switched_at,
        shift_ended_at=row.shift_ended_at,
        blue_until=row.blue_until,
        rollback_id=row.rollback_id,
        previous_revision=row.previous_revision,
        previous_obstacle=_previous_obstacle(row),
        auto_rollback=row.auto_rollback,
    )


def _previous_obstacle(row: Any) -> Obstacle | None:
    return Obstacle(row.previous_obstacle) if row.previous_obstacle else None


def gate_view_from_row(row: Any) -> GateView:
    """A gate with its switch and votes from a row of `app.db.gate_view.GATE_VIEW`. Raises `IncoherentRow`."""
    votes = tuple(map(_vote, row.votes or ()))
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
        rollback=_rollback(row),
        superseded=row.superseded,
        shown_by=GateId(row.shown_by) if row.shown_by else None,
        returns=bool(row.returns),
        observed=bool(row.observed),
        overridden_rules=_overridden_rules(row),
        guard=_guard(row),
        freezes=tuple(map(_freeze, row.freezes or ())),
        checks=tuple(map(check_from_json, row.checks or ())),
    )


def _rollback(row: Any) -> Rollback | None:
    if row.rollback_deployment_id is None:
        return None
    return Rollback(
        deployment=row.rollback_deployment_id,
        status=row.rollback_status,
        switched_at=row.rollback_switched_at,
        ended_at=row.rollback_ended_at,
        green_percent=row.rollback_green_percent,
        traffic_read_at=row.rollback_traffic_read_at,
        traffic_unknown=row.rollback_traffic_unknown,
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


def check_from_json(stored: Mapping[str, Any]) -> Check:
    """A check from its row as JSON."""
    return Check(
        name=stored["name"],
        state=CheckState(stored["state"]),
        summary=stored["summary"],
        url=stored["url"],
        by=stored["reported_by"],
        at=datetime.fromisoformat(stored["reported_at"]),
    )


def check_from_row(row: Any) -> Check:
    """A check from its row."""
    return Check(
        name=row.name,
        state=CheckState(row.state),
        summary=row.summary,
        url=row.url,
        by=row.reported_by,
        at=row.reported_at,
    )


def _freeze(stored: Mapping[str, Any]) -> Freeze:
    span = Span(
        start=datetime.fromisoformat(stored["starts_at"]), end=datetime.fromisoformat(stored["ends_at"])
    )
    return Freeze(id=stored["id"], reason=stored["reason"], by=stored["declared_by"], when=span)


def _overridden_rules(row: Any) -> tuple[Violation, ...]:
    try:
        return overridden_rules_from_json(row.overridden_rules)
    except (KeyError, ValueError, TypeError) as exc:
        raise IncoherentRow(f"gate {row.id} has overridden rules that make no sense") from exc


def _guard(row: Any) -> TrafficGuard | None:
    if row.guard_seen_at is None:
        return None
    try:
        return TrafficGuard(blockers=blockers_from_json(row.guard_blockers), seen_at=row.guard_seen_at)
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


def _vote(stored: Mapping[str, Any]) -> CastVote:
    return CastVote(
        voter=UserId(stored["voter"]),
        name=stored["name"],
        choice=Choice(stored["choice"]),
        reason=stored["reason"],
        at=datetime.fromisoformat(stored["voted_at"]),
        counted=stored["counted"],
        answers=tuple(
            QuestionAnswer(question=each["question"], confirmed=each["confirmed"])
            for each in stored["answers"] or ()
        ),
    )
