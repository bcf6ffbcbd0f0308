"""A wake-up during a poll of its switch: that poll began before it, so another one follows."""

from datetime import datetime, timedelta
from uuid import uuid4

import pytest

from app.db.database import Database
from app.db.repositories.gates import Gates
from app.db.repositories.switches import Switches
from tests.db.gate_builders import NOW, key, open_gate

HINTED = NOW + timedelta(seconds=1)
PLANNED = NOW + timedelta(minutes=5)


@pytest.mark.parametrize("error", [None, "CodeDeploy throttles"])
async def test_a_state_change_during_a_poll_makes_the_switch_due_at_once(
    database: Database, error: str | None
) -> None:
    await open_gate(Gates(database), "d-1")
    switches = Switches(database, uuid4())
    (due,) = await switches.claim(now=NOW, limit=1)

    assert await Switches(database, uuid4()).wake(key("d-1"), now=HINTED)
    assert await Switches(database, uuid4()).claim(now=HINTED, limit=1) == []
    await switches.poll_again(due, error=error, rested=error is None, due_at=PLANNED)

    assert await _due_at(database) == HINTED
    (again,) = await switches.claim(now=HINTED, limit=1)
    await switches.poll_again(again, error=None, rested=True, due_at=PLANNED)
    assert await _due_at(database) == PLANNED
    assert await switches.claim(now=HINTED, limit=1) == []


async def test_a_state_change_during_the_last_poll_makes_one_more_poll_due(database: Database) -> None:
    await open_gate(Gates(database), "d-1")
    switches = Switches(database, uuid4())
    (due,) = await switches.claim(now=NOW, limit=1)

    assert await switches.wake(key("d-1"), now=HINTED)
    await switches.poll_again(due, error=None, rested=True, due_at=None)

    assert await _due_at(database) == HINTED


async def _due_at(database: Database) -> datetime | None:
    (switch,) = await database.execute("SELECT due_at FROM switches")
    found: datetime | None = switch.due_at
    return found
