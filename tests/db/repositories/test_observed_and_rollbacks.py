"""Which waiting gates pass in observe mode, and that a rollback's gate neither passes so nor is withdrawn."""

from dataclasses import replace
from datetime import timedelta
from typing import Final
from uuid import uuid4

import pytest

from app.config.loader import parse_config
from app.config.runtime import RuntimeConfig
from app.db.database import Database
from app.db.quarantine import Quarantine
from app.db.repositories.gates import Gates
from app.db.repositories.interventions import Interventions
from app.flow.approval.approve_observed import approve_observed
from app.flow.approval.auto_approve_rollback import auto_approve_rollback
from app.flow.approval.request_denied import RequestDenied
from app.flow.approval.withdraw_switch import WithdrawalRequest, may_withdraw, withdraw_switch
from app.flow.audit_events import Kind
from app.flow.ports.database import Opening
from app.flow.undo.execute_intervention import UNDO_TAG
from app.gate.ids import ExecutionId, GateId, UserId
from app.gate.people import AccountStatus, Build, Person
from app.gate.rules.denials import IsARollback
from app.gate.rules.permits import Basis
from app.gate.rules.policy import Roster
from app.gate.undo import InterventionKind
from app.sandbox.people import config_text
from tests.db.gate_builders import (
    INTERVENTION_ID,
    NOW,
    OLU,
    event,
    key,
    open_gate,
    requested_intervention,
    verification,
)

LATER: Final = NOW + timedelta(minutes=1)
BUILD: Final = Build(token="ci", name="order@2", application="order-app", deployment_group="order-dg")


def rules(order: str = 'mode = "observe"\n') -> RuntimeConfig:
    return RuntimeConfig(
        parse_config(config_text(order=order), file="switchgate.toml"),
        roster=lambda: Roster(groups={}),
        last_synced_at=lambda group: NOW,
        clock=lambda: NOW,
    )


async def opened(
    gates: Gates, deployment: str, *, observed: bool = True, creator: str = "user", description: str = ""
) -> GateId:
    """A gate of order, which olu deploys."""
    gate = GateId(uuid4())
    confirmed = verification(creator=creator)
    confirmed = replace(
        confirmed,
        facts=replace(confirmed.facts, description=description),
        observed=observed,
        named_deployers=(OLU.user,),
    )
    opening = Opening(
        gate=gate,
        key=key(deployment),
        execution_id=ExecutionId("one"),
        hook_name="BeforeAllowTraffic",
        verification=confirmed,
        opened_at=NOW,
        deadline_at=NOW + timedelta(minutes=55),
        remind_at=None,
    )
    await gates.open(opening, [event(Kind.GATE_OPENED, deployment, gate)])
    return gate


async def undo_gate(database: Database) -> GateId:
    """The gate of an undo's deployment, whose answer from CodeDeploy is not stored yet."""
    gates = Gates(database)
    first = await open_gate(gates, "d-1")
    async with Interventions(database, uuid4()).hold_switch_of(first) as held:
        assert held is not None
        requested = event(Kind.UNDO_REQUESTED, "d-1", first)
        undo = requested_intervention(InterventionKind.REDEPLOY)
        await held.ask(undo, instead_of=None, events=[requested], now=NOW)
    return await opened(gates, "d-2", description=f"{UNDO_TAG}{INTERVENTION_ID}")


async def observe(database: Database, rules: RuntimeConfig) -> int:
    return await approve_observed(
        repository=Gates(database),
        gates=Gates(database),
        rules=rules,
        quarantine=Quarantine("approve"),
        now=LATER,
    )


async def basis_of(database: Database, gate: GateId) -> str | None:
    rows = await database.execute("SELECT basis FROM gates WHERE id = :gate", gate=gate)
    basis: str | None = rows[0].basis
    return basis


async def test_only_what_opened_in_observe_mode_passes_while_it_is_in_force(database: Database) -> None:
    gates = Gates(database)
    held = await opened(gates, "d-1", observed=False)
    observed = await opened(gates, "d-2")
    assert await observe(database, rules(order="")) == 0
    assert await observe(database, rules()) == 1
    assert await basis_of(database, observed) == Basis.OBSERVE
    assert await basis_of(database, held) is None


async def test_an_automatic_rollback_passes_on_its_own_basis(database: Database) -> None:
    gate = await opened(Gates(database), "d-1", creator="codeDeployRollback")
    assert await observe(database, rules()) == 0
    assert await auto_approve_rollback(gate, repository=Gates(database), now=LATER)
    assert await basis_of(database, gate) == Basis.AUTO_ROLLBACK


async def test_an_undo_does_not_pass_by_observe_mode(database: Database) -> None:
    gate = await undo_gate(database)
    assert await observe(database, rules()) == 0
    assert await basis_of(database, gate) is None


@pytest.mark.parametrize(
    "by", [BUILD, Person(user=UserId(OLU.user), name="olu", account_status=AccountStatus.MEMBER)]
)
@pytest.mark.parametrize("rollback", ["codeDeployRollback", "CloudFormationRollback", "undo"])
async def test_a_rollback_is_never_withdrawn(database: Database, by: Build | Person, rollback: str) -> None:
    gates = Gates(database)
    gate = await undo_gate(database) if rollback == "undo" else await opened(gates, "d-2", creator=rollback)
    request = WithdrawalRequest(gate=gate, by=by, reason="")
    with pytest.raises(RequestDenied) as denied:
        await withdraw_switch(request, repository=gates, rules=rules(), now=LATER)
    assert isinstance(denied.value.denial, IsARollback)
    view = await gates.get(gate)
    assert view is not None
    assert view.decided_at is None
    if isinstance(by, Person) and rollback != "undo":
        assert not may_withdraw(view, person=by, rules=rules(), now=LATER)


async def test_an_ordinary_switch_is_withdrawn(database: Database) -> None:
    gates = Gates(database)
    gate = await opened(gates, "d-2")
    request = WithdrawalRequest(gate=gate, by=BUILD, reason="")
    await withdraw_switch(request, repository=gates, rules=rules(), now=LATER)
    view = await gates.get(gate)
    assert view is not None
    assert view.decided_name == BUILD.name
