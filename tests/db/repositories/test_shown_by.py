"""Which gates have no card of their own, decided by the statements that open, send and fail."""

from dataclasses import replace
from datetime import timedelta
from uuid import UUID, uuid4

from app.db.database import Database
from app.db.repositories.gates import Gates
from app.db.repositories.interventions import Interventions
from app.flow.audit_events import Kind
from app.flow.ports.database import Opening
from app.flow.undo.intervention import InterventionProblem
from app.gate.ids import ExecutionId, GateId
from app.gate.undo import InterventionKind
from tests.db.gate_builders import (
    INTERVENTION_ID,
    NOW,
    event,
    key,
    open_gate,
    reject,
    requested_intervention,
    verification,
)


async def open_rollback(
    gates: Gates, *, undo: UUID | None = None, rollback_of: str | None = None, verified: bool = True
) -> GateId:
    """The gate of d-2, whose hook may be a rollback's."""
    gate = GateId(uuid4())
    confirmed = verification()
    confirmed = replace(confirmed, facts=replace(confirmed.facts, rollback_of=rollback_of))
    opening = Opening(
        gate=gate,
        key=key("d-2"),
        execution_id=ExecutionId("one"),
        hook_name="BeforeAllowTraffic",
        verification=confirmed if verified else None,
        opened_at=NOW,
        deadline_at=NOW + timedelta(minutes=55),
        remind_at=None,
        passes=True,
        undo=undo,
    )
    await gates.open(opening, [event(Kind.GATE_OPENED, "d-2", gate)])
    return gate


async def ask(database: Database, gate: GateId, kind: InterventionKind) -> Interventions:
    """Somebody asks for an undo; the repository has its lease once it is claimed."""
    interventions = Interventions(database, uuid4())
    async with interventions.hold_switch_of(gate) as held:
        assert held is not None
        requested = event(Kind.UNDO_REQUESTED, "d-1", gate)
        await held.ask(requested_intervention(kind), instead_of=None, events=[requested], now=NOW)
    return interventions


async def shown_by(database: Database, gate: GateId) -> tuple[UUID | None, bool | None]:
    rows = await database.execute("SELECT shown_by, returns FROM gates WHERE id = :gate", gate=gate)
    return rows[0].shown_by, rows[0].returns


async def test_the_rollback_of_a_rejected_switch_is_shown_by_its_card(database: Database) -> None:
    gates = Gates(database)
    first = await open_gate(gates, "d-1")
    await reject(gates, first)
    rollback = await open_rollback(gates, rollback_of="d-1")
    assert await shown_by(database, rollback) == (first, False)


async def test_a_rollback_of_what_was_neither_stopped_nor_rejected_here_has_its_own_card(
    database: Database,
) -> None:
    gates = Gates(database)
    await open_gate(gates, "d-1")
    rollback = await open_rollback(gates, rollback_of="d-1")
    assert await shown_by(database, rollback) == (None, None)


async def test_a_hook_that_names_an_undo_under_way_is_shown_until_that_undo_fails(database: Database) -> None:
    gates = Gates(database)
    first = await open_gate(gates, "d-1")
    interventions = await ask(database, first, InterventionKind.REDEPLOY)
    rollback = await open_rollback(gates, undo=INTERVENTION_ID)
    assert await shown_by(database, rollback) == (first, False)

    (due,) = await interventions.claim(now=NOW, limit=1)
    failed = event(Kind.UNDO_FAILED, "d-1", first)
    await interventions.failed(
        due, problem=InterventionProblem(detail="another one runs"), event=failed, now=NOW
    )

    assert await shown_by(database, rollback) == (None, None)


async def test_a_hook_that_names_an_undo_that_nobody_asked_for_has_its_own_card(database: Database) -> None:
    gates = Gates(database)
    await open_gate(gates, "d-1")
    rollback = await open_rollback(gates, undo=uuid4())
    assert await shown_by(database, rollback) == (None, None)


async def test_a_hook_before_codedeploys_answer_is_shown_once_the_answer_is_stored(
    database: Database,
) -> None:
    gates = Gates(database)
    first = await open_gate(gates, "d-1")
    interventions = await ask(database, first, InterventionKind.REDEPLOY)
    rollback = await open_rollback(gates, verified=False)
    assert await shown_by(database, rollback) == (None, None), "CodeDeploy could not be asked what it is"

    (due,) = await interventions.claim(now=NOW, limit=1)
    sent = event(Kind.UNDO_SENT, "d-1", first)
    waiting = await interventions.sent(due, deployment="d-2", done=False, problem=None, event=sent, now=NOW)

    assert waiting == [rollback]
    assert await shown_by(database, rollback) == (first, False)
