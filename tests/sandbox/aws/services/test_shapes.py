"""CodeDeploy's answers parse in boto3 as the recorded ones of AWS do."""

import json
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from app.sandbox.aws.stand_in import AwsStandIn
from app.sandbox.aws.state.topology import EIGHT_DOMAINS, REGION
from tests.sandbox.aws.conftest import NOON
from tests.sandbox.aws.helpers import CANARY, LINEAR, Lambda, approve, finish, reach_gate

if TYPE_CHECKING:
    from types_boto3_codedeploy.client import CodeDeployClient

ORDER = EIGHT_DOMAINS[2]
SIGNED = f"AWS4-HMAC-SHA256 Credential=AKIATEST/20261124/{REGION}/codedeploy/aws4_request, Signature=0"
JSON = "application/x-amz-json-1.1"


def test_get_deployment_has_the_members_that_aws_sends(
    aws: AwsStandIn, codedeploy: "CodeDeployClient", hook: Lambda
) -> None:
    deployment_id = aws.deploy("order", description="git 4f2a1c <b>한국어</b>", config=CANARY)
    reach_gate(aws, hook, deployment_id)
    info = codedeploy.get_deployment(deploymentId=deployment_id)["deploymentInfo"]
    assert {
        "applicationName",
        "deploymentGroupName",
        "deploymentConfigName",
        "deploymentId",
        "previousRevision",
        "revision",
        "status",
        "createTime",
        "startTime",
        "deploymentOverview",
        "description",
        "creator",
        "autoRollbackConfiguration",
        "deploymentStyle",
        "instanceTerminationWaitTimeStarted",
        "blueGreenDeploymentConfiguration",
        "loadBalancerInfo",
        "deploymentStatusMessages",
        "computePlatform",
    } <= set(info)
    assert info["description"] == "git 4f2a1c <b>한국어</b>"
    assert (info["creator"], info["computePlatform"]) == ("user", "ECS")
    assert NOON <= info["createTime"] < info["startTime"] < NOON + timedelta(seconds=5)
    shown = info["revision"]["appSpecContent"]
    assert set(shown) == {"sha256"}, "GetDeployment never shows an AppSpec's content"
    found = codedeploy.get_application_revision(
        applicationName=info["applicationName"], revision=info["revision"]
    )
    content = json.loads(found["revision"]["appSpecContent"]["content"])
    assert content["Hooks"] == [{"BeforeAllowTraffic": "CodeDeployHook_switchgate"}]
    assert info["deploymentOverview"]["InProgress"] == 1
    [pair] = info["loadBalancerInfo"]["targetGroupPairInfoList"]
    assert [group["name"] for group in pair["targetGroups"]] == list(ORDER.target_groups)
    assert pair["prodTrafficRoute"] == {"listenerArns": [ORDER.listener_arn]}
    assert pair["testTrafficRoute"] == {"listenerArns": [ORDER.test_listener_arn]}


def test_the_target_has_the_members_that_aws_sends(
    aws: AwsStandIn, codedeploy: "CodeDeployClient", hook: Lambda
) -> None:
    deployment_id = aws.deploy("order")
    reach_gate(aws, hook, deployment_id)
    one = codedeploy.get_deployment_target(deploymentId=deployment_id, targetId=ORDER.target_id)
    target = one["deploymentTarget"]
    assert target["deploymentTargetType"] == "ECSTarget"
    ecs = target["ecsTarget"]
    assert (ecs["targetId"], ecs["targetArn"], ecs["status"]) == (
        "klp-logistics:klp-logistics-order",
        "arn:aws:ecs:ap-northeast-2:123456789012:service/klp-logistics/klp-logistics-order",
        "InProgress",
    )
    for task_set in ecs["taskSetsInfo"]:
        assert set(task_set) == {
            "identifer",
            "desiredCount",
            "pendingCount",
            "runningCount",
            "status",
            "trafficWeight",
            "targetGroup",
            "taskSetLabel",
        }
    batch = codedeploy.batch_get_deployment_targets(deploymentId=deployment_id, targetIds=[ORDER.target_id])
    assert batch["deploymentTargets"] == [target]


def test_groups_show_their_alarms_service_and_latest_deployments(
    aws: AwsStandIn, codedeploy: "CodeDeployClient", hook: Lambda
) -> None:
    names = {
        "applicationName": "klp-logistics-order-app",
        "deploymentGroupName": "klp-logistics-order-dg",
    }
    first = aws.deploy("order")
    approve(aws, codedeploy, hook, first)
    finish(aws, first)
    second = aws.deploy("order")
    info = codedeploy.get_deployment_group(**names)["deploymentGroupInfo"]
    assert info["ecsServices"] == [{"serviceName": "klp-logistics-order", "clusterName": "klp-logistics"}]
    assert info["alarmConfiguration"]["alarms"] == [{"name": "klp-logistics-order-5xx"}]
    assert info["autoRollbackConfiguration"]["enabled"]
    assert info["lastSuccessfulDeployment"]["deploymentId"] == first
    assert info["lastAttemptedDeployment"]["deploymentId"] == second
    assert aws.deployment(second).description == ""


def test_configurations_show_how_traffic_moves(codedeploy: "CodeDeployClient") -> None:
    def routing(name: str) -> Any:
        config = codedeploy.get_deployment_config(deploymentConfigName=name)["deploymentConfigInfo"]
        assert (config["deploymentConfigName"], config["computePlatform"]) == (name, "ECS")
        return config["trafficRoutingConfig"]

    assert routing("CodeDeployDefault.ECSAllAtOnce") == {"type": "AllAtOnce"}
    canary = {"canaryPercentage": 10, "canaryInterval": 5}
    assert routing(CANARY) == {"type": "TimeBasedCanary", "timeBasedCanary": canary}
    linear = {"linearPercentage": 10, "linearInterval": 1}
    assert routing(LINEAR) == {"type": "TimeBasedLinear", "timeBasedLinear": linear}
    assert routing("CodeDeployDefault.ECSCanary10Percent15Minutes")["timeBasedCanary"]["canaryInterval"] == 15
    assert (
        routing("CodeDeployDefault.ECSLinear10PercentEvery3Minutes")["timeBasedLinear"]["linearInterval"] == 3
    )
    with pytest.raises(codedeploy.exceptions.DeploymentConfigDoesNotExistException):
        routing("CodeDeployDefault.OneAtATime")


def test_deployments_are_listed_newest_first_and_by_status(
    aws: AwsStandIn, codedeploy: "CodeDeployClient", hook: Lambda
) -> None:
    first = aws.deploy("order")
    approve(aws, codedeploy, hook, first)
    finish(aws, first)
    second, other = aws.deploy("order"), aws.deploy("user")
    aws.clock.advance(1)
    assert codedeploy.list_deployments()["deployments"] == [other, second, first]
    listed = codedeploy.list_deployments(
        applicationName="klp-logistics-order-app",
        deploymentGroupName="klp-logistics-order-dg",
        includeOnlyStatuses=["InProgress"],
    )
    assert listed["deployments"] == [second]
    batch = codedeploy.batch_get_deployments(deploymentIds=[first, other])["deploymentsInfo"]
    assert [info["status"] for info in batch] == ["Succeeded", "InProgress"]
