"""Gates, held and saved."""

from datetime import timedelta

import pytest

from app.db.database import Database
from app.db.repositories.gates import Gates, LostGate
from app.flow.audit_events import Kind
from app.gate.ids import GateId, UserId
from app.gate.people import AccountStatus, Person
from app.gate.votes import Choice, Vote
from tests.db.gate_builders import NOW, OLU, event, open_gate, reject, save_rejection
from tests.postgres_line import line_to

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
        before = await database.execute(WRITTEN)
        with pytest.raises(LostGate):
            await save_rejection(held, at=NOW)
    assert before == await database.execute(WRITTEN)
    assert before[0].votes == before[0].reports == 1


async def test_what_is_saved_is_committed_before_the_context_ends(database: Database) -> None:
    gates = Gates(database)
    gate = await open_gate(gates, "d-1")
    async with gates.hold(gate) as held:
        assert held is not None
        await save_rejection(held)
        async with gates.hold(gate, skip_locked=True) as again:
            assert again is not None
            assert again.view.decided_at == NOW


async def test_a_decision_is_five_round_trips_to_postgres(database_url: str) -> None:
    """BEGIN, the lock, what is read under it, all that is written, COMMIT."""
    async with line_to(database_url) as line:
        database = Database(line.url)
        gates = Gates(database)
        opened = [await open_gate(gates, f"d-{number}") for number in range(2)]
        await reject(gates, opened[0])  # the connection is made, the statements are prepared
        before = line.ways
        await reject(gates, opened[1])
        assert line.ways - before == 5
        await database.close()


MINA = Person(user=UserId("U01MINA"), name="Mina", account_status=AccountStatus.MEMBER)
MINUTE = timedelta(minutes=1)


async def cast(gates: Gates, gate: GateId, *people: Person) -> None:
    """Each of them approves, and the gate waits on."""
    for person in people:
        async with gates.hold(gate) as held:
            assert held is not None
            vote = Vote(person=person, choice=Choice.APPROVE, reason="", at=NOW)
            await held.save(vote=vote, decision=None, events=[event(Kind.VOTE_CAST, "d-1", gate)], now=NOW)


async def take_back(gates: Gates, gate: GateId) -> None:
    """Olu thinks again."""
    async with gates.hold(gate) as held:
        assert held is not None
        await held.forget(OLU.user, events=[event(Kind.VOTE_RETRACTED, "d-1", gate)], now=NOW)


async def votes(database: Database) -> set[tuple[GateId, str, bool]]:
    rows = await database.execute("SELECT gate_id, voter, counted FROM votes")
    return {(GateId(row.gate_id), row.voter, row.counted) for row in rows}


async def test_a_vote_is_taken_back_at_one_gate_and_by_one_person(database: Database) -> None:
    gates = Gates(database)
    first, second = [await open_gate(gates, f"d-{number}") for number in range(2)]
    for gate in (first, second):
        await cast(gates, gate, OLU, MINA)
    await take_back(gates, first)
    assert await votes(database) == {
        (first, MINA.user, True),
        (second, OLU.user, True),
        (second, MINA.user, True),
    }


async def test_a_vote_of_a_decided_gate_is_not_taken_back(database: Database) -> None:
    gates = Gates(database)
    gate = await open_gate(gates, "d-1")
    await reject(gates, gate)
    with pytest.raises(LostGate):
        await take_back(gates, gate)
    assert await votes(database) == {(gate, OLU.user, True)}
    kinds = await database.execute("SELECT kind FROM audit_events WHERE kind = 'vote_retracted'")
    assert kinds == []


async def test_a_vote_that_does_not_count_is_marked_at_the_decided_gate_alone(database: Database) -> None:
    gates = Gates(database)
    first, second = [await open_gate(gates, f"d-{number}") for number in range(2)]
    for gate in (first, second):
        await cast(gates, gate, MINA)
    async with gates.hold(first) as held:
        assert held is not None
        await save_rejection(held, discounted=[MINA.user])
    assert await votes(database) == {
        (first, OLU.user, True),
        (first, MINA.user, False),
        (second, MINA.user, True),
    }


async def test_a_gate_is_due_at_its_deadline_and_a_reminder_at_its_time(database: Database) -> None:
    gates = Gates(database)
    later, late, decided = [
        await open_gate(gates, f"d-{minute}", at=NOW + minute * MINUTE) for minute in (1, 0, 2)
    ]
    await reject(gates, decided)
    await database.execute("UPDATE gates SET remind_at = deadline_at")
    for due in (gates.past_deadline, gates.to_remind):
        assert await due(now=NOW + 54 * MINUTE, limit=9, skip=[]) == []
        assert await due(now=NOW + 55 * MINUTE, limit=9, skip=[]) == [late]
        assert await due(now=NOW + 59 * MINUTE, limit=9, skip=[]) == [late, later]
        assert await due(now=NOW + 59 * MINUTE, limit=1, skip=[]) == [late]
        assert await due(now=NOW + 59 * MINUTE, limit=9, skip=[late]) == [later]
    assert await gates.next_deadline(skip=[]) == NOW + 55 * MINUTE
    assert await gates.next_deadline(skip=[late]) == NOW + 56 * MINUTE
    assert await gates.next_deadline(skip=[late, later]) is None


async def test_a_gate_without_a_reminder_is_never_due_for_one(database: Database) -> None:
    gates = Gates(database)
    await open_gate(gates, "d-1")
    assert await gates.to_remind(now=NOW + 60 * MINUTE, limit=9, skip=[]) == []
