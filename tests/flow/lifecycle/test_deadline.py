"""No answer is a no: to the second, by the record's own time, and always before CodeDeploy's hour."""

from datetime import timedelta

import pytest

from app.sandbox.people import MINA, OLU
from tests.harness import Harness


async def test_nobody_decides_and_codedeploy_is_told_failed(harness: Harness) -> None:
    deployment, _ = await harness.open_gate("order")

    harness.clock.advance(minutes=55)
    due = harness.clock()

    assert await harness.reported(deployment) == ["Failed"]
    gate = harness.gate(deployment)
    assert gate["verdict"] == "expired"
    assert gate["deadline_at"] <= gate["decided_at"] < due + timedelta(seconds=5)
    await harness.until(lambda: "not approved by" in harness.card_text(deployment))
    assert harness.actions(deployment) & {"approve", "reject"} == set()
    harness.aws.advance_until(lambda: harness.aws.deployment(deployment).over)
    assert harness.aws.share("order") == {"blue": 100, "green": 0}


async def test_a_gate_still_waits_a_little_before_its_deadline(harness: Harness) -> None:
    deployment, _ = await harness.open_gate("order")
    harness.clock.advance(minutes=54, seconds=30)
    await harness.approve(MINA.id, deployment)
    assert await harness.reported(deployment) == ["Succeeded"]


async def test_the_hour_is_counted_from_when_codedeploy_began_the_hook(harness: Harness) -> None:
    """The hook was lost on the way for four minutes; CodeDeploy has not waited with its clock."""
    harness.aws.faults.lose_hooks()
    deployment = await harness.deploy("order")
    (lost,) = harness.aws.hook_calls(deployment)
    assert lost.outcome == "lost"
    harness.clock.advance(minutes=4)
    harness.aws.redeliver_hook(deployment)
    await harness.until(lambda: harness.rows("SELECT 1 FROM gates"))

    started = harness.aws.deployment(deployment).event("BeforeAllowTraffic").started_at
    assert started is not None
    await harness.until(lambda: harness.gate(deployment)["deadline_at"] == started + timedelta(minutes=55))
    assert harness.gate(deployment)["opened_at"] > started + timedelta(minutes=3)


async def test_the_start_is_learnt_although_codedeploys_reads_lag_behind_its_hook(harness: Harness) -> None:
    harness.aws.faults.delay_progress(3)
    deployment, _ = await harness.open_gate("order")
    started = harness.aws.deployment(deployment).event("BeforeAllowTraffic").started_at
    assert started is not None
    await harness.until(lambda: harness.gate(deployment)["deadline_at"] == started + timedelta(minutes=55))


@pytest.mark.parametrize("confirmed", [True, False])
async def test_a_start_that_cannot_be_true_is_passed_over(harness: Harness, confirmed: bool) -> None:
    """A start that is wrong by hours, or a stand-in that always gives the same one."""
    harness.clock.advance(hours=3)
    await harness.until(
        lambda: harness.service.rules.roster().groups
    )  # members read three hours ago count no more
    if not confirmed:
        harness.aws.faults.add("GetDeployment", "throttle", times=3)
    deployment, _ = await harness.open_gate("order")
    await harness.until(lambda: harness.rows("SELECT 1 FROM switches WHERE hook_started_at IS NOT NULL"))
    gate = harness.gate(deployment)
    assert gate["deadline_at"] - gate["opened_at"] == timedelta(minutes=55)
    await harness.approve(OLU.id, deployment)
    assert await harness.reported(deployment) == ["Succeeded"]


async def test_a_press_after_the_deadline_is_told_that_it_came_too_late(harness: Harness) -> None:
    """Whether or not the expiry has been written yet."""
    deployment, _ = await harness.open_gate("order")
    harness.clock.advance(minutes=55)
    await harness.approve(OLU.id, deployment)

    await harness.until(
        lambda: "too late" in harness.ephemerals(OLU.id) or "passed" in harness.ephemerals(OLU.id)
    )
    assert await harness.reported(deployment) == ["Failed"]
    assert harness.gate(deployment)["verdict"] == "expired"
    assert harness.rows("SELECT 1 FROM votes") == []


async def test_many_deadlines_at_once_are_all_kept(harness: Harness) -> None:
    names = [domain.name for domain in harness.aws.domains()]
    deployments = [(await harness.open_gate(name))[0] for name in names]
    harness.clock.advance(minutes=55)
    due = harness.clock()
    await harness.until(
        lambda: all(harness.aws.answers(deployment) == ["Failed"] for deployment in deployments), 20
    )
    assert max(harness.gate(deployment)["decided_at"] for deployment in deployments) - due < timedelta(
        seconds=10
    )
