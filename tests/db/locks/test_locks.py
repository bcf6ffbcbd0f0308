"""Lock waits between transactions: each possible deadlock is executed step by step."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from uuid import uuid4

import psycopg
import pytest
from sqlalchemy import select

from app.db.database import Database
from app.db.repositories.freezes import Freezes
from app.db.repositories.gates import Gates
from app.db.repositories.interventions import Interventions
from app.db.repositories.messages.cards import Cards
from app.db.repositories.reports import Reports
from app.db.repositories.switches import Switches
from app.db.tables import gates as gates_table
from app.flow.audit_events import Kind
from app.flow.lifecycle.report_decision import Result
from app.flow.notify.refresh_rule_status import RuleSnapshot
from app.flow.ports.database import DatabaseUnavailable
from app.flow.ports.switches import DuePoll
from app.flow.read_models import CardPlace
from app.gate.ids import GateId
from app.gate.state_machine import Decided, Outcome
from app.gate.undo import InterventionKind
from tests.db.gate_builders import NOW, event, open_gate, reject, requested_intervention, save_rejection

ACKNOWLEDGED = Result(outcome=Outcome.ACKNOWLEDGED, detail="Failed")
CHAIN = "SELECT pg_advisory_xact_lock(hashtextextended('123456789012/ap-northeast-2/d-1', 7))"
ROWS = ("switches", "gates", "votes", "cards", "reports", "interventions")

REDEPLOY = requested_intervention(InterventionKind.REDEPLOY)

Writer = Callable[[Database, GateId], Awaitable[object]]


async def _press(database: Database, gate: GateId) -> None:
    await reject(Gates(database), gate)


async def _second_hook(database: Database, gate: GateId) -> None:
    await open_gate(Gates(database), "d-1", execution="production")


async def _card_published(database: Database, gate: GateId) -> None:
    cards = Cards(database, uuid4())
    (due,) = await cards.claim(now=NOW, limit=1)
    place = CardPlace(channel="C1", ts="1.1")
    await cards.mark_published(due, place=place, fingerprint="f", now=NOW)


async def _poll(database: Database, gate: GateId) -> None:
    switches = Switches(database, uuid4())
    (due,) = await switches.claim(now=NOW, limit=1)
    async with switches.hold_switch(due) as held:
        assert held is not None
        await held.add_audit_events([event(Kind.SWITCHED, "d-1", gate)])


async def _poll_rollback(database: Database, gate: GateId) -> None:
    """A poll of the rollback deployment writes events of both deployments."""
    await open_gate(Gates(database), "d-2")
    await database.execute("UPDATE switches SET rollback_id = 'd-2' WHERE deployment_id = 'd-1'")
    switches = Switches(database, uuid4())
    due_polls = await switches.claim(now=NOW, limit=2)
    due = next(one for one in due_polls if one.switch.key.deployment == "d-2")
    async with switches.hold_switch(due) as held:
        assert held is not None
        await held.add_audit_events([event(Kind.UNDO_DONE, "d-1", gate)])


async def _report(database: Database, gate: GateId) -> None:
    reports = Reports(database, uuid4())
    (due,) = await reports.claim(now=NOW, limit=1)
    assert await reports.mark_reported(
        due, ACKNOWLEDGED, event(Kind.REPORT_ACKNOWLEDGED, "d-1", gate), now=NOW
    )


async def _report_again(database: Database, gate: GateId) -> None:
    reports = Reports(database, uuid4())
    (due,) = await reports.claim(now=NOW, limit=1)
    await reports.retry_later(due, error="throttled", redraw=True, due_at=NOW, now=NOW)


async def _undo(database: Database, gate: GateId) -> None:
    async with Interventions(database, uuid4()).hold_switch_of(gate) as held:
        assert held is not None
        await held.note(event(Kind.UNDO_DENIED, "d-1", gate))


async def _answer_to_an_undo(database: Database, gate: GateId) -> None:
    """Of an older deployment, by which this one was made; its hook may come at the same time."""
    older = await open_gate(Gates(database), "d-0")
    interventions = Interventions(database, uuid4())
    async with interventions.hold_switch_of(older) as held:
        assert held is not None
        asked = event(Kind.UNDO_REQUESTED, "d-0", older)
        await held.ask(REDEPLOY, instead_of=None, events=[asked], now=NOW)
    (due,) = await interventions.claim(now=NOW, limit=1)
    sent = event(Kind.UNDO_SENT, "d-0", older)
    waiting = await interventions.sent(due, deployment="d-1", done=False, problem=None, event=sent, now=NOW)
    assert waiting == [gate]


WRITERS: dict[str, Writer] = {
    "a press": _press,
    "a second hook": _second_hook,
    "a card published": _card_published,
    "a poll": _poll,
    "a poll of its rollback": _poll_rollback,
    "a report": _report,
    "a report that failed": _report_again,
    "an undo": _undo,
    "the answer to an undo": _answer_to_an_undo,
}


@pytest.fixture
async def gate(database: Database) -> GateId:
    return await open_gate(Gates(database), "d-1")


@pytest.mark.parametrize("writer", WRITERS.values(), ids=WRITERS)
async def test_a_transaction_that_waits_for_an_audit_lock_holds_nothing_that_its_holder_may_want(
    database: Database, database_url: str, gate: GateId, writer: Writer
) -> None:
    """So no two writers of one deployment ever wait in a circle, whatever else each of them locks."""
    if writer in {_report, _report_again}:
        await reject(Gates(database), gate)
    async with await psycopg.AsyncConnection.connect(database_url) as holder:
        await holder.execute(CHAIN)
        writing = asyncio.ensure_future(writer(database, gate))
        await until_somebody_waits(database_url)
        for table in ROWS:
            await holder.execute(f"SELECT 1 FROM {table} FOR UPDATE NOWAIT")
        await holder.rollback()
        await writing
    broken = await database.execute(
        "SELECT 1 FROM (SELECT seq, row_number() OVER (PARTITION BY deployment_id ORDER BY seq) AS place"
        " FROM audit_events) e"
        " WHERE seq <> place"
    )
    assert broken == []


async def test_a_poll_holds_the_audit_locks_of_all_deployments_that_it_rolls_back_even_if_found_while_waiting(
    database: Database, database_url: str, gate: GateId
) -> None:
    """It writes to those audit trails later, while it holds rows that the holders of their audit locks want."""
    await open_gate(Gates(database), "d-2")
    switches = Switches(database, uuid4())
    due = next(one for one in await switches.claim(now=NOW, limit=2) if one.switch.key.deployment == "d-2")
    async with (
        await psycopg.AsyncConnection.connect(database_url) as writing,
        await psycopg.AsyncConnection.connect(database_url) as undoing,
    ):
        await writing.execute(CHAIN)
        await undoing.execute(CHAIN.replace("d-1", "d-2"))
        looking = asyncio.ensure_future(_other_chain_is_free(switches, due, database_url))
        await until_somebody_waits(database_url)
        await undoing.execute("UPDATE switches SET rollback_id = 'd-2' WHERE deployment_id = 'd-1'")
        await undoing.commit()
        await until_somebody_waits(
            database_url
        )  # for what is being written to the other chain, with nothing in hand
        assert not looking.done()
        await writing.rollback()
    assert await looking is False


async def _other_chain_is_free(switches: Switches, due: DuePoll, url: str) -> bool:
    async with (
        switches.hold_switch(due) as held,
        await psycopg.AsyncConnection.connect(url, autocommit=True) as other,
    ):
        assert held is not None
        row = await (await other.execute(CHAIN.replace("pg_advisory", "pg_try_advisory"))).fetchone()
        return row == (True,)


async def test_a_report_and_a_look_at_the_same_switch_do_not_deadlock(
    database: Database, database_url: str, gate: GateId
) -> None:
    await reject(Gates(database), gate)
    reports = Reports(database, uuid4())
    (due,) = await reports.claim(now=NOW, limit=1)
    switches = Switches(database, uuid4())
    (poll,) = await switches.claim(now=NOW, limit=1)
    acknowledged = event(Kind.REPORT_ACKNOWLEDGED, "d-1", gate)
    async with switches.hold_switch(poll) as held:
        assert held is not None
        report = asyncio.create_task(reports.mark_reported(due, ACKNOWLEDGED, acknowledged, now=NOW))
        await until_somebody_waits(database_url)
        await held.add_audit_events([event(Kind.GATE_VERIFIED, "d-1", gate)])
    assert await report


async def test_a_card_publisher_waits_for_no_rule_change(
    database: Database, database_url: str, gate: GateId
) -> None:
    """A card publisher holds the card's row and inserts rows that refer to the gate; a rule change holds the gate
    and wants the card."""
    freezes = Freezes(database)
    (waiting,) = await freezes.waiting()
    snapshot = RuleSnapshot(fingerprint="new", frozen=False, awaits_exclusivity=False)
    async with await psycopg.AsyncConnection.connect(database_url, options="-c lock_timeout=1000") as drawing:
        await drawing.execute("SELECT 1 FROM cards FOR UPDATE")
        turning = asyncio.ensure_future(freezes.store_snapshot(waiting, snapshot, redraw=True, now=NOW))
        await until_somebody_waits(database_url)
        await drawing.execute("INSERT INTO threads (gate_id, due_at) VALUES (%s, now())", [gate])
        await drawing.commit()
    await turning
    assert (await database.execute("SELECT wanted_version > 1 AS later FROM cards"))[0].later


async def test_a_report_brings_the_next_look_forward(database: Database, gate: GateId) -> None:
    await database.execute("UPDATE switches SET due_at = :later", later=NOW + timedelta(hours=1))
    await reject(Gates(database), gate)
    reports = Reports(database, uuid4())
    (due,) = await reports.claim(now=NOW, limit=1)
    await reports.mark_reported(due, ACKNOWLEDGED, event(Kind.REPORT_ACKNOWLEDGED, "d-1", gate), now=NOW)
    assert (await database.execute("SELECT due_at FROM switches"))[0].due_at == NOW


async def test_the_loser_of_a_deadlock_has_recorded_nothing_and_is_told_so(database: Database) -> None:
    gates = [await open_gate(Gates(database), name) for name in ("d-2", "d-3")]
    both_hold = asyncio.Barrier(2)

    async def lock(order: list[GateId]) -> None:
        async with database.transaction() as connection:
            await connection.execute(
                select(gates_table).where(gates_table.c.id == order[0]).with_for_update()
            )
            await both_hold.wait()
            await connection.execute(
                select(gates_table).where(gates_table.c.id == order[1]).with_for_update()
            )

    ends = await asyncio.gather(lock(gates), lock(gates[::-1]), return_exceptions=True)
    assert [type(end) for end in ends if end is not None] == [DatabaseUnavailable]


async def test_a_gate_that_somebody_holds_is_passed_over_and_not_waited_for(
    database: Database, gate: GateId
) -> None:
    gates = Gates(database)
    async with gates.hold(gate) as held:
        assert held is not None
        async with gates.hold(gate, skip_locked=True) as skipped:
            assert skipped is None


async def test_whoever_waited_for_a_gate_sees_what_was_decided_meanwhile(
    database: Database, database_url: str, gate: GateId
) -> None:
    """A read in the statement that waits for a lock would be stale."""
    gates = Gates(database)
    async with gates.hold(gate) as held:
        assert held is not None
        second = asyncio.create_task(_seen(gates, gate))
        await until_somebody_waits(database_url)
        await save_rejection(held)
    assert await second == "Decided"


async def test_what_is_closed_under_a_report_is_not_due_again(database: Database, gate: GateId) -> None:
    """A report that fails while its gate is closed must not bring itself back for ever."""
    await reject(Gates(database), gate)
    reports, switches = Reports(database, uuid4()), Switches(database, uuid4())
    (due,) = await reports.claim(now=NOW, limit=1)
    (poll,) = await switches.claim(now=NOW, limit=1)
    async with switches.hold_switch(poll) as held:
        assert held is not None
        (view,) = held.open_gates
        assert isinstance(view.gate, Decided)
        await held.close(view.gate.ended(), reason=None, events=[], now=NOW)
    await reports.retry_later(due, error="throttled", redraw=True, due_at=NOW, now=NOW)
    assert await reports.claim(now=NOW + timedelta(hours=1), limit=1) == []
    assert (await database.execute("SELECT due_at FROM reports"))[0].due_at is None


async def _seen(gates: Gates, gate: GateId) -> str:
    async with gates.hold(gate) as held:
        assert held is not None
        return type(held.view.gate).__name__


async def until_somebody_waits(url: str) -> None:
    """Waits until a session of ours waits for a lock."""
    async with await psycopg.AsyncConnection.connect(url, autocommit=True) as watching, asyncio.timeout(10):
        while True:
            found = await watching.execute(
                "SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
            )
            if await found.fetchone():
                return
            await asyncio.sleep(0.01)
