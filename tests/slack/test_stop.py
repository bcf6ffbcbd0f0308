"""A graceful stop: what was pressed is counted, what was to be said is said."""

import asyncio

from app.sandbox.cast import JUN, OLU
from tests.house import House
from tests.slack.play import gate_held, press_waits


async def test_a_stop_waits_for_the_press_under_way_and_its_ack(house: House) -> None:
    deployment, _ = await house.ask("order")
    async with gate_held(house, deployment) as holder:
        pressing = asyncio.ensure_future(house.approve(OLU.id, deployment))
        await house.until(lambda: press_waits(house, holder))
        stopping = asyncio.ensure_future(house.service.stop())
        await asyncio.sleep(0)
        assert not stopping.done()
        holder.rollback()
    assert (await pressing).acked
    await stopping
    assert house.gate(deployment)["decided_by"] == OLU.id


async def test_a_stop_waits_for_the_answer_that_is_still_to_be_whispered(house: House) -> None:
    deployment, _ = await house.ask("order")
    house.slack.faults.slow("chat.postEphemeral", 0.7)
    assert (await house.approve(JUN.id, deployment)).acked
    await house.service.stop()
    assert "order" in house.whispered(JUN.id)


async def test_a_stop_waits_for_the_form_that_is_about_to_open(house: House) -> None:
    deployment, _ = await house.ask("order")
    house.slack.faults.slow("users.info", 0.3)
    house.slack.faults.slow("views.open", 0.3)
    assert (await house.press(OLU.id, deployment, "reject")).acked
    await house.service.stop()
    assert house.slack.views.top(OLU.id) is not None
