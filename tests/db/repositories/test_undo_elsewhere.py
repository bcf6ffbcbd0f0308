"""An undo lets its own deployment pass: the one in its account and region, whatever carries the same id elsewhere."""

from dataclasses import replace
from datetime import timedelta
from uuid import uuid4

import pytest

from app.db.database import Database
from app.db.repositories.gates import Gates
from app.db.repositories.interventions import Interventions
from app.db.repositories.switches import Switches
from app.flow.audit_events import Kind
from app.flow.ports.database import Opening
from app.gate.ids import ExecutionId, GateId, SwitchKey
from app.gate.undo import InterventionKind
from tests.db.gate_builders import NOW, event, key, open_gate, requested_intervention, verification

SAME = key("d-SAME")
UNDO = requested_intervention(InterventionKind.REDEPLOY)


async def _undo_makes_it(database: Database) -> None:
    """Somebody takes d-OLD back, and CodeDeploy makes d-SAME for it."""
    older = await open_gate(Gates(database), "d-OLD")
    interventions = Interventions(database, uuid4())
    async with interventions.hold_switch_of(older) as held:
        assert held is not None
        asked = event(Kind.UNDO_REQUESTED, "d-OLD", older)
        await held.ask(UNDO, instead_of=None, events=[asked], now=NOW)
    (due,) = await interventions.claim(now=NOW, limit=1)
    sent = event(Kind.UNDO_SENT, "d-OLD", older)
    await interventions.sent(due, deployment="d-SAME", done=False, problem=None, event=sent, now=NOW)


def _opening(where: SwitchKey) -> Opening:
    return Opening(
        gate=GateId(uuid4()),
        key=where,
        execution_id=ExecutionId("one"),
        hook_name="BeforeAllowTraffic",
        verification=verification(),
        opened_at=NOW,
        deadline_at=NOW + timedelta(minutes=55),
        remind_at=None,
    )


@pytest.mark.parametrize(
    ("where", "passes"),
    [
        (SAME, True),
        (replace(SAME, region="eu-west-1"), False),
        (replace(SAME, account="999999999999"), False),
    ],
    ids=["here", "in another region", "in another account"],
)
async def test_an_undo_is_behind_its_own_deployment_alone(
    database: Database, where: SwitchKey, passes: bool
) -> None:
    await _undo_makes_it(database)
    gates = Gates(database)
    opening = _opening(where)

    entry = await gates.open(opening, [replace(event(Kind.GATE_OPENED, "d-SAME"), switch=where)])

    assert entry is not None
    assert entry.undoes is passes
    async with gates.hold(opening.gate) as held:
        assert held is not None
        assert (await held.originating_undo() is not None) is passes
    due_polls = await Switches(database, uuid4()).claim(now=NOW, limit=10)
    assert {due.switch.key: due.auto_approval_pending for due in due_polls}[where] is passes
