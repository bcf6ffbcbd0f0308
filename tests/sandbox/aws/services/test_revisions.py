"""Revisions as CodeDeploy keeps them: shown without their content, deployed again by what names them."""

from typing import TYPE_CHECKING, Any, cast

import pytest
from botocore.exceptions import ClientError

from app.sandbox.aws.stand_in import AwsStandIn
from app.sandbox.aws.state.topology import SandboxDomain
from tests.sandbox.aws.helpers import Lambda, approve, finish

if TYPE_CHECKING:
    from types_boto3_codedeploy.client import CodeDeployClient

APPLICATION = "klp-logistics-order-app"
GROUP = "klp-logistics-order-dg"
S3: dict[str, Any] = {
    "revisionType": "S3",
    "s3Location": {"bucket": "artifacts", "key": "order/42.yaml", "bundleType": "YAML", "eTag": "e42"},
}
GITHUB: dict[str, Any] = {
    "revisionType": "GitHub",
    "gitHubLocation": {"repository": "klp/order", "commitId": "4f2a1c9d"},
}


def create(codedeploy: "CodeDeployClient", **members: Any) -> str:
    made = codedeploy.create_deployment(applicationName=APPLICATION, deploymentGroupName=GROUP, **members)
    return made["deploymentId"]


def code(refused: pytest.ExceptionInfo[ClientError]) -> str:
    return str(refused.value.response["Error"]["Code"])


@pytest.mark.parametrize(("kind", "member"), [("AppSpecContent", "appSpecContent"), ("String", "string")])
def test_an_appspec_is_identified_by_its_digest_alone(
    aws: AwsStandIn, codedeploy: "CodeDeployClient", kind: str, member: str
) -> None:
    content = aws.appspec("klp-logistics-order:42", named="klp-logistics-order:42")
    revision: Any = {"revisionType": kind, member: {"content": content}}
    deployment = create(codedeploy, revision=revision)

    [batched] = codedeploy.batch_get_deployments(deploymentIds=[deployment])["deploymentsInfo"]
    info = codedeploy.get_deployment(deploymentId=deployment)["deploymentInfo"]
    shown: Any = info["revision"]
    assert batched["revision"] == shown
    assert set(cast("dict[str, Any]", shown)[member]) == {"sha256"}
    found: Any = codedeploy.get_application_revision(applicationName=APPLICATION, revision=info["revision"])
    assert found["revision"][member]["content"] == content


def test_a_digest_that_nobody_registered_is_refused(aws: AwsStandIn, codedeploy: "CodeDeployClient") -> None:
    unknown: Any = {"revisionType": "AppSpecContent", "appSpecContent": {"sha256": "0" * 64}}
    with pytest.raises(ClientError) as refused:
        codedeploy.get_application_revision(applicationName=APPLICATION, revision=unknown)
    assert code(refused) == "RevisionDoesNotExistException"
    with pytest.raises(ClientError) as refused:
        create(codedeploy, revision=unknown)
    assert code(refused) == "RevisionDoesNotExistException"


@pytest.mark.parametrize("revision", [S3, GITHUB], ids=["S3", "GitHub"])
def test_what_is_stored_elsewhere_is_shown_as_it_was_given(
    aws: AwsStandIn, codedeploy: "CodeDeployClient", hook: Lambda, revision: Any
) -> None:
    aws.store_appspec("artifacts", "order/42.yaml", aws.appspec("klp-logistics-order:42"))
    aws.store_appspec("klp/order", "4f2a1c9d", aws.appspec("klp-logistics-order:42"))
    deployment = create(codedeploy, revision=revision)
    assert codedeploy.get_deployment(deploymentId=deployment)["deploymentInfo"]["revision"] == revision
    approve(aws, codedeploy, hook, deployment)
    finish(aws, deployment)
    assert aws.deployment(deployment).image.endswith(":1.42.0")


def test_a_service_that_codedeploy_never_deployed_has_no_previous_revision(
    aws: AwsStandIn, codedeploy: "CodeDeployClient"
) -> None:
    aws.add_domain(SandboxDomain("fresh", 9200, deployed_before=False))
    info = codedeploy.get_deployment(deploymentId=aws.deploy("fresh"))["deploymentInfo"]
    assert "previousRevision" not in info


def test_a_family_without_a_number_is_its_latest_active_revision(
    aws: AwsStandIn, codedeploy: "CodeDeployClient", hook: Lambda
) -> None:
    latest = aws.register_revision("order")
    aws.register_revision("order")
    aws.deregister("klp-logistics-order:44")
    content = aws.appspec(latest, named="klp-logistics-order")
    deployment = create(
        codedeploy, revision={"revisionType": "AppSpecContent", "appSpecContent": {"content": content}}
    )
    approve(aws, codedeploy, hook, deployment)
    finish(aws, deployment)
    assert aws.deployment(deployment).image.endswith(":1.43.0")


def test_an_inactive_task_definition_is_not_deployed(aws: AwsStandIn) -> None:
    deployment = aws.deploy("order")
    aws.deregister("klp-logistics-order:42")
    finish(aws, deployment)
    ended = aws.deployment(deployment)
    assert (ended.status, ended.error_code) == ("Failed", "ECS_UPDATE_ERROR")
    assert "inactive" in (ended.error_message or "")


def test_an_alarm_that_rings_stops_what_does_not_override_it(
    aws: AwsStandIn, codedeploy: "CodeDeployClient", hook: Lambda
) -> None:
    aws.set_alarm("order", "ALARM")
    stopped = aws.deploy("order")
    finish(aws, stopped)
    assert (aws.deployment(stopped).status, aws.deployment(stopped).error_code) == ("Stopped", "ALARM_ACTIVE")

    revision: Any = codedeploy.get_deployment(deploymentId=stopped)["deploymentInfo"]["revision"]
    past_it = create(codedeploy, revision=revision, overrideAlarmConfiguration={"enabled": False})
    approve(aws, codedeploy, hook, past_it)
    aws.set_alarm("order", "ALARM")
    finish(aws, past_it)
    assert aws.deployment(past_it).status == "Succeeded"


def test_alarms_of_its_own_need_a_permission_of_their_own(
    aws: AwsStandIn, codedeploy: "CodeDeployClient"
) -> None:
    aws.faults.add("UpdateDeploymentGroup", "access_denied", times=None)
    content = aws.appspec("klp-logistics-order:42")
    revision: Any = {"revisionType": "AppSpecContent", "appSpecContent": {"content": content}}
    with pytest.raises(ClientError) as refused:
        create(codedeploy, revision=revision, overrideAlarmConfiguration={"enabled": False})
    assert code(refused) == "AccessDeniedException"
    create(codedeploy, revision=revision)


def test_a_deployment_keeps_the_settings_that_it_was_created_with(
    aws: AwsStandIn, codedeploy: "CodeDeployClient"
) -> None:
    deployment = aws.deploy("order", autoRollbackConfiguration={"enabled": False})
    aws.change_group("order", termination_wait_minutes=90)
    info = codedeploy.get_deployment(deploymentId=deployment)["deploymentInfo"]
    assert info["autoRollbackConfiguration"]["enabled"] is False
    ending = info["blueGreenDeploymentConfiguration"]["terminateBlueInstancesOnDeploymentSuccess"]
    assert ending["terminationWaitTimeInMinutes"] == 5
