"""A voter who leaves the group is shown as no longer counting, and is not among those who approved in the end."""

import pytest

from app.sandbox.cast import GRACE, JUN, MINA, OLU, config_text
from tests.house import House
from tests.slack.play import Build

RULES = config_text(order="approvals = 2\n").replace(f'["S0ONCALL", "{GRACE.id}"]', '["S0ONCALL"]')


def decided_by(house: House, deployment: str) -> str:
    return next((line for line in house.says(deployment).splitlines() if "*Approved* by" in line), "")


async def members(house: House, *people: str) -> None:
    house.slack.people.alter("S0ONCALL", members=people)
    await house.service.slack.directory.refresh_groups(["S0ONCALL"])


async def test_the_vote_of_somebody_who_left_is_named_and_not_counted(build: Build) -> None:
    async with build(config=RULES) as house:
        await members(house, MINA.id, OLU.id, JUN.id)
        deployment, _ = await house.ask("order")
        await house.approve(MINA.id, deployment)
        await house.until(lambda: f"Approved so far by <@{MINA.id}> (1 of 2)" in house.says(deployment))

        await members(house, OLU.id, JUN.id)
        await house.until(lambda: "No longer counted" in house.says(deployment))
        assert f"may not approve this any more: <@{MINA.id}>" in house.says(deployment)
        assert "(0 of 2)" in house.says(deployment)

        await house.approve(OLU.id, deployment)
        await house.until(lambda: f"Approved so far by <@{OLU.id}> (1 of 2)" in house.says(deployment))
        assert "1 more person has to approve" in house.says(deployment)

        await house.approve(JUN.id, deployment)
        assert await house.told(deployment) == ["Succeeded"]
        await house.until(lambda: decided_by(house, deployment))
        assert f"by <@{OLU.id}>, <@{JUN.id}>" in decided_by(house, deployment)
        assert MINA.id not in decided_by(house, deployment)


async def test_whoever_comes_back_counts_again(build: Build) -> None:
    async with build(config=RULES) as house:
        await members(house, MINA.id, OLU.id)
        deployment, _ = await house.ask("order")
        await house.approve(MINA.id, deployment)
        await members(house, OLU.id)
        await house.until(lambda: "No longer counted" in house.says(deployment))
        await members(house, MINA.id, OLU.id)
        await house.until(lambda: "No longer counted" not in house.says(deployment))
        await house.approve(OLU.id, deployment)
        assert await house.told(deployment) == ["Succeeded"]
        await house.until(lambda: f"by <@{MINA.id}>, <@{OLU.id}>" in decided_by(house, deployment))


@pytest.mark.parametrize("left", [True, False])
async def test_a_rejection_of_somebody_who_left_is_not_counted_either(build: Build, left: bool) -> None:
    async with build(config=RULES.replace("approvals = 2", 'approvals = 2\nreject = "majority"')) as house:
        await members(house, MINA.id, OLU.id, JUN.id)
        deployment, _ = await house.ask("order")
        await house.reject(MINA.id, deployment, "too slow")
        await house.until(lambda: f"Rejected so far by <@{MINA.id}>" in house.says(deployment))
        if left:
            await members(house, OLU.id, JUN.id)
            await house.until(lambda: "No longer counted" in house.says(deployment))
        await house.reject(OLU.id, deployment, "slow indeed")
        if left:
            await house.until(lambda: f"Rejected so far by <@{OLU.id}>" in house.says(deployment))
            assert house.gate(deployment)["phase"] == "awaiting"
        else:
            assert await house.told(deployment) == ["Failed"]
