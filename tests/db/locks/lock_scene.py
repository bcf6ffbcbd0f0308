"""A scene with every kind of row that is ever locked, and what each statement holds while it waits for another row."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Final
from uuid import UUID, uuid4

import psycopg

from app.db.database import Database
from app.db.repositories.checks import Checks
from app.db.repositories.gates import Gates
from app.db.repositories.interventions import Interventions
from app.db.repositories.probes import Probes
from app.flow.audit_events import Kind
from app.flow.ports.database import DatabaseUnavailable
from app.gate.ids import DeploymentId, GateId
from app.gate.rules.checks import Check, CheckState
from app.gate.undo import InterventionKind
from tests.db.gate_builders import NOW, event, key, open_gate, reject, requested_intervention

LONG_AGO: Final = NOW - timedelta(hours=1)
FIRST: Final = GateId(UUID(int=11))
SECOND: Final = GateId(UUID(int=12))
ROLLBACK: Final = GateId(UUID(int=13))
PREVIOUS: Final = GateId(UUID(int=14))
TABLES: Final = (
    *(
        "gate_rule_snapshots",
        "probe_runs",
        "announcements",
        "evidence",
        "threads",
        "cards",
        "reports",
        "votes",
    ),
    *("interventions", "gates", "switches", "checks", "freezes"),
)
EMPTY: Final = f"""
DO $$ BEGIN
    SET LOCAL session_replication_role = replica;  -- no triggers: they refuse this
    TRUNCATE {", ".join(TABLES)} CASCADE;
END $$
"""
CHAIN: Final = "hashtextextended('123456789012/ap-northeast-2/{}', 7)"


def _of_gate(table: str, gate: GateId) -> str:
    return f"{table} WHERE gate_id = '{gate}'"


def _of_switch(table: str, deployment: str) -> str:
    return f"{table} WHERE switch_id = (SELECT id FROM switches WHERE deployment_id = '{deployment}')"


CHAINS: Final = {f"the chain of {name}": CHAIN.format(name) for name in ("d-0", "d-1", "d-2")}
ROWS: Final = {
    **{f"switch {name}": f"switches WHERE deployment_id = '{name}'" for name in ("d-0", "d-1", "d-2")},
    "gate 1 of d-1": f"gates WHERE id = '{FIRST}'",
    "gate 2 of d-1": f"gates WHERE id = '{SECOND}'",
    "gate of d-2": f"gates WHERE id = '{ROLLBACK}'",
    "gate of d-0": f"gates WHERE id = '{PREVIOUS}'",
    "card 1 of d-1": _of_gate("cards", FIRST),
    "card 2 of d-1": _of_gate("cards", SECOND),
    "card of d-2": _of_gate("cards", ROLLBACK),
    "card of d-0": _of_gate("cards", PREVIOUS),
    "report of d-1": _of_gate("reports", FIRST),
    "thread of d-1": _of_gate("threads", FIRST),
    "evidence of d-1": _of_gate("evidence", SECOND),
    "evidence of d-2": _of_gate("evidence", ROLLBACK),
    "intervention of d-1": _of_switch("interventions", "d-1"),
    "probe of d-1": _of_gate("probe_runs", SECOND),
    "check of d-1": "checks WHERE deployment_id = 'd-1'",
    "freeze": "freezes WHERE true",
}


async def make_scene(database: Database, *, sent: bool) -> None:
    """d-0 has succeeded; d-1 has a decided gate and a waiting one; d-2 takes d-1 back, by an undo that a person wants.

    `sent`: CodeDeploy has taken the undo. Of the gates of d-1 the second in order is the first in the table.
    """
    await database.execute(EMPTY)
    gates = Gates(database)
    await open_gate(gates, "d-0", gate=PREVIOUS, at=LONG_AGO)
    await database.execute("UPDATE switches SET status = 'Succeeded', previous_stale_since = NULL")
    await open_gate(gates, "d-1", execution="second", gate=SECOND)
    await open_gate(gates, "d-1", execution="first", gate=FIRST)
    await reject(gates, FIRST)
    await open_gate(gates, "d-2", gate=ROLLBACK)
    await _undo(database, sent=sent)
    await Probes(database, uuid4()).ask_for(SECOND, ["health"], now=NOW)
    await database.execute("INSERT INTO threads (gate_id, due_at) VALUES (:gate, :now)", gate=FIRST, now=NOW)
    async with Checks(database).hold_checks(
        deployment=DeploymentId("d-1"), account=key("d-1").account, region=key("d-1").region
    ) as held:
        await held.keep(smoke(CheckState.PENDING), events=[], now=NOW)
    await database.execute(
        "INSERT INTO freezes (starts_at, ends_at, reason, declared_by, declared_at)"
        " VALUES (:now, CAST(:now AS timestamptz) + interval '1 hour', 'inventory', 'U1', :now)",
        now=NOW,
    )
    await database.execute("UPDATE switches SET rollback_id = 'd-2' WHERE deployment_id = 'd-1'")


def smoke(state: CheckState) -> Check:
    return Check(name="smoke", state=state, summary="", url=None, by="api:ci", at=NOW)


async def _undo(database: Database, *, sent: bool) -> None:
    wish = requested_intervention(InterventionKind.STOP)
    interventions = Interventions(database, uuid4())
    async with interventions.hold_switch_of(FIRST) as held:
        assert held is not None
        await held.ask(wish, events=[event(Kind.UNDO_REQUESTED, "d-1", FIRST)], instead_of=None, now=NOW)
    if sent:
        (due,) = await interventions.claim(now=NOW, limit=1)
        await interventions.sent(
            due,
            deployment="d-2",
            done=False,
            problem=None,
            event=event(Kind.UNDO_SENT, "d-1", FIRST),
            now=NOW,
        )


@dataclass(frozen=True)
class Wait:
    """`writer` holds all of `held` while it waits for `wanted`."""

    writer: str
    held: frozenset[str]
    wanted: str


Writer = Callable[[], Awaitable[object]]


async def waits_of(name: str, writer: Writer, wanted: str, url: str) -> list[Wait]:
    """Runs the writer while somebody holds `wanted`: what does it hold when it comes to wait for that?"""
    async with (
        await psycopg.AsyncConnection.connect(url) as holder,
        await psycopg.AsyncConnection.connect(url, autocommit=True) as observer,
    ):
        await _lock(holder, wanted)
        writing = asyncio.ensure_future(_tolerant(writer))
        waits = await _waits(writing, holder.info.backend_pid, observer)
        held = [one for one in [*CHAINS, *ROWS] if one != wanted and not await _is_free(observer, one)]
        await holder.rollback()
        await writing
    return [Wait(writer=name, held=frozenset(held), wanted=wanted)] if waits and held else []


async def touched_by(writer: Writer, database: Database) -> list[str]:
    """The rows that the writer locks or changes: both leave a trace in the row."""
    before = {one: await _trace(database, one) for one in ROWS}
    await writer()
    return [one for one in ROWS if await _trace(database, one) != before[one]]


async def _trace(database: Database, what: str) -> Sequence[object]:
    table = ROWS[what]
    return await database.execute(
        f"SELECT CAST(ctid AS text), CAST(xmin AS text), CAST(xmax AS text) FROM {table}"
    )


async def _tolerant(writer: Writer) -> None:
    try:
        await writer()
    except DatabaseUnavailable:
        return  # the machine was slow, and the wait took longer than a statement may


async def _lock(holder: psycopg.AsyncConnection, what: str) -> None:
    if what in CHAINS:
        await holder.execute(f"SELECT pg_advisory_xact_lock({CHAINS[what]})".encode())
    else:
        await holder.execute(f"SELECT 1 FROM {ROWS[what]} FOR NO KEY UPDATE".encode())


async def _waits(writing: "asyncio.Future[None]", holder: int, observer: psycopg.AsyncConnection) -> bool:
    """True once the writer waits for the lock of the holder; False once it has finished."""
    blocked = "SELECT 1 FROM pg_stat_activity WHERE %s = ANY(pg_blocking_pids(pid))"
    while not writing.done():
        if await (await observer.execute(blocked, [holder])).fetchone():
            return True
        await asyncio.sleep(0.002)
    return False


async def _is_free(observer: psycopg.AsyncConnection, what: str) -> bool:
    if what in CHAINS:
        lock = f"SELECT pg_try_advisory_lock({CHAINS[what]})"
        row = await (await observer.execute(lock.encode())).fetchone()
        await observer.execute("SELECT pg_advisory_unlock_all()")
        return row == (True,)
    there = await (await observer.execute(f"SELECT count(*) FROM {ROWS[what]}".encode())).fetchone()
    free = f"SELECT count(*) FROM (SELECT 1 FROM {ROWS[what]} FOR NO KEY UPDATE SKIP LOCKED) f"
    return await (await observer.execute(free.encode())).fetchone() == there


def circles(waits: list[Wait]) -> list[list[Wait]]:
    """Ways in which writers could wait for each other. Two that hold the same lock are never there at the same time."""
    found: list[list[Wait]] = []

    def follow(path: list[Wait]) -> None:
        if path[-1].wanted in path[0].held:
            found.append(path)
            return
        for wait in waits:
            if path[-1].wanted in wait.held and all(not wait.held & one.held for one in path):
                follow([*path, wait])

    for wait in waits:
        follow([wait])
    return found
