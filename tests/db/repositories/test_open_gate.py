"""A hook is stored once, however often it arrives; a switch may have several hooks."""

import asyncio
from datetime import timedelta
from uuid import uuid4

import psycopg

from app.db.database import Database
from app.db.repositories.gates import Gates
from app.db.repositories.messages.previous_cards import PreviousCards
from app.db.repositories.switches import Switches
from app.flow.audit_events import Kind
from tests.db.gate_builders import NOW, event, key, open_gate, reject

LATER = NOW + timedelta(minutes=20)


async def test_a_hook_that_comes_eight_times_at_once_opens_one_gate(database: Database) -> None:
    gates = Gates(database)
    await asyncio.gather(*(open_gate(gates, "d-1") for _ in range(8)))
    (counted,) = await database.execute(
        "SELECT (SELECT count(*) FROM gates) AS gates, (SELECT count(*) FROM switches) AS switches,"
        " (SELECT count(*) FROM cards) AS cards, (SELECT count(*) FROM audit_events) AS events"
    )
    assert (counted.gates, counted.switches, counted.cards, counted.events) == (1, 1, 1, 1)


async def test_a_repeated_hook_finds_the_gate_that_it_opened(database: Database) -> None:
    gates = Gates(database)
    first = await open_gate(gates, "d-1")
    await open_gate(gates, "d-1", at=LATER)
    rows = await database.execute("SELECT id, execution_hash FROM gates")
    found = await gates.find(key("d-1"), execution_digest=rows[0].execution_hash)
    assert found is not None
    assert found.id == first
    assert found.opened_at == NOW


async def test_a_second_hook_of_the_switch_learns_anew_when_it_began(database: Database) -> None:
    gates = Gates(database)
    await reject(gates, await open_gate(gates, "d-1", execution="test", hook_name="AfterAllowTestTraffic"))
    await database.execute("UPDATE switches SET hook_started_at = :at", at=NOW)

    await open_gate(gates, "d-1", execution="production", at=LATER)

    (due,) = await Switches(database, uuid4()).claim(now=LATER, limit=5)
    assert due.switch.hook_started_at is None
    assert due.hook_name == "BeforeAllowTraffic"


async def test_the_same_hook_once_more_forgets_nothing(database: Database) -> None:
    gates = Gates(database)
    await open_gate(gates, "d-1")
    await database.execute("UPDATE switches SET hook_started_at = :at", at=NOW)
    await open_gate(gates, "d-1", at=LATER)
    (switch,) = await database.execute("SELECT hook_started_at FROM switches")
    assert switch.hook_started_at == NOW


async def test_an_ended_switch_is_live_again_with_a_new_hook(database: Database) -> None:
    """It was refused as nobody's, then its domain was configured: the next hook must not wait unseen."""
    gates = Gates(database)
    await open_gate(gates, "d-1", execution="test", verified=False)
    await _end(database)

    await open_gate(gates, "d-1", execution="production", at=LATER)

    (switch,) = await database.execute("SELECT ended_at, end_reason, due_at FROM switches")
    assert (switch.ended_at, switch.end_reason, switch.due_at) == (None, None, LATER)
    assert len(await Switches(database, uuid4()).claim(now=LATER, limit=5)) == 1


async def test_a_late_repetition_does_not_wake_a_switch_that_is_over(database: Database) -> None:
    gates = Gates(database)
    await open_gate(gates, "d-1")
    await _end(database)
    await open_gate(gates, "d-1", at=LATER)
    (switch,) = await database.execute("SELECT ended_at, due_at FROM switches")
    assert (switch.ended_at, switch.due_at) == (NOW, None)


async def _end(database: Database) -> None:
    switches = Switches(database, uuid4())
    (due,) = await switches.claim(now=NOW, limit=1)
    async with switches.hold_switch(due) as held:
        assert held is not None
        for view in held.open_gates:
            ended = event(Kind.GATE_WITHDRAWN, "d-1", view.id)
            assert view.gate.__class__.__name__ == "Awaiting"
            await held.close(view.gate.ended(), reason="nobody's", events=[ended], now=NOW)  # type: ignore[union-attr]
        await held.end(end_reason="nobody's", due_at=None, events=[event(Kind.SWITCH_ENDED, "d-1")], now=NOW)
    await switches.poll_again(due, error=None, rested=True, due_at=LATER)


async def test_a_hook_waits_for_no_row_of_the_domains_previous_deployment(
    database: Database, database_url: str
) -> None:
    gates = Gates(database)
    previous = await open_gate(gates, "d-0")
    await database.execute("UPDATE switches SET status = 'Succeeded', previous_stale_since = NULL")
    async with await psycopg.AsyncConnection.connect(database_url) as holder:
        for table, key_of in (("gates", "id"), ("cards", "gate_id"), ("switches", "id")):
            await holder.execute(f"SELECT 1 FROM {table} WHERE {key_of} IS NOT NULL FOR UPDATE".encode())
        opened = await asyncio.wait_for(open_gate(gates, "d-1", at=LATER), 2)
    assert await gates.get(opened) is not None
    (card,) = await database.execute("SELECT wanted_version FROM cards WHERE gate_id = :gate", gate=previous)
    assert card.wanted_version == 1


async def test_the_previous_deployments_card_is_redrawn_afterwards_and_never_forgotten(
    database: Database,
) -> None:
    gates, cards = Gates(database), PreviousCards(database)
    previous = await open_gate(gates, "d-0")
    await database.execute("UPDATE switches SET status = 'Succeeded', previous_stale_since = NULL")
    await open_gate(gates, "d-1", at=LATER)
    (stale,) = await cards.stale(limit=5, skip=[])
    again = stale.since + timedelta(seconds=1)
    await database.execute(
        "UPDATE switches SET previous_stale_since = :again WHERE id = :id", again=again, id=stale.id
    )

    await cards.redraw(stale, now=LATER)

    (card,) = await database.execute("SELECT wanted_version FROM cards WHERE gate_id = :gate", gate=previous)
    assert card.wanted_version == 2
    assert [one.since for one in await cards.stale(limit=5, skip=[])] == [
        again
    ]  # it was marked anew meanwhile
    await cards.redraw((await cards.stale(limit=5, skip=[]))[0], now=LATER)
    assert await cards.stale(limit=5, skip=[]) == []
