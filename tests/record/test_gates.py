"""Gates, held and saved."""

import pytest

from app.record.database import Database
from app.record.gates import Gates, LostGate
from tests.postgres_line import line_to
from tests.record.opened import NOW, open_gate, reject, save_rejection

WRITTEN = """
SELECT (SELECT count(*) FROM votes) AS votes, (SELECT count(*) FROM reports) AS reports,
    (SELECT count(*) FROM audit_events) AS events, (SELECT max(version) FROM gates) AS version
"""


async def test_a_gate_that_waits_no_more_takes_no_vote_and_nothing_is_written(database: Database) -> None:
    gates = Gates(database)
    gate = await open_gate(gates, "d-1")
    async with gates.hold(gate) as held:
        assert held is not None
        await save_rejection(held)
        before = await database.rows(WRITTEN)
        with pytest.raises(LostGate):
            await save_rejection(held, at=NOW)
    assert before == await database.rows(WRITTEN)
    assert before[0].votes == before[0].reports == 1


async def test_what_is_saved_stands_before_the_gate_is_let_go(database: Database) -> None:
    gates = Gates(database)
    gate = await open_gate(gates, "d-1")
    async with gates.hold(gate) as held:
        assert held is not None
        await save_rejection(held)
        async with gates.hold(gate, skip_locked=True) as again:
            assert again is not None
            assert again.view.decided_at == NOW


async def test_a_decision_is_two_ways_to_postgres_and_back(record_url: str) -> None:
    """Its lock and what is read beside it; all that is written, and the commit."""
    async with line_to(record_url) as line:
        database = Database(line.url)
        gates = Gates(database)
        opened = [await open_gate(gates, f"d-{number}") for number in range(2)]
        await reject(gates, opened[0])  # the connection is made, the statements are prepared
        before = line.ways
        await reject(gates, opened[1])
        assert line.ways - before == 2
        await database.close()
