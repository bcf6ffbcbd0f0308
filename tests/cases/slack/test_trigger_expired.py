"""A form that Slack does not open: the user is told that nothing was recorded, and to press again."""

from collections.abc import Callable

import pytest

from app.sandbox.cast import CHANNEL, GRACE, OLU, config_text
from app.sandbox.slack.faults import Faults
from tests.house import House
from tests.journeys.test_undo import switched
from tests.slack.play import Build, deploys, whispers

OPEN = "views.open"
TOLD = "Slack did not open the form"
REASON_ASKED = config_text(payment='reason = "always"\n')

Break = Callable[[Faults], None]
REFUSALS: dict[str, Break] = {
    "expired_trigger_id": lambda faults: faults.error(OPEN, "expired_trigger_id"),
    "exchanged_trigger_id": lambda faults: faults.error(OPEN, "exchanged_trigger_id"),
    "ratelimited": lambda faults: faults.ratelimit(OPEN, retry_after=30),
    "internal_error": lambda faults: faults.server_error(OPEN),
    "reset": lambda faults: faults.reset(OPEN),
    "timeout": lambda faults: faults.slow(OPEN, 6, times=1),
}


async def told(house: House, user: str, times: int) -> None:
    """Waits until this user was told so many times that a form did not open."""
    await house.until(lambda: house.whispered(user).count(TOLD) == times)


@pytest.mark.parametrize("refusal", REFUSALS)
async def test_whoever_presses_on_a_card_is_told(build: Build, refusal: str) -> None:
    async with build(config=REASON_ASKED) as house:
        deployment, _ = await house.ask("payment")
        await house.until(lambda: "details" in str(house.card(deployment).blocks))
        refuse = REFUSALS[refusal]

        for times, action in enumerate(("approve", "reject", "details"), 1):
            refuse(house.slack.faults)
            assert (await house.press(OLU.id, deployment, action)).acked
            await told(house, OLU.id, times)

        assert house.gate(deployment)["phase"] == "awaiting"
        assert house.slack.views.top(OLU.id) is None
        said = house.whispered(OLU.id)
        assert "Nothing was recorded; please press again." in said


@pytest.mark.parametrize("refusal", ["expired_trigger_id", "ratelimited"])
async def test_whoever_wants_to_undo_is_told(house: House, refusal: str) -> None:
    deployment = await switched(house)
    refuse = REFUSALS[refusal]
    refuse(house.slack.faults)
    await house.press(OLU.id, deployment, "undo")
    await told(house, OLU.id, 1)

    refuse(house.slack.faults)
    result = await house.slack.slash_async(OLU.id, CHANNEL.id, "/deploys", "undo order")

    await told(house, OLU.id, 2)
    assert result.ack.acked
    assert result.message is None  # it does not claim that a form is open
    assert "undo_asked" not in house.audit(deployment)


async def test_break_glass_and_several_at_once_are_told_too(house: House) -> None:
    deployment, _ = await house.ask("order")
    await deploys(house, GRACE, "freeze order for 20m stocktaking")
    await house.until(lambda: "break_glass" in house.actions(deployment))
    house.slack.faults.error(OPEN, "expired_trigger_id")
    await house.press(GRACE.id, deployment, "break_glass")
    await told(house, GRACE.id, 1)

    house.slack.faults.error(OPEN, "expired_trigger_id")
    await house.slack.slash_async(GRACE.id, CHANNEL.id, "/deploys", "approve order")
    await told(house, GRACE.id, 2)


async def test_where_no_ephemeral_can_be_posted_the_answer_goes_to_the_response_url(house: House) -> None:
    deployment, _ = await house.ask("order")
    house.slack.faults.error(OPEN, "expired_trigger_id")
    house.slack.faults.error("chat.postEphemeral", "not_in_channel")

    await house.press(OLU.id, deployment, "reject")

    await house.until(lambda: house.slack.calls("response_url"))
    await told(house, OLU.id, 1)
    assert len(whispers(house, OLU)) == 1
