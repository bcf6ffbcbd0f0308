"""An inconsistent row is not read, and does not block other work."""

from datetime import timedelta
from uuid import uuid4

import pytest

from app.db.database import Database
from app.db.mapping.rows import IncoherentRow
from app.db.quarantine import Quarantine
from app.db.repositories.gates import Gates
from app.db.repositories.messages.cards import Cards
from app.db.repositories.switches import Switches
from app.flow.lifecycle.expire_gates import expire_gates
from tests.db.gate_builders import NOW, open_gate
from tests.logs import captured_logs

SIDEWAYS = "UPDATE switches SET traffic = '{\"shift\": \"sideways\"}' WHERE deployment_id = 'd-bad'"


async def test_a_gate_that_makes_no_sense_is_not_read(database: Database) -> None:
    gates = Gates(database)
    bad = await open_gate(gates, "d-bad")
    await database.execute(SIDEWAYS)
    with pytest.raises(IncoherentRow, match="sideways"):
        await gates.get(bad)


async def test_others_cards_and_polls_go_on_meanwhile(database: Database) -> None:
    gates = Gates(database)
    await open_gate(gates, "d-bad")
    good = await open_gate(gates, "d-good")
    await database.execute(SIDEWAYS)
    assert [due.view.id for due in await Cards(database, uuid4()).claim(now=NOW, limit=5)] == [good]
    due_polls = await Switches(database, uuid4()).claim(now=NOW, limit=5)
    assert [due.switch.key.deployment for due in due_polls] == ["d-good"]


async def test_others_expire_meanwhile_and_the_failure_is_reported(database: Database) -> None:
    gates = Gates(database)
    bad = await open_gate(gates, "d-bad")
    good = await open_gate(gates, "d-good", at=NOW + timedelta(minutes=1))
    await database.execute(SIDEWAYS)
    with captured_logs() as log:
        await expire_gates(repository=gates, quarantine=Quarantine("expire"), now=NOW + timedelta(hours=1))
    assert "row_set_aside" in log.getvalue()
    rows = await database.execute("SELECT id, verdict FROM gates ORDER BY opened_at")
    assert [(row.id, row.verdict) for row in rows] == [(bad, None), (good, "expired")]
