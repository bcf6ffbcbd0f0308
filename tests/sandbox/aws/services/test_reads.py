"""The reads around a deployment, and that they agree about traffic."""

from typing import TYPE_CHECKING

import pytest
from botocore.exceptions import ClientError

from app.sandbox.aws.stand_in import AwsStandIn
from app.sandbox.aws.state.topology import EIGHT_DOMAINS, LOAD_BALANCER_ARN
from tests.sandbox.aws.helpers import CANARY, Boto, Lambda, approve, finish, reach_gate

if TYPE_CHECKING:
    from types_boto3_codedeploy.client import CodeDeployClient
    from types_boto3_ecs.type_defs import ContainerDefinitionTypeDef
    from types_boto3_elbv2.client import ElasticLoadBalancingv2Client

ORDER = EIGHT_DOMAINS[2]


def listener_weights(elbv2: "ElasticLoadBalancingv2Client", listener_arn: str) -> dict[str, int]:
    """Percent by target group name, found the way the service finds them."""
    [listener] = elbv2.describe_listeners(ListenerArns=[listener_arn])["Listeners"]
    groups = listener["DefaultActions"][0]["ForwardConfig"]["TargetGroups"]
    names = {
        group["TargetGroupArn"]: group["TargetGroupName"]
        for group in elbv2.describe_target_groups(Names=list(ORDER.target_groups))["TargetGroups"]
    }
    return {names[group["TargetGroupArn"]]: group["Weight"] for group in groups}


def test_listener_task_sets_and_share_show_the_same_weights(
    aws: AwsStandIn, clients: Boto, codedeploy: "CodeDeployClient", hook: Lambda
) -> None:
    elbv2 = clients.elbv2()
    blue, green = ORDER.target_groups
    assert listener_weights(elbv2, ORDER.listener_arn) == {blue: 100}
    deployment_id = aws.deploy("order", config=CANARY)
    approve(aws, codedeploy, hook, deployment_id)
    assert listener_weights(elbv2, ORDER.listener_arn) == {blue: 90, green: 10}
    target = codedeploy.get_deployment_target(deploymentId=deployment_id, targetId=ORDER.target_id)
    sets = target["deploymentTarget"]["ecsTarget"]["taskSetsInfo"]
    assert [one["trafficWeight"] for one in sets] == [90.0, 10.0]
    assert aws.share("order") == {"blue": 90, "green": 10}
    finish(aws, deployment_id)
    assert listener_weights(elbv2, ORDER.listener_arn) == {blue: 0, green: 100}, (
        "CodeDeploy leaves both there"
    )


def test_the_test_listener_moves_before_the_gate(aws: AwsStandIn, clients: Boto, hook: Lambda) -> None:
    elbv2 = clients.elbv2()
    blue, green = ORDER.target_groups
    assert listener_weights(elbv2, ORDER.test_listener_arn) == {blue: 100}
    reach_gate(aws, hook, aws.deploy("order"))
    assert listener_weights(elbv2, ORDER.test_listener_arn) == {green: 100}


def test_every_domain_has_its_own_listener_port(aws: AwsStandIn, clients: Boto) -> None:
    listeners = clients.elbv2().describe_listeners(LoadBalancerArn=LOAD_BALANCER_ARN)["Listeners"]
    ports = {listener["Port"] for listener in listeners}
    assert {domain.listener_port for domain in EIGHT_DOMAINS} < ports
    [balancer] = clients.elbv2().describe_load_balancers()["LoadBalancers"]
    assert (balancer["Scheme"], balancer["State"]["Code"]) == ("internal", "active")


def test_ecs_shows_the_task_sets_of_a_waiting_switch(aws: AwsStandIn, clients: Boto, hook: Lambda) -> None:
    deployment_id = aws.deploy("order")
    reach_gate(aws, hook, deployment_id)
    answer = clients.ecs().describe_services(cluster="klp-logistics", services=[ORDER.service, "ghost"])
    [service] = answer["services"]
    assert service["deploymentController"] == {"type": "CODE_DEPLOY"}
    assert (service["deployments"], service["runningCount"]) == ([], 4)
    blue, green = service["taskSets"]
    assert "externalId" not in blue
    assert green["externalId"] == deployment_id
    assert (blue["status"], green["status"]) == ("PRIMARY", "ACTIVE")
    assert {blue["startedBy"], green["startedBy"]} == {"CODE_DEPLOY"}
    assert green["stabilityStatus"] == "STEADY_STATE"
    assert green["loadBalancers"][0]["targetGroupArn"] == ORDER.target_group_arn(1)
    assert [failure["reason"] for failure in answer["failures"]] == ["MISSING"]


def test_blue_and_green_run_different_revisions_whose_definitions_can_be_read(
    aws: AwsStandIn, clients: Boto, hook: Lambda
) -> None:
    ecs = clients.ecs()
    arn = aws.register_revision("order", "2.5.0", environment={"LOG_LEVEL": "debug", "NEW_FLAG": "on"})
    reach_gate(aws, hook, aws.deploy("order"))
    [service] = ecs.describe_services(cluster="klp-logistics", services=[ORDER.service])["services"]
    before, after = [
        ecs.describe_task_definition(taskDefinition=one["taskDefinition"], include=["TAGS"])
        for one in service["taskSets"]
    ]
    assert after["taskDefinition"]["taskDefinitionArn"] == arn
    assert after["taskDefinition"]["revision"] > before["taskDefinition"]["revision"]
    [container] = after["taskDefinition"]["containerDefinitions"]
    assert container["image"].endswith("/klp-logistics/order:2.5.0")
    assert {one["name"] for one in container["environment"]} == {"LOG_LEVEL", "NEW_FLAG"}
    assert {one["name"] for one in container["secrets"]} == {"DB_URL", "DB_PASSWORD"}
    assert {tag["key"] for tag in after["tags"]} == {"git-sha", "domain"}
    assert "tags" not in ecs.describe_task_definition(taskDefinition=arn)
    with pytest.raises(ecs.exceptions.ClientException):
        ecs.describe_task_definition(taskDefinition="klp-logistics-order:999")


def test_target_health_follows_the_tasks(aws: AwsStandIn, clients: Boto, hook: Lambda) -> None:
    elbv2 = clients.elbv2()

    def states(index: int) -> list[str]:
        health = elbv2.describe_target_health(TargetGroupArn=ORDER.target_group_arn(index))
        return [one["TargetHealth"]["State"] for one in health["TargetHealthDescriptions"]]

    assert (states(0), states(1)) == (["healthy"] * 2, [])
    deployment_id = aws.deploy("order")
    aws.advance_until(lambda: aws.deployment(deployment_id).event("Install").status == "InProgress")
    assert states(1) == ["unused"] * 2, "no listener forwards to green before its test traffic"
    reach_gate(aws, hook, deployment_id)
    assert states(1) == ["healthy"] * 2
    aws.set_health("order", "green", "unhealthy", reason="Target.ResponseCodeMismatch", description="[503]")
    health = elbv2.describe_target_health(TargetGroupArn=ORDER.target_group_arn(1))
    first = health["TargetHealthDescriptions"][0]
    assert first["TargetHealth"] == {
        "State": "unhealthy",
        "Reason": "Target.ResponseCodeMismatch",
        "Description": "[503]",
    }
    assert (first["Target"]["Port"], first["HealthCheckPort"]) == (8020, "8020")
    assert states(0) == ["healthy"] * 2


def test_alarms_are_read_by_name_and_state(aws: AwsStandIn, clients: Boto) -> None:
    cloudwatch = clients.cloudwatch()
    aws.set_alarm("order", "ALARM", reason="Threshold Crossed: 12 > 5")
    [alarm] = cloudwatch.describe_alarms(AlarmNames=["klp-logistics-order-5xx"])["MetricAlarms"]
    assert (alarm["StateValue"], alarm["StateReason"]) == ("ALARM", "Threshold Crossed: 12 > 5")
    assert alarm["StateUpdatedTimestamp"] == aws.clock.now()
    [ringing] = cloudwatch.describe_alarms(StateValue="ALARM")["MetricAlarms"]
    assert ringing["AlarmName"] == alarm["AlarmName"]
    first = cloudwatch.describe_alarms(AlarmNamePrefix="klp-", MaxRecords=5)
    rest = cloudwatch.describe_alarms(AlarmNamePrefix="klp-", NextToken=first["NextToken"])
    assert len(first["MetricAlarms"]) + len(rest["MetricAlarms"]) == len(EIGHT_DOMAINS)


def test_what_is_not_there_is_refused_in_elbs_words(clients: Boto) -> None:
    elbv2 = clients.elbv2()
    with pytest.raises(elbv2.exceptions.ListenerNotFoundException):
        elbv2.describe_listeners(ListenerArns=["arn:nowhere"])
    with pytest.raises(elbv2.exceptions.TargetGroupNotFoundException):
        elbv2.describe_target_groups(Names=["nobody"])
    with pytest.raises(elbv2.exceptions.TargetGroupNotFoundException):
        elbv2.describe_target_health(TargetGroupArn="arn:nowhere")
    with pytest.raises(ClientError, match="LoadBalancerNotFound"):
        elbv2.describe_load_balancers(Names=["nobody"])


def test_a_registered_task_definition_is_the_next_revision_and_can_be_described(clients: Boto) -> None:
    ecs = clients.ecs()
    container: ContainerDefinitionTypeDef = {"name": "order", "image": "klp/order:3.0.0"}
    made = ecs.register_task_definition(
        family=ORDER.service,
        containerDefinitions=[container],
        tags=[{"key": "github-actor", "value": "jun-lee"}],
    )
    arn = made["taskDefinition"]["taskDefinitionArn"]
    found = ecs.describe_task_definition(taskDefinition=arn, include=["TAGS"])
    assert found["taskDefinition"]["containerDefinitions"] == [container]
    assert {"key": "github-actor", "value": "jun-lee"} in found["tags"]
    assert (
        ecs.describe_task_definition(taskDefinition=ORDER.service)["taskDefinition"]["taskDefinitionArn"]
        == arn
    )


def test_ecs_refuses_task_definitions_and_tags_that_it_would_not_take(clients: Boto) -> None:
    ecs = clients.ecs()
    with pytest.raises(ecs.exceptions.ClientException):
        ecs.register_task_definition(family=ORDER.service, containerDefinitions=[{"name": "order"}])
    with pytest.raises(ecs.exceptions.InvalidParameterException):
        ecs.register_task_definition(
            family=ORDER.service,
            containerDefinitions=[{"name": "order", "image": "order:1"}],
            tags=[{"key": "github-pr-title", "value": "Keep the cart (#2231)"}],
        )
