"""A share of traffic that is not read again in time becomes unknown in the record, whether or not anybody polls."""

from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

from app.db.database import Database
from app.db.repositories.gates import Gates
from app.db.repositories.stale_traffic import StaleTraffic
from app.db.repositories.switches import Switches
from app.flow.ports.switches import TrafficReading
from tests.db.gate_builders import NOW, open_gate

STALE_AT = NOW + timedelta(seconds=5)
LATER = NOW + timedelta(seconds=30)


async def read(database: Database, reading: TrafficReading, *, due_at: datetime = NOW) -> None:
    """One poll of the only switch, which is due again at `due_at`."""
    switches = Switches(database, uuid4())
    (due,) = await switches.claim(now=NOW, limit=1)
    await switches.poll_again(due, error=None, rested=True, due_at=due_at, reading=reading)


async def stored(database: Database) -> Any:
    (row,) = await database.execute(
        "SELECT traffic_read_at, traffic_stale_at, traffic_unknown FROM switches WHERE deployment_id = 'd-1'"
    )
    return row


async def mark(database: Database, *, now: datetime) -> int:
    """What the worker does; gives the number of switches that it found."""
    traffic = StaleTraffic(database)
    found = await traffic.stale(now=now, limit=9, skip=[])
    for switch in found:
        await traffic.mark_unknown(switch, now=now)
    return len(found)


async def versions(database: Database) -> list[tuple[int, int]]:
    rows = await database.execute(
        "SELECT g.version, c.wanted_version FROM gates g JOIN cards c ON c.gate_id = g.id ORDER BY g.opened_at"
    )
    return [(row.version, row.wanted_version) for row in rows]


async def test_a_share_becomes_unknown_once_and_its_card_is_drawn_again(database: Database) -> None:
    await open_gate(Gates(database), "d-1")
    await read(database, TrafficReading(read_at=NOW, stale_at=STALE_AT))
    assert await mark(database, now=STALE_AT - timedelta(milliseconds=1)) == 0
    assert await mark(database, now=STALE_AT) == 1
    row = await stored(database)
    assert (row.traffic_read_at, row.traffic_stale_at, row.traffic_unknown) == (NOW, None, True)
    assert await versions(database) == [(2, 2)]
    assert await mark(database, now=LATER) == 0


async def test_a_poll_that_reads_nothing_does_not_put_it_off(database: Database) -> None:
    await open_gate(Gates(database), "d-1")
    await read(database, TrafficReading(read_at=NOW, stale_at=STALE_AT))
    await read(database, TrafficReading(stale_at=LATER))
    assert (await stored(database)).traffic_stale_at == STALE_AT
    await read(database, TrafficReading(read_at=NOW, stale_at=LATER))
    assert (await stored(database)).traffic_stale_at == LATER


async def test_traffic_that_cannot_change_any_more_stays_known(database: Database) -> None:
    await open_gate(Gates(database), "d-1")
    await read(database, TrafficReading(read_at=NOW, stale_at=STALE_AT))
    await read(database, TrafficReading())
    assert await mark(database, now=LATER) == 0


async def test_what_was_read_meanwhile_is_not_marked(database: Database) -> None:
    await open_gate(Gates(database), "d-1")
    await read(database, TrafficReading(read_at=NOW, stale_at=STALE_AT))
    (switch,) = await StaleTraffic(database).stale(now=STALE_AT, limit=9, skip=[])
    await read(database, TrafficReading(read_at=NOW, stale_at=LATER))
    await StaleTraffic(database).mark_unknown(switch, now=STALE_AT)
    assert not (await stored(database)).traffic_unknown
    assert await versions(database) == [(1, 1)]


async def test_the_card_of_what_is_being_rolled_back_is_drawn_again_too(database: Database) -> None:
    await open_gate(Gates(database), "d-0", at=NOW - timedelta(minutes=1))
    await database.execute("UPDATE switches SET rollback_id = 'd-1', due_at = NULL")
    await open_gate(Gates(database), "d-1")
    await read(database, TrafficReading(read_at=NOW, stale_at=STALE_AT))
    await mark(database, now=STALE_AT)
    assert await versions(database) == [(2, 2), (2, 2)]
