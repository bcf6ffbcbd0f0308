"""The pool when Postgres or a waiting task gives up in the middle: no connection is left in an unknown state."""

import asyncio
import gc
import time
from collections.abc import Callable, Coroutine, Sequence
from typing import Any

import psycopg
import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.pool import AsyncAdaptedQueuePool

from app.db.database import Database, commit
from app.db.engine import PoolSize
from app.db.statements import execute
from app.db.tables import gates
from app.flow.ports.database import CommitOutcomeUnknown, DatabaseUnavailable

SEVERAL = 8
BUSY = 0.03
"""Seconds after which the driver gives way to others wherever it can, and so can be cut off there."""

MY_BACKEND = "SELECT pg_backend_pid() AS pid, pg_sleep(:seconds)"

ASLEEP = (
    "SELECT count(*) AS n FROM pg_stat_activity WHERE wait_event = 'PgSleep' AND datname = current_database()"
)

Statement = Callable[[Database, float], Coroutine[Any, Any, Sequence[Any]]]


async def _alone(database: Database, seconds: float) -> Sequence[Any]:
    return await database.execute(MY_BACKEND, seconds=seconds)


async def _in_turn(database: Database, seconds: float) -> Sequence[Any]:
    async with database.transaction() as connection:
        first = await execute(connection, MY_BACKEND, {"seconds": seconds})
        return [first, await execute(connection, "SELECT 1 AS one", {})]


async def _and_commit(database: Database, seconds: float) -> Sequence[Any]:
    async with database.transaction() as connection:
        found = await execute(connection, MY_BACKEND, {"seconds": seconds})
        await commit(connection)
        return found


SOME_STATEMENTS = pytest.mark.parametrize("statements", [[], ["SELECT 1"], ["SELECT 1", "SELECT 2"]], ids=len)
WAYS = pytest.mark.parametrize("run", [_alone, _in_turn, _and_commit])


async def _at_once(database: Database, run: Statement) -> list[Any]:
    return await asyncio.gather(*(run(database, 0.05) for _ in range(SEVERAL)))


def _kill_all(url: str) -> None:
    """As a failover does."""
    with psycopg.connect(url, autocommit=True) as admin:
        admin.execute(
            "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )


@WAYS
async def test_connections_that_died_together_cost_one_statement_and_not_one_each(
    database: Database, database_url: str, run: Statement
) -> None:
    await _at_once(database, run)
    _kill_all(database_url)
    with pytest.raises(DatabaseUnavailable):
        await run(database, 0.0)
    assert len(await _at_once(database, run)) == SEVERAL


async def test_a_page_is_asked_for_on_none_of_the_connections_that_died(
    database: Database, database_url: str
) -> None:
    await _at_once(database, _alone)
    _kill_all(database_url)
    with pytest.raises(DatabaseUnavailable):
        await _alone(database, 0.0)
    pages = await asyncio.gather(*(database.execute(select(gates.c.id)) for _ in range(SEVERAL)))
    assert pages == [[]] * SEVERAL


REFUSALS = {
    "starting or shutting down": "57P03",
    "shut down by an administrator": "57P01",
    "too many connections": "53300",
    "a system error of the server's": "58030",
    "a connection lost": "08006",
    "a time-out": "57014",
    "read-only since a failover": "25006",
}


@pytest.mark.parametrize("state", REFUSALS.values(), ids=REFUSALS)
async def test_whatever_way_the_server_says_no_it_is_away(database: Database, state: str) -> None:
    raising = f"DO $$ BEGIN RAISE EXCEPTION 'no' USING ERRCODE = '{state}'; END $$"
    with pytest.raises(DatabaseUnavailable):
        await database.execute(raising)
    with pytest.raises(DatabaseUnavailable):
        async with database.transaction() as connection:
            await execute(connection, raising, {})
    assert await database.execute("SELECT 1 AS one") == [(1,)]


async def test_a_server_that_has_become_read_only_is_left_for_the_one_that_took_over(
    database: Database,
) -> None:
    async def backend() -> int:
        pid: int = (await _alone(database, 0.0))[0].pid
        return pid

    before = await backend()
    await database.execute("SET default_transaction_read_only = on")  # LIFO: the same connection answers
    with pytest.raises(DatabaseUnavailable):
        await database.execute("CREATE TABLE notes (n int)")
    assert await backend() != before
    assert await database.execute("CREATE TABLE notes (n int)") == []


async def test_an_exhausted_pool_is_an_unavailable_database(database_url: str) -> None:
    small = Database(database_url, size=PoolSize(pool_size=1, max_overflow=0))
    async with small.transaction():
        with pytest.raises(DatabaseUnavailable):
            await small.ping()
    await small.ping()
    await small.close()


async def test_who_is_cut_off_while_waiting_for_a_connection_takes_none_with_them(database_url: str) -> None:
    small = Database(database_url, size=PoolSize(pool_size=2, max_overflow=1))
    for turns in range(40):
        asking = [asyncio.create_task(small.execute("SELECT 1 AS one")) for _ in range(6)]
        for _ in range(turns):
            await asyncio.sleep(0)
        for task in asking:
            task.cancel()
        await asyncio.gather(*asking, return_exceptions=True)
    assert await asyncio.gather(*(small.execute("SELECT 1 AS one") for _ in range(9))) == [[(1,)]] * 9
    await small.close()


@WAYS
async def test_a_statement_that_is_cut_off_half_way_leaves_no_connection_half_done(
    database: Database, run: Statement
) -> None:
    work = [asyncio.create_task(run(database, 4)) for _ in range(SEVERAL)]
    while (await database.execute(ASLEEP))[0].n < SEVERAL:
        assert not any(task.done() for task in work)
    for task in work:
        task.cancel()
    ended = await asyncio.gather(*work, return_exceptions=True)
    assert all(isinstance(one, asyncio.CancelledError) for one in ended)
    assert len(await _at_once(database, _alone)) == SEVERAL
    assert len(await _at_once(database, _in_turn)) == SEVERAL


async def test_wherever_statements_in_sequence_are_cut_off_the_next_ones_get_their_own_rows(
    database: Database,
) -> None:
    await _in_turn(database, 0.0)
    for turns in range(30):
        task = asyncio.create_task(_in_turn(database, 0.0))
        time.sleep(BUSY)  # noqa: ASYNC251 - the very thing: a loop that had no time for anybody
        for _ in range(turns):
            await asyncio.sleep(0)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        assert await database.execute("SELECT :turns AS turns", turns=turns) == [(turns,)]
        (backends, ones) = await _in_turn(database, 0.0)
        assert (len(backends), ones) == (1, [(1,)])


@pytest.mark.parametrize("open_before", [True, False])
async def test_a_task_that_is_cut_off_at_any_point_leaves_no_connection_behind(
    database_url: str, open_before: bool
) -> None:
    """What is left behind warns when it is collected, and warnings are errors."""
    done, turns = False, 0
    while not done:
        turns += 1
        database = Database(database_url, size=PoolSize(pool_size=1, max_overflow=0))
        if open_before:
            await database.ping()
        task = asyncio.create_task(database.execute("SELECT 1 AS one"))
        for _ in range(turns):
            time.sleep(BUSY / 5)  # noqa: ASYNC251 - as a busy loop: the driver gives way wherever it can
            await asyncio.sleep(0)
        task.cancel()
        await asyncio.wait({task})
        done = not task.cancelled()
        pool = database.engine.pool
        assert isinstance(pool, AsyncAdaptedQueuePool)
        assert pool.checkedout() == 0, f"after {turns} turns"
        gc.collect()
        await database.close()


@pytest.fixture
async def notes(database: Database) -> Database:
    """With a table that refuses what is negative."""
    await database.execute("CREATE TABLE notes (n int CHECK (n >= 0))")
    return database


NOTE = "INSERT INTO notes VALUES (:n) RETURNING n"
NOTED = "SELECT n FROM notes ORDER BY n"


async def _note(database: Database, first: int, last: int, *, then: Exception | None = None) -> None:
    async with database.transaction() as connection:
        await execute(connection, NOTE, {"n": first})
        assert await execute(connection, NOTE, {"n": last}) == [(last,)]
        await commit(connection)
        if then is not None:
            raise then


async def test_the_last_statement_commits_and_what_fails_after_it_takes_nothing_back(notes: Database) -> None:
    with pytest.raises(LookupError):
        await _note(notes, 1, 2, then=LookupError())
    assert await notes.execute(NOTED) == [(1,), (2,)]


async def test_a_last_statement_that_is_refused_commits_nothing(notes: Database) -> None:
    with pytest.raises(IntegrityError):
        await _note(notes, 1, -2)
    assert await notes.execute(NOTED) == []


SLEEP_IN_COMMIT = """
CREATE FUNCTION sleep_in_commit() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN PERFORM pg_sleep(NEW.n); RETURN NULL; END'
"""
NOTED_LATE = """
CREATE CONSTRAINT TRIGGER noted_late AFTER INSERT ON notes DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW EXECUTE FUNCTION sleep_in_commit()
"""


async def _commit_slowly(database: Database, seconds: float) -> Sequence[Any]:
    async with database.transaction() as connection:
        return await execute(connection, NOTE, {"n": int(seconds)})


@pytest.mark.parametrize("run", [_commit_slowly, _and_commit, _alone])
async def test_only_what_was_committing_when_its_connection_died_is_in_doubt(
    notes: Database, database_url: str, run: Statement
) -> None:
    await notes.execute(SLEEP_IN_COMMIT)
    await notes.execute(NOTED_LATE)
    work = asyncio.create_task(run(notes, 4))
    while not (await notes.execute(ASLEEP))[0].n:
        assert not work.done()
    _kill_all(database_url)
    with pytest.raises(DatabaseUnavailable) as trouble:
        await work
    assert isinstance(trouble.value, CommitOutcomeUnknown) == (run is _commit_slowly)


@SOME_STATEMENTS
async def test_a_hung_replica_does_not_keep_the_locks_of_its_transaction(
    database: Database, database_url: str, statements: list[str]
) -> None:
    await _watch_closely(database, "transaction_timeout")
    with pytest.raises(DatabaseUnavailable):
        await _stand_still(database, statements, _gone(database_url))
    assert await database.execute("SELECT 1")


@SOME_STATEMENTS
async def test_nor_on_an_older_server(
    database: Database, database_url: str, statements: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Which has no `transaction_timeout`."""
    monkeypatch.setattr("app.db.engine.TRANSACTION_TIMEOUT_MIN_VERSION", 10**9)
    await _watch_closely(database, "idle_in_transaction_session_timeout")
    with pytest.raises(DatabaseUnavailable):
        await _stand_still(database, statements, _gone(database_url))


async def test_a_replica_that_freezes_after_a_statement_does_not_keep_its_locks_either(
    database: Database, database_url: str
) -> None:
    await _watch_closely(database, "transaction_timeout")
    with pytest.raises(DatabaseUnavailable):
        await _stand_still(database, [], _gone(database_url), first=_speak_and_freeze)


async def test_every_connection_has_its_transactions_watched(database: Database) -> None:
    watched = await asyncio.gather(*(database.execute("SHOW transaction_timeout") for _ in range(SEVERAL)))
    assert {rows[0].transaction_timeout for rows in watched} == {"10s"}


async def _watch_closely(database: Database, time_out: str) -> None:
    async with database.transaction() as connection:
        await connection.execute(text(f"SET {time_out} = 200"))


async def _stand_still(
    database: Database,
    statements: list[str],
    gone: Callable[[int], Coroutine[Any, Any, None]],
    first: Callable[[psycopg.AsyncConnection], None] | None = None,
) -> None:
    async with database.transaction() as connection:
        for statement in statements or ["BEGIN"]:
            await connection.execute(text(statement))
        driver = await _driver_of(connection)
        if first is not None:
            first(driver)
        await gone(driver.info.backend_pid)


async def _driver_of(connection: AsyncConnection) -> psycopg.AsyncConnection:
    driver = (await connection.get_raw_connection()).driver_connection
    assert isinstance(driver, psycopg.AsyncConnection)
    return driver


def _speak_and_freeze(driver: psycopg.AsyncConnection) -> None:
    """The first statement of a pipeline, of which the rest never comes."""
    driver.pgconn.enter_pipeline_mode()
    driver.pgconn.send_query_params(b"SELECT 1", None)
    driver.pgconn.flush()


def _gone(url: str) -> Callable[[int], Coroutine[Any, Any, None]]:
    """Waits for the end of a backend, seen from elsewhere: a word from its own client may be what it waited for."""

    async def gone(pid: int) -> None:
        async with await psycopg.AsyncConnection.connect(url, autocommit=True) as other, asyncio.timeout(20):
            while (await other.execute("SELECT 1 FROM pg_stat_activity WHERE pid = %s", [pid])).rowcount:
                await other.execute("SELECT pg_sleep(0.05)")

    return gone
