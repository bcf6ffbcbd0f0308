"""Workers may hold every connection that is theirs: a press and a hook have others."""

from contextlib import AsyncExitStack, suppress

from app.db.database import Database
from app.flow.ports.database import DatabaseUnavailable
from app.sandbox.cast import OLU
from tests.house import House

AT_ONCE = 2.0
"""Seconds. The pool gives up waiting for a connection after as long."""


async def test_workers_that_hold_all_their_connections_hold_up_neither_a_press_nor_a_hook(
    house: House,
) -> None:
    deployment, _ = await house.ask("order")
    async with AsyncExitStack() as held:
        await _hold_all(house.service.worker_record.database, held)

        pressed = await house.approve(OLU.id, deployment)
        hook = house.aws.deploy("payment")
        await house.until(lambda: "gate_opened" in house.audit(hook), timeout=3 * AT_ONCE)

        assert pressed.ack.seconds < AT_ONCE
        assert house.gate(deployment)["verdict"] == "approved"
        assert house.audit(deployment).count("report_told") == 0
    assert await house.told(deployment) == ["Succeeded"]


async def _hold_all(database: Database, held: AsyncExitStack) -> None:
    """Takes the workers' connections until there is none left to be had."""
    with suppress(DatabaseUnavailable):
        while True:
            await held.enter_async_context(database.begin())
