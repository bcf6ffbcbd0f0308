"""A gate that nobody can approve says so: on its card, in the log and as a metric."""

from collections.abc import Callable

import pytest
from aiohttp import ClientSession

from app.sandbox.fakes import Fakes
from app.sandbox.people import GRACE, JUN, MINA, OLU, config_text
from tests.harness import Harness
from tests.logs import captured_logs
from tests.slack.play import Build

SAID = "Nobody can approve this under the current rules"


def emptied(fakes: Fakes) -> None:
    fakes.slack.people.alter("S0ONCALL", members=())


def one_member(fakes: Fakes) -> None:
    fakes.slack.people.alter("S0ONCALL", members=(OLU.id,))


def deactivated(fakes: Fakes) -> None:
    fakes.slack.people.alter(OLU.id, deleted=True)


def unreadable(fakes: Fakes) -> None:
    fakes.slack.faults.error("usergroups.users.list", "missing_scope", times=None)


def disabled(fakes: Fakes) -> None:
    fakes.slack.faults.error("usergroups.users.list", "no_such_subteam", times=None)


def as_it_is(_: Fakes) -> None:
    """Nothing is changed."""


async def metric(harness: Harness) -> str:
    async with ClientSession() as session, session.get(f"{harness.url}/metrics") as answer:
        lines = (await answer.text()).splitlines()
    return next(
        (line for line in lines if line.startswith('switchgate_unapprovable_gates_total{domain="order"')), ""
    )


@pytest.mark.parametrize(
    ("rules", "before"),
    [
        ('approvers = ["S0ONCALL"]\n', emptied),
        ('approvers = ["S0ONCALL"]\n', unreadable),
        ('approvers = ["S0ONCALL"]\n', disabled),
        ('approvers = ["S0ONCALL"]\napprovals = 2\n', one_member),
        (f'approvers = ["{OLU.id}", "U0TYPO"]\n', deactivated),
        (f'approvers = ["{OLU.id}", "U0TYPO"]\napprovals = 2\n', as_it_is),
        ('require = [{ from = "U0TYPO" }]\n', as_it_is),
        (f'approvers = ["{JUN.id}"]\n', as_it_is),
    ],
)
async def test_it_is_on_the_card_in_the_log_and_a_metric(
    build: Build, rules: str, before: Callable[[Fakes], object]
) -> None:
    config = config_text(order=rules)
    with captured_logs("WARNING") as log:
        async with build(config=config, before=before) as harness:
            counted = await metric(harness)
            deployment, _ = await harness.open_gate("order", description="by @jun-lee")
            await harness.until(lambda: SAID in harness.card_text(deployment))
            assert "break_glass" in harness.actions(deployment)
            assert await metric(harness) != counted
    assert "nobody_can_approve" in log.getvalue()


@pytest.mark.parametrize(
    ("rules", "before"),
    [
        (f'approvers = ["S0ONCALL", "{GRACE.id}"]\n', emptied),
        ('approvers = ["S0ONCALL"]\n', one_member),
        (f'approvers = ["{OLU.id}", "U0TYPO"]\n', as_it_is),
        (f'approvers = ["{JUN.id}", "{MINA.id}"]\n', as_it_is),
    ],
)
async def test_it_is_not_shown_while_somebody_can_approve(
    build: Build, rules: str, before: Callable[[Fakes], object]
) -> None:
    async with build(config=config_text(order=rules), before=before) as harness:
        deployment, _ = await harness.open_gate("order", description="by @jun-lee")
        await harness.until(lambda: "evidence_collected" in harness.audit(deployment))
        assert SAID not in harness.card_text(deployment)


async def test_it_is_shown_and_removed_as_people_leave_and_come(build: Build) -> None:
    async with build(config=config_text(order='approvers = ["S0ONCALL"]\n')) as harness:
        deployment, _ = await harness.open_gate("order")
        assert SAID not in harness.card_text(deployment)
        harness.slack.people.alter("S0ONCALL", members=())
        await harness.service.slack.directory.refresh_groups(["S0ONCALL"])
        await harness.until(lambda: SAID in harness.card_text(deployment))
        harness.slack.people.alter("S0ONCALL", members=(OLU.id,))
        await harness.service.slack.directory.refresh_groups(["S0ONCALL"])
        await harness.until(lambda: SAID not in harness.card_text(deployment))
        await harness.approve(OLU.id, deployment)
        assert await harness.reported(deployment) == ["Succeeded"]
