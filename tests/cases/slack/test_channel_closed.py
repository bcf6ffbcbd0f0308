"""A channel in which Slack refuses every message: passed over, shown, and tried again slowly."""

import json
from datetime import timedelta

import pytest
from aiohttp import ClientSession

from app.sandbox.cast import CHANNEL, GRACE, OLU, config_text
from app.sandbox.slack.shapes import Channel
from tests.house import House
from tests.journeys.test_timeline import told
from tests.slack.play import Build, deploys, opened

LEADS = Channel(id="C09LEADS", name="leads")
ESCALATION = config_text(order=f'escalate_to = "{LEADS.id}"\nremind_at_half = false\n')
POST = "chat.postMessage"


async def readiness(house: House) -> dict[str, object]:
    async with ClientSession() as session, session.get(f"{house.url}/readyz") as answer:
        assert answer.status == 200
        said: dict[str, object] = await answer.json()
        return said


def tried(house: House) -> int:
    """How often the channel to be called was tried."""
    return len([call for call in house.slack.calls(POST) if call.params["channel"] == LEADS.id])


@pytest.mark.parametrize(
    "problem", ["is_archived", "channel_not_found", "not_in_channel", "user_is_restricted"]
)
async def test_an_escalation_channel_that_is_closed_silences_no_thread(build: Build, problem: str) -> None:
    async with build(config=ESCALATION) as house:
        house.slack.people.add(LEADS)
        house.slack.faults.error(POST, problem, times=None, channel=LEADS.id)
        deployment, _ = await house.ask("order")
        house.clock.advance(minutes=36)
        await house.until(lambda: tried(house))

        await house.until(lambda: f"<#{LEADS.id}>" in house.says(deployment))
        assert problem in house.says(deployment)
        assert (await readiness(house))["closed_channels"] == {LEADS.id: problem}
        await house.approve(OLU.id, deployment)
        await house.until(lambda: "took the answer" in told(house, deployment))
        assert tried(house) == 1


async def test_what_was_closed_is_tried_again_when_the_configuration_is_read_again(house: House) -> None:
    house.slack.faults.error(POST, "is_archived", times=None, channel=CHANNEL.id)
    deployment = await opened(house, "order")
    await house.until(lambda: house.table("channel_problems"))
    house.slack.faults.clear()

    house.service.reload(house.stage.config_file)

    await house.until(lambda: "approve" in house.actions(deployment), 5)
    await house.until(lambda: house.table("channel_problems") == [])


async def test_an_announcement_that_has_no_card_is_not_tried_every_second(house: House) -> None:
    house.slack.faults.error(POST, "is_archived", times=None, channel=CHANNEL.id)
    await opened(house, "order")
    await deploys(house, GRACE, "freeze order for 20m stocktaking")
    gate = house.table("gates")[0]["id"]
    listed = await deploys(house, GRACE)
    pressed = await house.slack.press_async(
        GRACE.id, listed.channel, listed.ts, "break_glass", block_id=f"decide.{gate}"
    )
    assert pressed.acked
    await house.until(lambda: house.slack.views.top(GRACE.id) is not None)
    form = house.slack.views.top(GRACE.id)
    assert form is not None
    await house.slack.submit_async(GRACE.id, form.id, {"glass_reason": "customers cannot pay"})
    await house.until(lambda: house.table("announcements"))
    await house.until(lambda: house.table("announcements")[0]["attempts"] >= 3)
    house.clock.advance(seconds=40)
    attempts = house.table("announcements")[0]["attempts"]
    house.clock.advance(seconds=5)
    await house.until(
        lambda: house.table("announcements")[0]["due_at"] - house.clock() > timedelta(seconds=5)
    )

    house.slack.faults.clear()
    house.service.reload(house.stage.config_file)

    await house.until(lambda: house.table("announcements")[0]["ts"] is not None)
    assert attempts < 20
    said = json.dumps([message.text for message in house.slack.messages.in_channel(CHANNEL.id)])
    assert said.count("customers cannot pay") <= 2
