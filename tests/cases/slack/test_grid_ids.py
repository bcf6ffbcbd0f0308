"""In an Enterprise Grid one person has two ids, U… in a workspace and W… in the Grid: they are the same person."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from app.sandbox.fakes import Fakes
from app.sandbox.people import GRACE, JUN, MINA, OLU, config_text
from app.sandbox.slack.state.shapes import User
from tests.slack.play import Build, votes, wait_for_reply

DEFAULT = f'approvers = ["S0ONCALL", "{GRACE.id}"]'


def in_the_grid(user: User) -> User:
    return replace(user, enterprise_user=f"W{user.id[1:]}")


USERS = tuple(map(in_the_grid, (MINA, OLU, GRACE, JUN)))
W_OLU, W_GRACE, W_MINA = (f"W{user.id[1:]}" for user in (OLU, GRACE, MINA))


def grid(*, members: tuple[str, ...] = (MINA.id, OLU.id)) -> Callable[[Fakes], None]:
    def prepared(fakes: Fakes) -> None:
        fakes.slack.credentials.enterprise = "E0KLP"
        fakes.slack.people.add(*USERS)
        # As two accounts of the stand-in, so that the group's list may hold the other id.
        fakes.slack.people.add(*(replace(user, id=user.enterprise_user) for user in USERS))
        fakes.slack.people.alter("S0ONCALL", members=members)

    return prepared


@pytest.mark.parametrize(
    ("rules", "members"),
    [
        (f'approvers = ["{W_OLU}"]\n', ()),
        (f'approvers = ["{OLU.id}"]\n', ()),
        ('approvers = ["S0ONCALL"]\n', (W_OLU,)),
        ('approvers = ["S0ONCALL"]\n', (OLU.id,)),
    ],
)
@pytest.mark.parametrize("presses_as", [OLU.id, W_OLU])
async def test_either_id_counts_for_either(
    build: Build, rules: str, members: tuple[str, ...], presses_as: str
) -> None:
    async with build(config=config_text(order=rules), before=grid(members=members)) as harness:
        deployment, _ = await harness.open_gate("order")
        await harness.approve(presses_as, deployment)
        assert await harness.reported(deployment) == ["Succeeded"]


async def test_one_person_has_one_vote_by_whichever_id(build: Build) -> None:
    rules = f'approvers = ["{OLU.id}", "{W_OLU}", "{GRACE.id}"]\napprovals = 2\n'
    async with build(config=config_text(order=rules), before=grid()) as harness:
        deployment, _ = await harness.open_gate("order")
        await harness.approve(OLU.id, deployment)
        await harness.until(lambda: votes(harness, deployment) == [OLU.id])
        await harness.approve(W_OLU, deployment)
        await harness.until(lambda: "already approved" in harness.ephemerals(W_OLU))
        assert votes(harness, deployment) == [OLU.id]
        assert harness.gate(deployment)["phase"] == "awaiting"
        await harness.until(lambda: "take_back" in harness.actions(deployment))
        await harness.press(W_OLU, deployment, "take_back")
        await harness.until(lambda: votes(harness, deployment) == [])
        await harness.approve(W_OLU, deployment)
        await harness.approve(W_GRACE, deployment)
        assert await harness.reported(deployment) == ["Succeeded"]


async def test_ones_own_deployment_is_ones_own_by_whichever_id(build: Build) -> None:
    text = config_text(order=f'approvers = ["{MINA.id}", "{OLU.id}"]\n')
    async with build(config=text, before=grid()) as harness:
        deployment, _ = await harness.open_gate("order", description="by @mina-kim")
        await harness.approve(W_MINA, deployment)
        await harness.until(lambda: "본인이 배포한" in harness.ephemerals(W_MINA))
        assert votes(harness, deployment) == []


async def test_an_admin_is_an_admin_by_whichever_id(build: Build) -> None:
    text = config_text(order='required_checks = ["smoke"]\n').replace(
        f'admins = ["{GRACE.id}"]', f'admins = ["{W_GRACE}"]'
    )
    async with build(config=text, before=grid()) as harness:
        deployment, _ = await harness.open_gate("order")
        await harness.press(GRACE.id, deployment, "break_glass")
        await harness.until(lambda: harness.slack.views.top(GRACE.id) is not None)


async def test_somebody_of_another_grid_is_a_stranger(build: Build) -> None:
    text = config_text(order=f'approvers = ["{OLU.id}"]\n')

    async with build(config=text, before=grid()) as harness:
        deployment, _ = await harness.open_gate("order")
        harness.slack.credentials.enterprise = "E9OTHER"
        await harness.approve(OLU.id, deployment)
        await wait_for_reply(harness, OLU, "full workspace members")
        assert harness.gate(deployment)["phase"] == "awaiting"
