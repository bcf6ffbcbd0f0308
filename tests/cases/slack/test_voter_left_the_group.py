"""A voter who leaves the group is shown as no longer counting, and is not among those who approved in the end."""

import pytest

from app.sandbox.people import GRACE, JUN, MINA, OLU, config_text
from tests.harness import Harness
from tests.slack.play import Build

RULES = config_text(order="approvals = 2\n").replace(f'["S0ONCALL", "{GRACE.id}"]', '["S0ONCALL"]')


def decided_by(harness: Harness, deployment: str) -> str:
    return next((line for line in harness.card_text(deployment).splitlines() if "approved by" in line), "")


async def members(harness: Harness, *people: str) -> None:
    harness.slack.people.alter("S0ONCALL", members=people)
    await harness.service.slack.directory.refresh_groups(["S0ONCALL"])


async def test_the_vote_of_somebody_who_left_is_named_and_not_counted(build: Build) -> None:
    async with build(config=RULES) as harness:
        await members(harness, MINA.id, OLU.id, JUN.id)
        deployment, _ = await harness.open_gate("order")
        await harness.approve(MINA.id, deployment)
        await harness.until(lambda: f"Approved by <@{MINA.id}> (1 of 2)" in harness.card_text(deployment))

        await members(harness, OLU.id, JUN.id)
        await harness.until(lambda: "No longer counted" in harness.card_text(deployment))
        assert f"can't approve this any more: <@{MINA.id}>" in harness.card_text(deployment)
        assert "2 more approvals needed" in harness.card_text(deployment)

        await harness.approve(OLU.id, deployment)
        await harness.until(lambda: f"Approved by <@{OLU.id}> (1 of 2)" in harness.card_text(deployment))
        assert "1 more approval needed" in harness.card_text(deployment)

        await harness.approve(JUN.id, deployment)
        assert await harness.reported(deployment) == ["Succeeded"]
        await harness.until(lambda: decided_by(harness, deployment))
        assert f"by <@{OLU.id}>, <@{JUN.id}>" in decided_by(harness, deployment)
        assert MINA.id not in decided_by(harness, deployment)


async def test_a_member_who_returns_to_the_group_counts_again(build: Build) -> None:
    async with build(config=RULES) as harness:
        await members(harness, MINA.id, OLU.id)
        deployment, _ = await harness.open_gate("order")
        await harness.approve(MINA.id, deployment)
        await members(harness, OLU.id)
        await harness.until(lambda: "No longer counted" in harness.card_text(deployment))
        await members(harness, MINA.id, OLU.id)
        await harness.until(lambda: "No longer counted" not in harness.card_text(deployment))
        await harness.approve(OLU.id, deployment)
        assert await harness.reported(deployment) == ["Succeeded"]
        await harness.until(lambda: f"by <@{MINA.id}>, <@{OLU.id}>" in decided_by(harness, deployment))


@pytest.mark.parametrize("left", [True, False])
async def test_a_rejection_of_somebody_who_left_is_not_counted_either(build: Build, left: bool) -> None:
    async with build(config=RULES.replace("approvals = 2", 'approvals = 2\nreject = "majority"')) as harness:
        await members(harness, MINA.id, OLU.id, JUN.id)
        deployment, _ = await harness.open_gate("order")
        await harness.reject(MINA.id, deployment, "too slow")
        await harness.until(lambda: f"Rejected by <@{MINA.id}>" in harness.card_text(deployment))
        if left:
            await members(harness, OLU.id, JUN.id)
            await harness.until(lambda: "No longer counted" in harness.card_text(deployment))
        await harness.reject(OLU.id, deployment, "slow indeed")
        if left:
            await harness.until(lambda: f"Rejected by <@{OLU.id}>" in harness.card_text(deployment))
            assert harness.gate(deployment)["phase"] == "awaiting"
        else:
            assert await harness.reported(deployment) == ["Failed"]
