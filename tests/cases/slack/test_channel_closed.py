"""A channel in which Slack refuses every message: passed over, shown, and tried again slowly."""

import json
from datetime import timedelta

import pytest
from aiohttp import ClientSession

from app.sandbox.people import CHANNEL, GRACE, OLU, config_text
from app.sandbox.slack.state.shapes import Channel
from tests.harness import Harness, pressable
from tests.journeys.test_timeline import thread_text
from tests.slack.play import Build, deploys, opened

LEADS = Channel(id="C09LEADS", name="leads")
ESCALATION = config_text(order=f'escalate_to = "{LEADS.id}"\nremind_at_half = false\n')
POST = "chat.postMessage"


async def readiness(harness: Harness) -> dict[str, object]:
    async with ClientSession() as session, session.get(f"{harness.url}/readyz") as answer:
        assert answer.status == 200
        said: dict[str, object] = await answer.json()
        return said


def tried(harness: Harness) -> int:
    """How often the channel to be called was tried."""
    return len([call for call in harness.slack.calls(POST) if call.params["channel"] == LEADS.id])


@pytest.mark.parametrize(
    "problem", ["is_archived", "channel_not_found", "not_in_channel", "user_is_restricted"]
)
async def test_an_escalation_channel_that_is_closed_silences_no_thread(build: Build, problem: str) -> None:
    async with build(config=ESCALATION) as harness:
        harness.slack.people.add(LEADS)
        harness.slack.faults.error(POST, problem, times=None, channel=LEADS.id)
        deployment, _ = await harness.open_gate("order")
        harness.clock.advance(minutes=36)
        await harness.until(lambda: tried(harness))

        await harness.until(lambda: f"<#{LEADS.id}>" in harness.card_text(deployment))
        assert problem in harness.card_text(deployment)
        assert (await readiness(harness))["closed_channels"] == {LEADS.id: problem}
        await harness.approve(OLU.id, deployment)
        await harness.until(lambda: "Sent to CodeDeploy" in thread_text(harness, deployment))
        assert tried(harness) == 1


async def test_a_closed_channel_is_tried_again_when_the_configuration_is_reloaded(harness: Harness) -> None:
    harness.slack.faults.error(POST, "is_archived", times=None, channel=CHANNEL.id)
    deployment = await opened(harness, "order")
    await harness.until(lambda: harness.table("channel_problems"))
    harness.slack.faults.clear()

    harness.reload_config()

    await harness.until(lambda: "approve" in harness.actions(deployment), 5)
    await harness.until(lambda: harness.table("channel_problems") == [])


async def test_an_announcement_that_has_no_card_is_not_tried_every_second(harness: Harness) -> None:
    harness.slack.faults.error(POST, "is_archived", times=None, channel=CHANNEL.id)
    await opened(harness, "order")
    await deploys(harness, GRACE, "freeze order for 20m stocktaking")
    listed = await deploys(harness, GRACE)
    chosen = pressable(listed.shown.blocks)["break_glass"]
    pressed = await harness.slack.press_async(
        GRACE.id, listed.channel, listed.ts, chosen["action_id"], value=chosen["selected"]
    )
    assert pressed.acked
    await harness.until(lambda: harness.slack.views.top(GRACE.id) is not None)
    form = harness.slack.views.top(GRACE.id)
    assert form is not None
    await harness.slack.submit_async(GRACE.id, form.id, {"glass_reason": "customers cannot pay"})
    await harness.until(lambda: harness.table("announcements"))
    await harness.until(lambda: harness.table("announcements")[0]["attempts"] >= 3)
    harness.clock.advance(seconds=40)
    attempts = harness.table("announcements")[0]["attempts"]
    harness.clock.advance(seconds=5)
    await harness.until(
        lambda: harness.table("announcements")[0]["due_at"] - harness.clock() > timedelta(seconds=5)
    )

    harness.slack.faults.clear()
    harness.reload_config()

    await harness.until(lambda: harness.table("announcements")[0]["ts"] is not None)
    assert attempts < 20
    said = json.dumps([message.text for message in harness.slack.messages.in_channel(CHANNEL.id)])
    assert said.count("customers cannot pay") <= 2
