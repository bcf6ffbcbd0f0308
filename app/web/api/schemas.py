"""What the API says, as JSON. Never an execution id."""

from datetime import datetime
from typing import Any

from pydantic import BaseModel

from app.db.queries.search import AuditLine
from app.flow.read_models import GateView, Switch
from app.gate.rules.violations import rule_key
from app.gate.state_machine import Awaiting, Phase
from app.web.api.evidence_schemas import EvidenceOut, evidence_out


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
    ending: str | None


class VoteOut(BaseModel):
    voter: str
    name: str
    choice: str
    reason: str
    at: datetime


class GateOut(BaseModel):
    """One hook execution that waits, or waited, for an answer.

    `basis`: on what an approval stands; `broken`: the rules that a break-glass approval set aside.
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
    broken: list[str]
    decided_at: datetime | None
    decided_by: str | None
    decided_name: str | None
    reason: str | None
    outcome: str | None
    outcome_detail: str | None
    reported_at: datetime | None
    votes: list[VoteOut]
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
    """A switch, told."""
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
        ending=switch.end_reason,
    )


def gate_out(view: GateView) -> GateOut:
    """A gate, told."""
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
        broken=[rule_key(rule) for rule in view.overridden_rules],
        decided_at=view.decided_at,
        decided_by=view.decided_by,
        decided_name=view.decided_name,
        reason=view.reason,
        outcome=view.outcome,
        outcome_detail=view.outcome_detail,
        reported_at=view.reported_at,
        votes=[
            VoteOut(voter=vote.voter, name=vote.name, choice=vote.choice, reason=vote.reason, at=vote.at)
            for vote in view.votes
        ],
        evidence=evidence_out(view.evidence) if view.evidence else None,
    )


def phase_of(view: GateView) -> Phase:
    """The name of the gate's state."""
    return Phase(type(view.gate).__name__.lower())


def audit_out(line: AuditLine) -> AuditOut:
    """An audit event, told."""
    return AuditOut.model_validate(line, from_attributes=True)
