"""A freeze and an approval at the same moment, on two connections: the one that holds the gate comes first."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

import pytest

from app.config.loader import parse_config
from app.config.runtime import RuntimeConfig
from app.db.database import Database
from app.db.repositories.freezes import Freezes
from app.db.repositories.gates import Gates, HeldGateRow
from app.flow.approval.cast_vote import VoteRequest, cast_vote
from app.flow.approval.request_denied import RequestDenied
from app.flow.audit_events import Actor, ActorKind, Kind
from app.flow.freezes.declare_freeze import declare_freeze
from app.flow.freezes.stored_freezes import Declaration
from app.gate.ids import DomainName, GateId
from app.gate.rules.denials import ApprovalBlocked
from app.gate.rules.policy import Roster
from app.gate.votes import Choice
from tests.db.gate_builders import NOW, OLU, event, open_gate
from tests.db.locks.test_locks import until_somebody_waits

CONFIG = (
    '[slack]\nchannel = "C01DEPLOY"\n[policy]\napprovers = ["U02OLU"]\nown_deployment = true\n'
    '[domains.order]\napplication = "order-app"\ndeployment_group = "order-dg"\n'
)
RULES = RuntimeConfig(
    parse_config(CONFIG, file="switchgate.toml"),
    roster=Roster,
    last_synced_at=lambda _: NOW,
    clock=lambda: NOW,
)


class PausedGates(Gates):
    """Stops between the read of the gate and the decision."""

    def __init__(self, database: Database) -> None:
        super().__init__(database)
        self.read = asyncio.Event()
        self.go_on = asyncio.Event()

    @asynccontextmanager
    async def hold(
        self, gate: GateId, *, skip_locked: bool = False, request: str | None = None
    ) -> AsyncIterator[HeldGateRow | None]:
        async with super().hold(gate, skip_locked=skip_locked, request=request) as held:
            self.read.set()
            await self.go_on.wait()
            yield held


@pytest.fixture
async def gate(database: Database) -> GateId:
    return await open_gate(Gates(database), "d-1")


async def declare(database: Database, domains: tuple[DomainName, ...] | None) -> None:
    end = NOW + timedelta(hours=1)
    declaration = Declaration(domains=domains, start=NOW, end=end, reason="inventory", by="api:ops")
    who = Actor(kind=ActorKind.API)
    await declare_freeze(declaration, who=who, repository=Freezes(database), rules=RULES, now=NOW)


def approval(gate: GateId) -> VoteRequest:
    return VoteRequest(gate=gate, prompt_version=1, person=OLU, choice=Choice.APPROVE, reason="")


@pytest.mark.parametrize("domains", [None, (DomainName("order"),)])
async def test_no_freeze_is_announced_while_an_approval_that_has_not_read_it_may_still_commit(
    database: Database, database_url: str, gate: GateId, domains: tuple[DomainName, ...] | None
) -> None:
    gates = PausedGates(database)
    pressing = asyncio.create_task(cast_vote(approval(gate), repository=gates, rules=RULES, now=NOW))
    await gates.read.wait()

    freezing = asyncio.create_task(declare(database, domains))
    waiting = asyncio.create_task(until_somebody_waits(database_url))
    await asyncio.wait([freezing, waiting], return_when=asyncio.FIRST_COMPLETED)
    was_announced = freezing.done()
    gates.go_on.set()
    counted = await pressing
    await asyncio.gather(freezing, waiting, return_exceptions=True)

    assert counted.decision is not None
    assert not was_announced
    assert freezing.exception() is None
    assert await database.execute("SELECT 1 FROM freezes WHERE ended_at IS NULL")


async def test_an_approval_that_waited_for_a_freeze_reads_it(
    database: Database, database_url: str, gate: GateId
) -> None:
    async with Freezes(database).hold_freezes() as held:
        end = NOW + timedelta(hours=1)
        declaration = Declaration(domains=None, start=NOW, end=end, reason="inventory", by="api:ops")
        await held.declare(declaration, event=event(Kind.FREEZE_DECLARED, "d-2"), now=NOW)
        pressing = asyncio.create_task(
            cast_vote(approval(gate), repository=Gates(database), rules=RULES, now=NOW)
        )
        await until_somebody_waits(database_url)
    with pytest.raises(RequestDenied) as denied:
        await pressing
    assert isinstance(denied.value.denial, ApprovalBlocked)
