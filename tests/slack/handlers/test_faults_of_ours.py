"""An internal error: the user gets an error id, nothing is recorded, and what was typed is kept."""

import re

from app.sandbox.people import GRACE, OLU
from tests.flow import outsiders
from tests.harness import Harness
from tests.journeys.undo.test_undo import switched
from tests.slack.play import deploys, form_of, wait_for_reply

SORRY = re.compile(r"Something went wrong and nothing was recorded.*`[0-9a-f]{8}`")


async def breaks(harness: Harness, table: str) -> None:
    """From now on Postgres refuses every new row of this table, which no code of ours expects."""
    await outsiders.alters(harness, f"ALTER TABLE {table} ADD CONSTRAINT broken CHECK (false) NOT VALID")


async def mends(harness: Harness, table: str) -> None:
    await outsiders.alters(harness, f"ALTER TABLE {table} DROP CONSTRAINT broken")


async def test_a_press_counts_for_nothing_and_counts_once_all_is_well(harness: Harness) -> None:
    deployment, _ = await harness.open_gate("order")
    await breaks(harness, "votes")
    assert (await harness.approve(OLU.id, deployment)).acked
    assert SORRY.search(await wait_for_reply(harness, OLU, "Something went wrong"))
    assert harness.gate(deployment)["phase"] == "awaiting"
    assert "gate_decided" not in harness.audit(deployment)
    await mends(harness, "votes")
    await harness.approve(OLU.id, deployment)
    assert await harness.reported(deployment) == ["Succeeded"]


async def test_an_undo_form_stays_open_with_what_was_typed(harness: Harness) -> None:
    deployment = await switched(harness)
    form = await form_of(harness, OLU, deployment, "undo")
    await breaks(harness, "interventions")
    result = await harness.slack.submit_async(OLU.id, form.id, {"reason": "orders fail"})
    assert result.errors is not None
    assert SORRY.search(result.errors["reason"])
    assert harness.slack.views.top(OLU.id) is not None
    assert "undo_requested" not in harness.audit(deployment)
    await mends(harness, "interventions")
    again = await harness.slack.submit_async(OLU.id, form.id, {"reason": "orders fail"})
    assert again.outcome == "closed"
    await harness.until(lambda: harness.aws.calls("StopDeployment"))


async def test_a_break_glass_form_stays_open_too(harness: Harness) -> None:
    deployment, _ = await harness.open_gate("order")
    await deploys(harness, GRACE, "freeze order for 20m stocktaking")
    await harness.until(lambda: "break_glass" in harness.actions(deployment))
    form = await form_of(harness, GRACE, deployment, "break_glass")
    await breaks(harness, "announcements")
    refused = await harness.slack.submit_async(GRACE.id, form.id, {"glass_reason": "customers cannot pay"})
    assert refused.errors is not None
    assert SORRY.search(refused.errors["glass_reason"])
    assert harness.gate(deployment)["phase"] == "awaiting"
    await mends(harness, "announcements")
    await harness.slack.submit_async(GRACE.id, form.id, {"glass_reason": "customers cannot pay"})
    assert await harness.reported(deployment) == ["Succeeded"]
