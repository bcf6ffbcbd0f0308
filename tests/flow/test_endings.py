"""Deployments that end by themselves, before and after the decision; and rescues, which nobody holds up."""

import pytest

from app.sandbox.cast import GRACE, MINA
from tests.flow import outsiders
from tests.house import House

PUT = "PutLifecycleEventHookExecutionStatus"


async def ended(house: House, deployment: str) -> dict[str, object]:
    """The gate, a minute later."""
    house.aws.play_until(lambda: house.aws.deployment(deployment).over)
    house.clock.advance(minutes=1)
    await house.until(lambda: house.gate(deployment)["phase"] == "closed")
    return house.gate(deployment)


async def test_an_alarm_withdraws_the_question_within_a_minute(house: House) -> None:
    deployment, _ = await house.ask("order")
    house.aws.set_alarm("order", "ALARM")

    gate = await ended(house, deployment)
    assert gate["verdict"] == "withdrawn"
    assert "alarms" in str(gate["reason"])
    await house.until(lambda: "alarms" in house.says(deployment))
    assert house.actions(deployment) & {"approve", "reject"} == set()
    assert "gate_withdrawn" in house.audit(deployment)
    assert house.aws.answers(deployment) == []


async def test_a_failure_withdraws_the_question_within_a_minute(house: House) -> None:
    deployment, _ = await house.ask("order")
    await outsiders.answers(house, deployment, "Failed")

    gate = await ended(house, deployment)
    assert gate["verdict"] == "withdrawn"
    await house.until(lambda: "nothing to decide" in house.says(deployment))


async def test_a_press_on_a_withdrawn_question_learns_what_became_of_it(house: House) -> None:
    deployment, _ = await house.ask("order")
    house.aws.stop_deployment(deployment, rollback=False)
    await ended(house, deployment)

    await house.approve(GRACE.id, deployment)

    await house.until(lambda: "ended by itself" in house.whispered(GRACE.id))
    assert house.gate(deployment)["verdict"] == "withdrawn"


async def test_a_decision_whose_deployment_ended_untold_says_what_codedeploy_holds(house: House) -> None:
    house.aws.faults.add(PUT, "access_denied", times=None)
    deployment, _ = await house.ask("order")
    await house.approve(MINA.id, deployment)
    await house.until(lambda: house.gate(deployment)["phase"] == "decided")
    house.aws.stop_deployment(deployment, rollback=False)
    house.aws.play_until(lambda: house.aws.deployment(deployment).over)

    house.clock.advance(minutes=1)
    house.aws.faults.clear(PUT)
    house.clock.advance(minutes=2)

    await house.until(lambda: house.gate(deployment)["outcome"] is not None)
    gate = house.gate(deployment)
    assert (gate["verdict"], gate["outcome"], gate["outcome_detail"]) == (
        "approved",
        "contradicted",
        "Failed",
    )
    await house.until(lambda: "holds another answer: Failed" in house.says(deployment))
    house.clock.advance(minutes=1)
    await house.until(lambda: house.gate(deployment)["phase"] == "closed")


@pytest.mark.parametrize("creator", ["codeDeployRollback", "CloudFormationRollback"])
async def test_a_rescue_passes_at_once_and_is_only_announced(house: House, creator: str) -> None:
    deployment = await house.deploy("order", creator=creator)

    assert await house.told(deployment) == ["Succeeded"]
    gate = house.gate(deployment)
    assert (gate["verdict"], gate["basis"], gate["decided_by"]) == ("approved", "rescue", None)
    await house.until(lambda: "rescue is never held" in house.says(deployment))
    assert house.actions(deployment) & {"approve", "reject"} == set()


async def test_the_rollback_of_a_rejected_switch_is_not_held_up(house: House) -> None:
    deployment, _ = await house.ask("order")
    await house.reject(MINA.id, deployment, "broken on green")
    assert await house.told(deployment) == ["Failed"]
    house.aws.play_until(lambda: house.aws.deployment(deployment).rollback_id is not None)
    rollback = house.aws.deployment(deployment).rollback_id
    assert rollback is not None

    assert await house.told(rollback) == ["Succeeded"]
    assert house.gate(rollback)["basis"] == "rescue"


async def test_a_rescue_passes_also_where_codedeploy_is_in_trouble(house: House) -> None:
    house.aws.faults.add(PUT, "throttle", times=3)
    deployment = await house.deploy("order", creator="codeDeployRollback")
    assert await house.told(deployment) == ["Succeeded"]


async def test_a_switch_does_not_end_while_an_answer_to_its_hook_is_on_its_way(house: House) -> None:
    """The report finds out what CodeDeploy holds, and only then has the switch ended for us too."""
    house.aws.faults.add(PUT, "access_denied", times=None)
    deployment, _ = await house.ask("order")
    await house.approve(MINA.id, deployment)
    await house.until(lambda: house.gate(deployment)["phase"] == "decided")
    house.aws.stop_deployment(deployment, rollback=False)
    house.aws.play_until(lambda: house.aws.deployment(deployment).over)
    looked = "SELECT status, ended_at, due_at FROM switches WHERE deployment_id = %s"

    house.clock.advance(seconds=30)
    await house.until(lambda: house.rows(looked, deployment)[0]["status"] == "Stopped")

    [switch] = house.rows(looked, deployment)
    assert house.gate(deployment)["phase"] == "decided"
    assert switch["ended_at"] is None
    assert switch["due_at"] is not None, "it is looked at again"
    assert "switch_ended" not in house.audit(deployment)
    house.aws.faults.clear(PUT)
    house.clock.advance(minutes=2)
    await house.until(lambda: house.gate(deployment)["phase"] == "closed")
    assert house.audit(deployment)[-2:] == ["report_contradicted", "switch_ended"]
