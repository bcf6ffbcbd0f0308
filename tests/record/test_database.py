"""The pool, when Postgres or whoever waits gives up in the middle: no connection is left half done."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

import psycopg
import pytest

from app.flow.ports import RecordAway
from app.record.database import Database, execute, execute_in_turn

SEVERAL = 8
MY_BACKEND = "SELECT pg_backend_pid() AS pid, pg_sleep(:seconds)"

ASLEEP = (
    "SELECT count(*) AS n FROM pg_stat_activity WHERE wait_event = 'PgSleep' AND datname = current_database()"
)

Statement = Callable[[Database, float], Coroutine[Any, Any, list[Any]]]


async def _alone(database: Database, seconds: float) -> list[Any]:
    return await database.rows(MY_BACKEND, seconds=seconds)


async def _in_turn(database: Database, seconds: float) -> list[Any]:
    async with database.begin() as connection:
        await execute(connection, "CREATE TEMPORARY TABLE scrap (word text) ON COMMIT DROP", {})
        return await execute_in_turn(connection, [MY_BACKEND, "SELECT 1 AS one"], {"seconds": seconds})


WAYS = pytest.mark.parametrize("run", [_alone, _in_turn])


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
    database: Database, record_url: str, run: Statement
) -> None:
    await _at_once(database, run)
    _kill_all(record_url)
    with pytest.raises(RecordAway):
        await run(database, 0.0)
    assert len(await _at_once(database, run)) == SEVERAL


@WAYS
async def test_a_statement_that_is_cut_off_half_way_leaves_no_connection_half_done(
    database: Database, run: Statement
) -> None:
    work = [asyncio.create_task(run(database, 4)) for _ in range(SEVERAL)]
    while (await database.rows(ASLEEP))[0].n < SEVERAL:
        assert not any(task.done() for task in work)
    for task in work:
        task.cancel()
    ended = await asyncio.gather(*work, return_exceptions=True)
    assert all(isinstance(one, asyncio.CancelledError) for one in ended)
    assert len(await _at_once(database, _alone)) == SEVERAL
    assert len(await _at_once(database, _in_turn)) == SEVERAL
