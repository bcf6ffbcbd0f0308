"""How a switch ends other than well, and how CodeDeploy takes it back."""

from typing import TYPE_CHECKING

import pytest
from botocore.exceptions import ClientError

from app.sandbox.aws.stand_in import AwsStandIn
from app.sandbox.aws.state.topology import SandboxDomain
from tests.sandbox.aws.helpers import (
    CANARY,
    GATE,
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


def test_a_rejected_switch_fails_and_is_rolled_back_through_its_own_gate(
    aws: AwsStandIn, codedeploy: "CodeDeployClient", hook: Lambda
) -> None:
    deployment_id = aws.deploy("order", config=CANARY)
    answer(codedeploy, deployment_id, reach_gate(aws, hook, deployment_id), "Failed")
    info = codedeploy.get_deployment(deploymentId=deployment_id)["deploymentInfo"]
    assert info["status"] == "Failed"
    assert info["errorInformation"]["code"] == "HOOK_EXECUTION_FAILURE"
    assert "lifecycle event validation functions failed" in info["errorInformation"]["message"]
    seen = event_statuses(aws, deployment_id)
    assert (seen[GATE], seen["AllowTraffic"], seen["AfterAllowTraffic"]) == ("Failed", "Skipped", "Skipped")

    rollback_id = info["rollbackInfo"]["rollbackDeploymentId"]
    approve(aws, codedeploy, hook, rollback_id)
    finish(aws, rollback_id)
    rollback = codedeploy.get_deployment(deploymentId=rollback_id)["deploymentInfo"]
    assert rollback["creator"] == "codeDeployRollback"
    assert rollback["deploymentConfigName"] == "CodeDeployDefault.ECSAllAtOnce"
    assert rollback["rollbackInfo"]["rollbackTriggeringDeploymentId"] == deployment_id
    assert rollback["status"] == "Succeeded"
    assert aws.share("order") == {"blue": 100, "green": 0}


def test_a_rollback_need_not_run_hooks(aws: AwsStandIn, codedeploy: "CodeDeployClient", hook: Lambda) -> None:
    aws.add_domain(SandboxDomain("returns", 9100, rollback_runs_hooks=False))
    deployment_id = aws.deploy("returns")
    answer(codedeploy, deployment_id, reach_gate(aws, hook, deployment_id), "Failed")
    rollback_id = rollback_of(aws, deployment_id)
    finish(aws, rollback_id)
    assert aws.deployment(rollback_id).status == "Succeeded"
    assert hook.of(rollback_id) == []


def test_without_auto_rollback_a_rejected_switch_just_fails(
    aws: AwsStandIn, codedeploy: "CodeDeployClient", hook: Lambda
) -> None:
    aws.add_domain(SandboxDomain("returns", 9100, auto_rollback=()))
    deployment_id = aws.deploy("returns")
    answer(codedeploy, deployment_id, reach_gate(aws, hook, deployment_id), "Failed")
    assert aws.deployment(deployment_id).rollback_id is None
    assert [one.id for one in aws.deployments("returns")] == [deployment_id]
    group = codedeploy.get_deployment_group(
        applicationName="klp-logistics-returns-app", deploymentGroupName="klp-logistics-returns-dg"
    )["deploymentGroupInfo"]
    assert group["autoRollbackConfiguration"] == {"enabled": False, "events": []}


def test_a_hook_that_nobody_answers_fails_after_exactly_one_hour(
    aws: AwsStandIn, codedeploy: "CodeDeployClient", hook: Lambda
) -> None:
    deployment_id = aws.deploy("order")
    execution_id = reach_gate(aws, hook, deployment_id)
    aws.clock.advance(3599.9)
    assert aws.deployment(deployment_id).status == "InProgress"
    aws.clock.advance(0.2)
    ended = aws.deployment(deployment_id)
    assert (ended.status, ended.error_code) == ("Failed", "HOOK_EXECUTION_FAILURE")
    assert "within one hour after a deployment hook is invoked" in (ended.error_message or "")
    with pytest.raises(codedeploy.exceptions.LifecycleEventAlreadyCompletedException):
        answer(codedeploy, deployment_id, execution_id, "Succeeded")
    assert aws.answers(deployment_id) == []


def test_a_crashed_lambda_leaves_the_switch_waiting_for_the_hour(aws: AwsStandIn, hook: Lambda) -> None:
    hook.crash = RuntimeError("no route to the service")
    deployment_id = aws.deploy("order")
    reach_gate(aws, hook, deployment_id)
    aws.wait_until(lambda: aws.hook_calls()[0].outcome == "crashed: RuntimeError")
    aws.clock.advance(3000)
    assert aws.deployment(deployment_id).waits_for == GATE
    finish(aws, deployment_id)
    assert aws.deployment(deployment_id).status == "Failed"


def test_the_first_answer_stands_and_the_second_learns_that_it_came_late(
    aws: AwsStandIn, codedeploy: "CodeDeployClient", hook: Lambda
) -> None:
    deployment_id = aws.deploy("order")
    execution_id = reach_gate(aws, hook, deployment_id)
    answer(codedeploy, deployment_id, execution_id, "Succeeded")
    for late in ("Succeeded", "Failed"):
        with pytest.raises(codedeploy.exceptions.LifecycleEventAlreadyCompletedException):
            answer(codedeploy, deployment_id, execution_id, late)
    assert aws.answers(deployment_id) == ["Succeeded"]


def test_a_task_definition_that_does_not_exist_fails_at_install(
    aws: AwsStandIn, codedeploy: "CodeDeployClient"
) -> None:
    content = (
        "version: 0.0\nResources:\n  - TargetService:\n      Properties:\n        TaskDefinition: arn:x:9"
    )
    deployment_id = codedeploy.create_deployment(
        applicationName="klp-logistics-order-app",
        deploymentGroupName="klp-logistics-order-dg",
        revision={"revisionType": "AppSpecContent", "appSpecContent": {"content": content}},
    )["deploymentId"]
    finish(aws, deployment_id)
    assert aws.deployment(deployment_id).error_code == "ECS_UPDATE_ERROR"


def test_one_deployment_of_a_group_runs_at_a_time_rollbacks_included(
    aws: AwsStandIn, codedeploy: "CodeDeployClient", hook: Lambda
) -> None:
    deployment_id = aws.deploy("order")
    reach_gate(aws, hook, deployment_id)
    revision = codedeploy.get_deployment(deploymentId=deployment_id)["deploymentInfo"]["revision"]

    def deploy_again() -> None:
        codedeploy.create_deployment(
            applicationName="klp-logistics-order-app",
            deploymentGroupName="klp-logistics-order-dg",
            revision=revision,
        )

    with pytest.raises(codedeploy.exceptions.DeploymentLimitExceededException, match=deployment_id):
        deploy_again()
    aws.stop_deployment(deployment_id)
    aws.clock.advance(1)
    with pytest.raises(ClientError, match=rollback_of(aws, deployment_id)):
        deploy_again()
    aws.deploy("user")
