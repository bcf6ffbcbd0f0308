"""Workers that use all their connections do not block presses and hooks, which have their own."""

from contextlib import AsyncExitStack, suppress

from app.db.database import Database
from app.flow.ports.database import DatabaseUnavailable
from app.sandbox.people import OLU
from tests.harness import Harness

AT_ONCE = 2.0
"""Seconds. The pool gives up waiting for a connection after as long."""


async def test_workers_that_hold_all_their_connections_hold_up_neither_a_press_nor_a_hook(
    harness: Harness,
) -> None:
    deployment, _ = await harness.open_gate("order")
    async with AsyncExitStack() as held:
        await _hold_all(harness.service.worker_repositories.database, held)

        pressed = await harness.approve(OLU.id, deployment)
        hook = harness.aws.deploy("payment")
        await harness.until(lambda: "gate_opened" in harness.audit(hook), timeout=3 * AT_ONCE)

        assert pressed.ack.seconds < AT_ONCE
        assert harness.gate(deployment)["verdict"] == "approved"
        assert harness.audit(deployment).count("report_acknowledged") == 0
    assert await harness.reported(deployment) == ["Succeeded"]


async def _hold_all(database: Database, held: AsyncExitStack) -> None:
    """Takes the workers' connections until there is none left to be had."""
    with suppress(DatabaseUnavailable):
        while True:
            await held.enter_async_context(database.transaction())
