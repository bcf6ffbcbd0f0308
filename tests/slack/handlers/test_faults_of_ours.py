"""A fault of our own: whoever pressed gets a number to tell us, nothing is recorded, and what was typed is kept."""

import re

from app.sandbox.cast import GRACE, OLU
from tests.flow import outsiders
from tests.house import House
from tests.journeys.test_undo import switched
from tests.slack.play import deploys, form_of, is_told

SORRY = re.compile(r"Something went wrong here and nothing was recorded.*`[0-9a-f]{8}`")


async def breaks(house: House, table: str) -> None:
    """From now on Postgres refuses every new row of this table, which no code of ours expects."""
    await outsiders.alters(house, f"ALTER TABLE {table} ADD CONSTRAINT broken CHECK (false) NOT VALID")


async def mends(house: House, table: str) -> None:
    await outsiders.alters(house, f"ALTER TABLE {table} DROP CONSTRAINT broken")


async def test_a_press_counts_for_nothing_and_counts_once_all_is_well(house: House) -> None:
    deployment, _ = await house.ask("order")
    await breaks(house, "votes")
    assert (await house.approve(OLU.id, deployment)).acked
    assert SORRY.search(await is_told(house, OLU, "Something went wrong"))
    assert house.gate(deployment)["phase"] == "awaiting"
    assert "gate_decided" not in house.audit(deployment)
    await mends(house, "votes")
    await house.approve(OLU.id, deployment)
    assert await house.told(deployment) == ["Succeeded"]


async def test_an_undo_form_stays_open_with_what_was_typed(house: House) -> None:
    deployment = await switched(house)
    form = await form_of(house, OLU, deployment, "undo")
    await breaks(house, "interventions")
    result = await house.slack.submit_async(OLU.id, form.id, {"reason": "orders fail"})
    assert result.errors is not None
    assert SORRY.search(result.errors["reason"])
    assert house.slack.views.top(OLU.id) is not None
    assert "undo_asked" not in house.audit(deployment)
    await mends(house, "interventions")
    again = await house.slack.submit_async(OLU.id, form.id, {"reason": "orders fail"})
    assert again.outcome == "closed"
    await house.until(lambda: house.aws.calls("StopDeployment"))


async def test_a_glass_form_stays_open_too(house: House) -> None:
    deployment, _ = await house.ask("order")
    await deploys(house, GRACE, "freeze order for 20m stocktaking")
    await house.until(lambda: "break_glass" in house.actions(deployment))
    form = await form_of(house, GRACE, deployment, "break_glass")
    await breaks(house, "announcements")
    refused = await house.slack.submit_async(GRACE.id, form.id, {"glass_reason": "customers cannot pay"})
    assert refused.errors is not None
    assert SORRY.search(refused.errors["glass_reason"])
    assert house.gate(deployment)["phase"] == "awaiting"
    await mends(house, "announcements")
    await house.slack.submit_async(GRACE.id, form.id, {"glass_reason": "customers cannot pay"})
    assert await house.told(deployment) == ["Succeeded"]
