"""A form that Slack does not open: the user is told that nothing was recorded, and to press again."""

from collections.abc import Callable

import pytest

from app.sandbox.people import CHANNEL, GRACE, OLU, config_text
from app.sandbox.slack.faults import Faults
from tests.harness import Harness
from tests.journeys.undo.test_undo import switched
from tests.slack.play import Build, deploys, whispers

OPEN = "views.open"
NOT_OPENED = "Slack couldn't open the form"
REASON_REQUIRED = config_text(payment='reason = "always"\n')

Break = Callable[[Faults], None]
REFUSALS: dict[str, Break] = {
    "expired_trigger_id": lambda faults: faults.error(OPEN, "expired_trigger_id"),
    "exchanged_trigger_id": lambda faults: faults.error(OPEN, "exchanged_trigger_id"),
    "ratelimited": lambda faults: faults.ratelimit(OPEN, retry_after=30),
    "internal_error": lambda faults: faults.server_error(OPEN),
    "reset": lambda faults: faults.reset(OPEN),
    "timeout": lambda faults: faults.slow(OPEN, 6, times=1),
}


async def got_replies(harness: Harness, user: str, times: int) -> None:
    """Waits until this user got so many replies that a form did not open."""
    await harness.until(lambda: harness.ephemerals(user).count(NOT_OPENED) == times)


@pytest.mark.parametrize("refusal", REFUSALS)
async def test_whoever_presses_on_a_card_gets_a_reply(build: Build, refusal: str) -> None:
    async with build(config=REASON_REQUIRED) as harness:
        deployment, _ = await harness.open_gate("payment")
        await harness.until(lambda: "details" in str(harness.card(deployment).blocks))
        refuse = REFUSALS[refusal]

        for times, action in enumerate(("approve", "reject", "details"), 1):
            refuse(harness.slack.faults)
            assert (await harness.press(OLU.id, deployment, action)).acked
            await got_replies(harness, OLU.id, times)

        assert harness.gate(deployment)["phase"] == "awaiting"
        assert harness.slack.views.top(OLU.id) is None
        said = harness.ephemerals(OLU.id)
        assert "Nothing was recorded; try again." in said


@pytest.mark.parametrize("refusal", ["expired_trigger_id", "ratelimited"])
async def test_whoever_wants_to_undo_gets_a_reply(harness: Harness, refusal: str) -> None:
    deployment = await switched(harness)
    refuse = REFUSALS[refusal]
    refuse(harness.slack.faults)
    await harness.press(OLU.id, deployment, "undo")
    await got_replies(harness, OLU.id, 1)

    refuse(harness.slack.faults)
    result = await harness.slack.slash_async(OLU.id, CHANNEL.id, "/deploys", "undo order")

    await got_replies(harness, OLU.id, 2)
    assert result.ack.acked
    assert result.message is None  # it does not claim that a form is open
    assert "undo_requested" not in harness.audit(deployment)


async def test_break_glass_and_bulk_approve_get_a_reply_too(harness: Harness) -> None:
    deployment, _ = await harness.open_gate("order")
    await deploys(harness, GRACE, "freeze order for 20m stocktaking")
    await harness.until(lambda: "break_glass" in harness.actions(deployment))
    harness.slack.faults.error(OPEN, "expired_trigger_id")
    await harness.press(GRACE.id, deployment, "break_glass")
    await got_replies(harness, GRACE.id, 1)

    harness.slack.faults.error(OPEN, "expired_trigger_id")
    await harness.slack.slash_async(GRACE.id, CHANNEL.id, "/deploys", "approve order")
    await got_replies(harness, GRACE.id, 2)


async def test_where_no_ephemeral_can_be_posted_the_answer_goes_to_the_response_url(harness: Harness) -> None:
    deployment, _ = await harness.open_gate("order")
    harness.slack.faults.error(OPEN, "expired_trigger_id")
    harness.slack.faults.error("chat.postEphemeral", "not_in_channel")

    await harness.press(OLU.id, deployment, "reject")

    await harness.until(lambda: harness.slack.calls("response_url"))
    await got_replies(harness, OLU.id, 1)
    assert len(whispers(harness, OLU)) == 1
