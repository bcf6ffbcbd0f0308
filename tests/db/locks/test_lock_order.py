"""One order of locks: whatever two statements lock, neither waits for a row while it holds one that the other wants.

Each statement is run once for every row of a scene while somebody holds that row. What it holds when it comes to wait
is noted; the notes of all of them together must hold no circle.
"""

import pytest

from app.db.database import Database
from tests.db.locks.lock_scene import CHAINS, Wait, circles, touched_by, waits_of
from tests.db.writers import WRITERS, prepare_writer


@pytest.fixture
async def waits(database: Database, database_url: str) -> list[Wait]:
    """What every statement holds while it waits for each row that it touches."""
    found = []
    for name in WRITERS:
        for wanted in [*CHAINS, *await touched_by(await prepare_writer(name, database), database)]:
            found += await waits_of(name, await prepare_writer(name, database), wanted, database_url)
    return found


@pytest.mark.slow
async def test_no_two_statements_can_ever_wait_for_each_other(waits: list[Wait]) -> None:
    described = [" / ".join(f"{one.writer} wants {one.wanted}" for one in path) for path in circles(waits)]
    assert described == []
    seen = {wait.writer for wait in waits}
    assert seen >= {"a press", "a poll", "an undo put back", "a card published", "a freeze"}  # no empty scene
