"""A graceful stop: what was pressed is counted, what was to be said is said."""

import asyncio

from app.sandbox.people import JUN, OLU
from tests.harness import Harness
from tests.slack.play import gate_held, press_waits


async def test_a_stop_waits_for_the_press_under_way_and_its_ack(harness: Harness) -> None:
    deployment, _ = await harness.open_gate("order")
    async with gate_held(harness, deployment) as holder:
        pressing = asyncio.ensure_future(harness.approve(OLU.id, deployment))
        await harness.until(lambda: press_waits(harness, holder))
        stopping = asyncio.ensure_future(harness.service.stop())
        await asyncio.sleep(0)
        assert not stopping.done()
        holder.rollback()
    assert (await pressing).acked
    await stopping
    assert harness.gate(deployment)["decided_by"] == OLU.id


async def test_a_stop_waits_for_the_answer_that_is_still_to_be_sent(harness: Harness) -> None:
    deployment, _ = await harness.open_gate("order")
    harness.slack.faults.slow("chat.postEphemeral", 0.7)
    assert (await harness.approve(JUN.id, deployment)).acked
    await harness.service.stop()
    assert "order" in harness.ephemerals(JUN.id)


async def test_a_stop_waits_for_the_form_that_is_about_to_open(harness: Harness) -> None:
    deployment, _ = await harness.open_gate("order")
    harness.slack.faults.slow("users.info", 0.3)
    harness.slack.faults.slow("views.open", 0.3)
    assert (await harness.press(OLU.id, deployment, "reject")).acked
    await harness.service.stop()
    assert harness.slack.views.top(OLU.id) is not None
