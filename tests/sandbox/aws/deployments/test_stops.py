"""A switch that somebody or an alarm stops, and what is left of it."""

from typing import TYPE_CHECKING

import pytest

from app.sandbox.aws.stand_in import AwsStandIn
from tests.sandbox.aws.helpers import (
    CANARY,
    Lambda,
    answer,
    approve,
    event_statuses,
    finish,
    reach_gate,
    rollback_of,
)

if TYPE_CHECKING:
    from types_boto3_codedeploy.client import CodeDeployClient


def test_stopping_a_waiting_switch_ends_its_hook_and_rolls_back(
    aws: AwsStandIn, codedeploy: "CodeDeployClient", hook: Lambda
) -> None:
    deployment_id = aws.deploy("order")
    execution_id = reach_gate(aws, hook, deployment_id)
    answered = codedeploy.stop_deployment(deploymentId=deployment_id, autoRollbackEnabled=True)
    assert answered["status"] == "Pending"
    assert aws.deployment(deployment_id).status == "InProgress"
    with pytest.raises(codedeploy.exceptions.LifecycleEventAlreadyCompletedException):
        answer(codedeploy, deployment_id, execution_id, "Succeeded")
    codedeploy.stop_deployment(deploymentId=deployment_id, autoRollbackEnabled=True)
    aws.clock.advance(1)
    info = codedeploy.get_deployment(deploymentId=deployment_id)["deploymentInfo"]
    assert (info["status"], info["errorInformation"]["code"]) == ("Stopped", "MANUAL_STOP")
    assert info["rollbackInfo"]["rollbackDeploymentId"] == rollback_of(aws, deployment_id)
    with pytest.raises(codedeploy.exceptions.DeploymentAlreadyCompletedException):
        codedeploy.stop_deployment(deploymentId=deployment_id)


def test_an_undo_in_the_termination_wait_puts_all_traffic_back_on_blue(
    aws: AwsStandIn, codedeploy: "CodeDeployClient", hook: Lambda
) -> None:
    deployment_id = aws.deploy("order")
    approve(aws, codedeploy, hook, deployment_id)
    aws.clock.advance(30)
    before = aws.deployment(deployment_id)
    assert (before.terminates_at is not None, aws.share("order")["green"]) == (True, 100)
    codedeploy.stop_deployment(deploymentId=deployment_id, autoRollbackEnabled=True)
    aws.clock.advance(1)
    rollback_id = rollback_of(aws, deployment_id)
    approve(aws, codedeploy, hook, rollback_id)
    finish(aws, rollback_id)
    assert aws.share("order") == {"blue": 100, "green": 0}
    later = aws.deploy("order")
    approve(aws, codedeploy, hook, later)
    finish(aws, later)
    assert aws.share("order") == {"blue": 0, "green": 100}


def test_a_canary_stopped_without_rollback_leaves_the_split_as_it_was(
    aws: AwsStandIn, codedeploy: "CodeDeployClient", hook: Lambda
) -> None:
    deployment_id = aws.deploy("order", config=CANARY)
    approve(aws, codedeploy, hook, deployment_id)
    codedeploy.stop_deployment(deploymentId=deployment_id, autoRollbackEnabled=False)
    aws.clock.advance(600)
    assert aws.deployment(deployment_id).status == "Stopped"
    assert aws.deployment(deployment_id).rollback_id is None
    assert aws.share("order") == {"blue": 90, "green": 10}


@pytest.mark.parametrize("moment", ["waiting", "canary", "keeping blue"])
def test_an_alarm_stops_a_live_deployment_and_rolls_it_back(
    aws: AwsStandIn, codedeploy: "CodeDeployClient", hook: Lambda, moment: str
) -> None:
    deployment_id = aws.deploy("order", config=CANARY)
    execution_id = reach_gate(aws, hook, deployment_id)
    if moment != "waiting":
        answer(codedeploy, deployment_id, execution_id, "Succeeded")
    if moment == "keeping blue":
        aws.clock.advance(310)
    aws.set_alarm("order", "ALARM")
    aws.clock.advance(1)
    ended = aws.deployment(deployment_id)
    assert (ended.status, ended.error_code) == ("Stopped", "ALARM_ACTIVE")
    assert "klp-logistics-order-5xx" in (ended.error_message or "")
    rollback_id = rollback_of(aws, deployment_id)
    approve(aws, codedeploy, hook, rollback_id)
    finish(aws, rollback_id)
    assert aws.deployment(rollback_id).status == "Succeeded"
    assert aws.share("order") == {"blue": 100, "green": 0}


def test_an_alarm_that_is_on_already_stops_the_deployment_at_install(aws: AwsStandIn) -> None:
    aws.set_alarm("order", "ALARM")
    deployment_id = aws.deploy("order")
    finish(aws, deployment_id)
    ended = aws.deployment(deployment_id)
    assert (ended.status, ended.error_code, ended.rollback_id) == ("Stopped", "ALARM_ACTIVE", None)
    assert event_statuses(aws, deployment_id)["Install"] == "Failed"
