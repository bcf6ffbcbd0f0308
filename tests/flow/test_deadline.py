"""No answer is a no: to the second, by the record's own time, and always before CodeDeploy's hour."""

from datetime import timedelta

import pytest

from app.sandbox.cast import MINA, OLU
from tests.house import House


async def test_nobody_decides_and_codedeploy_hears_failed(house: House) -> None:
    deployment, _ = await house.ask("order")

    house.clock.advance(minutes=55)
    due = house.clock()

    assert await house.told(deployment) == ["Failed"]
    gate = house.gate(deployment)
    assert gate["verdict"] == "expired"
    assert gate["deadline_at"] <= gate["decided_at"] < due + timedelta(seconds=5)
    await house.until(lambda: "Nobody decided" in house.says(deployment))
    assert house.actions(deployment) & {"approve", "reject"} == set()
    house.aws.play_until(lambda: house.aws.deployment(deployment).over)
    assert house.aws.share("order") == {"blue": 100, "green": 0}


async def test_a_gate_still_waits_a_little_before_its_deadline(house: House) -> None:
    deployment, _ = await house.ask("order")
    house.clock.advance(minutes=54, seconds=30)
    await house.approve(MINA.id, deployment)
    assert await house.told(deployment) == ["Succeeded"]


async def test_the_hour_is_counted_from_when_codedeploy_began_the_hook(house: House) -> None:
    """The hook was lost on the way for four minutes; CodeDeploy has not waited with its clock."""
    house.aws.faults.lose_hooks()
    deployment = await house.deploy("order")
    (lost,) = house.aws.hook_calls(deployment)
    assert lost.outcome == "lost"
    house.clock.advance(minutes=4)
    house.aws.redeliver_hook(deployment)
    await house.until(lambda: house.rows("SELECT 1 FROM gates"))

    started = house.aws.deployment(deployment).event("BeforeAllowTraffic").started_at
    assert started is not None
    await house.until(lambda: house.gate(deployment)["deadline_at"] == started + timedelta(minutes=55))
    assert house.gate(deployment)["opened_at"] > started + timedelta(minutes=3)


async def test_the_start_is_learnt_although_codedeploys_reads_lag_behind_its_hook(house: House) -> None:
    house.aws.faults.delay_progress(3)
    deployment, _ = await house.ask("order")
    started = house.aws.deployment(deployment).event("BeforeAllowTraffic").started_at
    assert started is not None
    await house.until(lambda: house.gate(deployment)["deadline_at"] == started + timedelta(minutes=55))


@pytest.mark.parametrize("confirmed", [True, False])
async def test_a_start_that_cannot_be_true_is_passed_over(house: House, confirmed: bool) -> None:
    """As a clock that is wrong by hours tells it, or a stand-in that always gives the same."""
    house.clock.advance(hours=3)
    if not confirmed:
        house.aws.faults.add("GetDeployment", "throttle", times=3)
    deployment, _ = await house.ask("order")
    await house.until(lambda: house.rows("SELECT 1 FROM switches WHERE hook_started_at IS NOT NULL"))
    gate = house.gate(deployment)
    assert gate["deadline_at"] - gate["opened_at"] == timedelta(minutes=55)
    await house.approve(OLU.id, deployment)
    assert await house.told(deployment) == ["Succeeded"]


async def test_a_press_after_the_deadline_is_told_that_it_came_too_late(house: House) -> None:
    """Whether or not the expiry has been written yet."""
    deployment, _ = await house.ask("order")
    house.clock.advance(minutes=55)
    await house.approve(OLU.id, deployment)

    await house.until(lambda: "too late" in house.whispered(OLU.id) or "passed" in house.whispered(OLU.id))
    assert await house.told(deployment) == ["Failed"]
    assert house.gate(deployment)["verdict"] == "expired"
    assert house.rows("SELECT 1 FROM votes") == []


async def test_many_deadlines_at_once_are_all_kept(house: House) -> None:
    names = [domain.name for domain in house.aws.domains()]
    deployments = [(await house.ask(name))[0] for name in names]
    house.clock.advance(minutes=55)
    due = house.clock()
    await house.until(
        lambda: all(house.aws.answers(deployment) == ["Failed"] for deployment in deployments), 20
    )
    assert max(house.gate(deployment)["decided_at"] for deployment in deployments) - due < timedelta(
        seconds=10
    )
