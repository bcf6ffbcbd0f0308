"""Deployments that end by themselves, before and after the decision; and automatic rollbacks, which are never held."""

import pytest

from app.sandbox.people import GRACE, MINA
from tests.flow import outsiders
from tests.harness import Harness

PUT = "PutLifecycleEventHookExecutionStatus"


async def ended(harness: Harness, deployment: str) -> dict[str, object]:
    """The gate, a minute later."""
    harness.aws.advance_until(lambda: harness.aws.deployment(deployment).over)
    harness.clock.advance(minutes=1)
    await harness.until(lambda: harness.gate(deployment)["phase"] == "closed")
    return harness.gate(deployment)


async def test_an_alarm_withdraws_the_question_within_a_minute(harness: Harness) -> None:
    deployment, _ = await harness.open_gate("order")
    harness.aws.set_alarm("order", "ALARM")

    gate = await ended(harness, deployment)
    assert gate["verdict"] == "withdrawn"
    assert "alarms" in str(gate["reason"])
    await harness.until(lambda: harness.actions(deployment) & {"approve", "reject"} == set())
    assert "alarms" in harness.card_text(deployment)
    assert "gate_withdrawn" in harness.audit(deployment)
    assert harness.aws.answers(deployment) == []


async def test_a_failure_withdraws_the_gate_within_a_minute(harness: Harness) -> None:
    deployment, _ = await harness.open_gate("order")
    await outsiders.answers(harness, deployment, "Failed")

    gate = await ended(harness, deployment)
    assert gate["verdict"] == "withdrawn"
    await harness.until(lambda: "no action needed" in harness.card_text(deployment))


async def test_a_press_on_a_withdrawn_gate_is_told_what_became_of_it(harness: Harness) -> None:
    deployment, _ = await harness.open_gate("order")
    harness.aws.stop_deployment(deployment, rollback=False)
    await ended(harness, deployment)

    await harness.approve(GRACE.id, deployment)

    await harness.until(lambda: "already ended" in harness.ephemerals(GRACE.id))
    assert harness.gate(deployment)["verdict"] == "withdrawn"


async def test_a_decision_whose_deployment_ended_untold_says_what_codedeploy_holds(harness: Harness) -> None:
    harness.aws.faults.add(PUT, "access_denied", times=None)
    deployment, _ = await harness.open_gate("order")
    await harness.approve(MINA.id, deployment)
    await harness.until(lambda: harness.gate(deployment)["phase"] == "decided")
    harness.aws.stop_deployment(deployment, rollback=False)
    harness.aws.advance_until(lambda: harness.aws.deployment(deployment).over)

    harness.clock.advance(minutes=1)
    harness.aws.faults.clear(PUT)
    harness.clock.advance(minutes=2)

    await harness.until(lambda: harness.gate(deployment)["outcome"] is not None)
    gate = harness.gate(deployment)
    assert (gate["verdict"], gate["outcome"], gate["outcome_detail"]) == (
        "approved",
        "conflict",
        "Failed",
    )
    await harness.until(lambda: "recorded a different result: Failed" in harness.card_text(deployment))
    harness.clock.advance(minutes=1)
    await harness.until(lambda: harness.gate(deployment)["phase"] == "closed")


@pytest.mark.parametrize("creator", ["codeDeployRollback", "CloudFormationRollback"])
async def test_an_auto_rollback_passes_at_once_and_is_only_announced(harness: Harness, creator: str) -> None:
    deployment = await harness.deploy("order", creator=creator)

    assert await harness.reported(deployment) == ["Succeeded"]
    gate = harness.gate(deployment)
    assert (gate["verdict"], gate["basis"], gate["decided_by"]) == ("approved", "auto_rollback", None)
    await harness.until(lambda: "Rollbacks don't need approval" in harness.card_text(deployment))
    assert harness.actions(deployment) & {"approve", "reject"} == set()


async def test_the_rollback_of_a_rejected_switch_is_not_held_up(harness: Harness) -> None:
    deployment, _ = await harness.open_gate("order")
    await harness.reject(MINA.id, deployment, "broken on green")
    assert await harness.reported(deployment) == ["Failed"]
    harness.aws.advance_until(lambda: harness.aws.deployment(deployment).rollback_id is not None)
    rollback = harness.aws.deployment(deployment).rollback_id
    assert rollback is not None

    assert await harness.reported(rollback) == ["Succeeded"]
    assert harness.gate(rollback)["basis"] == "auto_rollback"


async def test_an_auto_rollback_passes_also_while_codedeploy_fails(harness: Harness) -> None:
    harness.aws.faults.add(PUT, "throttle", times=3)
    deployment = await harness.deploy("order", creator="codeDeployRollback")
    assert await harness.reported(deployment) == ["Succeeded"]


async def test_a_switch_does_not_end_while_an_answer_to_its_hook_is_on_its_way(harness: Harness) -> None:
    """The report finds out what CodeDeploy holds, and only then has the switch ended for us too."""
    harness.aws.faults.add(PUT, "access_denied", times=None)
    deployment, _ = await harness.open_gate("order")
    await harness.approve(MINA.id, deployment)
    await harness.until(lambda: harness.gate(deployment)["phase"] == "decided")
    harness.aws.stop_deployment(deployment, rollback=False)
    harness.aws.advance_until(lambda: harness.aws.deployment(deployment).over)
    looked = "SELECT status, ended_at, due_at FROM switches WHERE deployment_id = %s"

    harness.clock.advance(seconds=30)
    await harness.until(lambda: harness.rows(looked, deployment)[0]["status"] == "Stopped")

    [switch] = harness.rows(looked, deployment)
    assert harness.gate(deployment)["phase"] == "decided"
    assert switch["ended_at"] is None
    assert switch["due_at"] is not None, "it is looked at again"
    assert "switch_ended" not in harness.audit(deployment)
    harness.aws.faults.clear(PUT)
    harness.clock.advance(minutes=2)
    await harness.until(lambda: harness.gate(deployment)["phase"] == "closed")
    assert harness.audit(deployment)[-2:] == ["report_conflict", "switch_ended"]
