"""Opens and decides gates through the repositories, for tests of the database alone."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Final
from uuid import UUID, uuid4

from app.db.repositories.gates import Gates
from app.flow.audit_events import Actor, ActorKind, Event, Kind, person_actor
from app.flow.ports.codedeploy import DeploymentFacts
from app.flow.ports.database import HeldGate, Opening, Verification
from app.flow.undo.intervention import Intervention, InterventionPhase
from app.gate.decision import Rejection
from app.gate.ids import DeploymentId, DomainName, ExecutionId, GateId, SwitchKey, UserId
from app.gate.people import AccountStatus, Person
from app.gate.undo import InterventionKind
from app.gate.votes import Choice, Vote

NOW: Final = datetime(2026, 11, 24, 3, 0, tzinfo=UTC)
INTERVENTION_ID: Final = UUID(int=7)
OLU: Final = Person(user=UserId("U02OLU"), name="Olu Ade", account_status=AccountStatus.MEMBER)


def key(deployment: str) -> SwitchKey:
    return SwitchKey(account="123456789012", region="ap-northeast-2", deployment=DeploymentId(deployment))


def verification(domain: str = "order", *, creator: str = "user") -> Verification:
    facts = DeploymentFacts(
        application=f"{domain}-app",
        deployment_group=f"{domain}-dg",
        platform="ECS",
        status="InProgress",
        creator=creator,
        description="",
        config_name="CodeDeployDefault.ECSAllAtOnce",
        created_at=NOW,
        rollback_of=None,
        error=None,
    )
    return Verification(domain=DomainName(domain), listener_port=8020, facts=facts, deployed_by=None)


def event(kind: Kind, deployment: str, gate: GateId | None = None, *, at: datetime = NOW) -> Event:
    return Event(at=at, kind=kind, switch=key(deployment), actor=Actor(kind=ActorKind.HOOK), gate=gate)


async def open_gate(
    gates: Gates,
    deployment: str,
    *,
    execution: str = "one",
    verified: bool = True,
    domain: str = "order",
    at: datetime = NOW,
    hook_name: str = "BeforeAllowTraffic",
    gate: GateId | None = None,
) -> GateId:
    """A gate that waits; the same `execution` twice is one hook."""
    gate = gate or GateId(uuid4())
    opening = Opening(
        gate=gate,
        key=key(deployment),
        execution_id=ExecutionId(execution),
        hook_name=hook_name,
        verification=verification(domain) if verified else None,
        opened_at=at,
        deadline_at=at + timedelta(minutes=55),
        remind_at=None,
    )
    await gates.open(opening, [event(Kind.GATE_OPENED, deployment, gate, at=at)])
    return gate


def requested_intervention(kind: InterventionKind, *, id_: UUID = INTERVENTION_ID) -> Intervention:
    """As somebody has just asked for it; CodeDeploy has not been told."""
    return Intervention(
        id=id_,
        kind=kind,
        phase=InterventionPhase.REQUESTED,
        by=OLU.user,
        name=OLU.name,
        reason="orders fail",
        requested_at=NOW,
        deployment=None,
        problem=None,
        finished_at=None,
    )


async def reject(gates: Gates, gate: GateId, *, at: datetime = NOW) -> None:
    """Olu says no: the plainest decision."""
    async with gates.hold(gate) as held:
        assert held is not None
        await save_rejection(held, at=at)


async def save_rejection(held: HeldGate, *, at: datetime = NOW, discounted: Sequence[UserId] = ()) -> None:
    """The same, of a gate that is held already."""
    said = Event(
        at=at,
        kind=Kind.GATE_DECIDED,
        switch=held.view.switch.key,
        actor=person_actor(OLU.user, OLU.name),
        gate=held.view.id,
    )
    await held.save(
        vote=Vote(person=OLU, choice=Choice.REJECT, reason="no", at=at),
        decision=Rejection(by=OLU.user, name=OLU.name, reason="no", at=at),
        discounted=discounted,
        events=[said],
        now=at,
    )
