"""The API's responses. Never an execution id, never the value of an environment variable."""

from datetime import datetime
from typing import Any

from pydantic import BaseModel

from app.db.queries.audit_trail import AuditLine
from app.flow.read_models import GateView, Switch
from app.flow.traffic_share import share_on_green
from app.gate.evidence.health import health_of_green
from app.gate.evidence.model import Evidence, Missing
from app.gate.rules.violations import rule_key
from app.gate.state_machine import Awaiting, Phase


class SwitchOut(BaseModel):
    """One deployment's attempt to move a domain's production traffic."""

    account: str
    region: str
    deployment_id: str
    domain: str | None
    application: str | None
    deployment_group: str | None
    creator: str | None
    deployed_by: str | None
    description: str | None
    config_name: str | None
    listener_port: int | None
    status: str | None
    verified: bool
    first_seen_at: datetime
    ended_at: datetime | None
    end_reason: str | None


class AnswerOut(BaseModel):
    """What one approver said to a question of the policy."""

    question: str
    confirmed: bool


class VoteOut(BaseModel):
    voter: str
    name: str
    choice: str
    reason: str
    at: datetime
    answers: list[AnswerOut]


class ChangeOut(BaseModel):
    """One difference between blue and green. `before` and `after` are null where nothing may be told."""

    part: str
    kind: str
    name: str
    container: str
    before: str | None
    after: str | None


class EvidenceOut(BaseModel):
    """As it was collected last before the decision. `missing`: parts that could not be read, and why."""

    collected_at: datetime
    blue: str | None
    green: str | None
    changes: list[ChangeOut] | None
    healthy: bool
    findings: list[str]
    missing: dict[str, str]
    compare_url: str | None
    run_url: str | None


class TrafficOut(BaseModel):
    """Production traffic on green. `percent` is null while it is unknown; `read_at`: when it was read last."""

    percent: int | None
    read_at: datetime | None


class GateOut(BaseModel):
    """One hook execution that waits, or waited, for an answer.

    `basis`: on what an approval stands; `overridden_rules`: the rules that a break-glass approval overrode, or
    that would have held it outside observe mode.
    """

    id: str
    deployment_id: str
    domain: str | None
    hook: str
    phase: str
    verified: bool
    opened_at: datetime
    deadline_at: datetime
    verdict: str | None
    basis: str | None
    overridden_rules: list[str]
    decided_at: datetime | None
    decided_by: str | None
    decided_name: str | None
    reason: str | None
    outcome: str | None
    outcome_detail: str | None
    reported_at: datetime | None
    votes: list[VoteOut]
    traffic: TrafficOut
    evidence: EvidenceOut | None


class AuditOut(BaseModel):
    """One line of the audit trail."""

    id: int
    at: datetime
    kind: str
    account: str
    region: str
    deployment_id: str
    domain: str | None
    gate_id: str | None
    actor_kind: str
    actor: str | None
    actor_name: str | None
    detail: dict[str, Any]


class SwitchPage(BaseModel):
    items: list[SwitchOut]
    cursor: str | None


class GatePage(BaseModel):
    items: list[GateOut]
    cursor: str | None


class AuditPage(BaseModel):
    items: list[AuditOut]
    cursor: str | None


def switch_out(switch: Switch) -> SwitchOut:
    """The response for a switch."""
    return SwitchOut(
        account=switch.key.account,
        region=switch.key.region,
        deployment_id=switch.key.deployment,
        domain=switch.domain,
        application=switch.application,
        deployment_group=switch.deployment_group,
        creator=switch.creator,
        deployed_by=switch.deployed_by,
        description=switch.description,
        config_name=switch.config_name,
        listener_port=switch.listener_port,
        status=switch.status,
        verified=switch.verified,
        first_seen_at=switch.first_seen_at,
        ended_at=switch.ended_at,
        end_reason=switch.end_reason,
    )


def gate_out(view: GateView) -> GateOut:
    """The response for a gate."""
    return GateOut(
        id=str(view.id),
        deployment_id=view.switch.key.deployment,
        domain=view.switch.domain,
        hook=view.hook_name,
        phase=phase_of(view),
        verified=view.switch.verified,
        opened_at=view.opened_at,
        deadline_at=view.deadline_at,
        verdict=None if isinstance(view.gate, Awaiting) else view.gate.verdict,
        basis=view.basis,
        overridden_rules=[rule_key(rule) for rule in view.overridden_rules],
        decided_at=view.decided_at,
        decided_by=view.decided_by,
        decided_name=view.decided_name,
        reason=view.reason,
        outcome=view.outcome,
        outcome_detail=view.outcome_detail,
        reported_at=view.reported_at,
        votes=[VoteOut.model_validate(vote, from_attributes=True) for vote in view.votes],
        traffic=TrafficOut.model_validate(share_on_green(view), from_attributes=True),
        evidence=evidence_out(view.evidence) if view.evidence else None,
    )


def evidence_out(evidence: Evidence) -> EvidenceOut:
    """`findings` are names of what speaks against green, the worst first."""
    found = health_of_green(evidence)
    changes = evidence.differences
    return EvidenceOut(
        collected_at=evidence.collected_at,
        blue=evidence.blue.task_definition,
        green=evidence.green.task_definition,
        changes=None
        if isinstance(changes, Missing)
        else [ChangeOut.model_validate(change, from_attributes=True) for change in changes],
        healthy=found.healthy,
        findings=[finding.name for finding in found.findings],
        missing={part: missing.reason.value for part, missing in evidence.missing.items()},
        compare_url=evidence.commits.compare_url,
        run_url=evidence.commits.run_url,
    )


def phase_of(view: GateView) -> Phase:
    """The name of the gate's state."""
    return Phase(type(view.gate).__name__.lower())


def audit_out(line: AuditLine) -> AuditOut:
    """The response for an audit event."""
    return AuditOut.model_validate(line, from_attributes=True)
