"""CodeDeploy's protocol: errors as modelled, and nothing else accepted."""

import contextlib
import json
import urllib.error
import urllib.request
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from botocore.exceptions import ClientError

from app.sandbox.aws.stand_in import AwsStandIn
from app.sandbox.aws.state.topology import EIGHT_DOMAINS, REGION
from tests.sandbox.aws.helpers import Lambda, answer, reach_gate

if TYPE_CHECKING:
    from types_boto3_codedeploy.client import CodeDeployClient

ORDER = EIGHT_DOMAINS[2]
SIGNED = f"AWS4-HMAC-SHA256 Credential=AKIATEST/20261124/{REGION}/codedeploy/aws4_request, Signature=0"
JSON = "application/x-amz-json-1.1"


def post(url: str, body: bytes, headers: dict[str, str]) -> tuple[int, dict[str, Any]]:
    request = urllib.request.Request(url, data=body, headers=headers, method="POST")
    try:
        with urllib.request.urlopen(request, timeout=5) as response:
            return response.status, json.load(response)
    except urllib.error.HTTPError as error:
        with error:
            return error.code, json.load(error)


def test_an_answer_is_checked_before_it_is_taken(
    aws: AwsStandIn, codedeploy: "CodeDeployClient", hook: Lambda
) -> None:
    deployment_id, other = aws.deploy("order"), aws.deploy("user")
    execution_id = reach_gate(aws, hook, deployment_id)
    reach_gate(aws, hook, other)
    errors = codedeploy.exceptions
    with pytest.raises(errors.InvalidLifecycleEventHookExecutionStatusException):
        answer(codedeploy, deployment_id, execution_id, "Skipped")
    with pytest.raises(errors.InvalidLifecycleEventHookExecutionIdException):
        answer(codedeploy, deployment_id, "made up", "Succeeded")
    with pytest.raises(errors.InvalidLifecycleEventHookExecutionIdException):
        answer(codedeploy, other, execution_id, "Succeeded")
    with pytest.raises(errors.DeploymentDoesNotExistException):
        answer(codedeploy, "d-000000000", execution_id, "Succeeded")
    with pytest.raises(errors.InvalidDeploymentIdException):
        answer(codedeploy, "order", execution_id, "Succeeded")
    with pytest.raises(errors.DeploymentIdRequiredException):
        codedeploy.put_lifecycle_event_hook_execution_status(status="Succeeded")
    assert aws.answers(deployment_id) == aws.answers(other) == []


def test_reads_and_stops_are_refused_in_codedeploys_words(
    aws: AwsStandIn, codedeploy: "CodeDeployClient"
) -> None:
    errors = codedeploy.exceptions
    deployment_id = aws.deploy("order")
    with pytest.raises(errors.DeploymentNotStartedException):
        codedeploy.list_deployment_targets(deploymentId=deployment_id)
    with pytest.raises(errors.DeploymentTargetDoesNotExistException):
        codedeploy.get_deployment_target(deploymentId=deployment_id, targetId="other:service")
    with pytest.raises(errors.DeploymentIsNotInReadyStateException):
        codedeploy.continue_deployment(deploymentId=deployment_id)
    with pytest.raises(errors.ApplicationDoesNotExistException):
        codedeploy.get_deployment_group(applicationName="ghost", deploymentGroupName="g")
    with pytest.raises(errors.DeploymentGroupDoesNotExistException):
        codedeploy.get_deployment_group(
            applicationName="klp-logistics-order-app", deploymentGroupName="klp-logistics-user-dg"
        )
    with pytest.raises(errors.InvalidRevisionException):
        codedeploy.create_deployment(
            applicationName="klp-logistics-user-app",
            deploymentGroupName="klp-logistics-user-dg",
            revision={"revisionType": "String", "string": {"content": "{}"}},
        )
    with pytest.raises(ClientError, match="does not play"):
        codedeploy.list_on_premises_instances()


def test_another_protocol_is_refused_loudly(aws: AwsStandIn) -> None:
    target = {"X-Amz-Target": "CodeDeploy_20141006.GetDeployment", "Authorization": SIGNED}
    for content_type in ("application/cbor", "application/x-amz-json-1.0", "application/json"):
        status, error = post(aws.url, b"{}", {**target, "Content-Type": content_type})
        assert (status, error["__type"]) == (400, "SerializationException")
        assert content_type in error["message"]
        assert JSON in error["message"]
    status, error = post(aws.url, b"[]", {**target, "Content-Type": JSON})
    assert (status, error["__type"]) == (400, "SerializationException")
    assert {call.outcome for call in aws.calls()} == {"SerializationException"}


def test_an_unsigned_request_and_another_region_are_refused(aws: AwsStandIn) -> None:
    headers = {"X-Amz-Target": "CodeDeploy_20141006.GetDeployment", "Content-Type": JSON}
    assert post(aws.url, b"{}", headers)[1]["__type"] == "MissingAuthenticationTokenException"
    elsewhere = {**headers, "Authorization": SIGNED.replace(REGION, "eu-west-1")}
    assert post(aws.url, b"{}", elsewhere)[1]["__type"] == "InvalidSignatureException"
    here = {**headers, "Authorization": SIGNED}
    assert post(aws.url, b"{}", here)[1]["__type"] == "DeploymentIdRequiredException"


def test_calls_are_remembered_without_the_execution_id(
    aws: AwsStandIn, codedeploy: "CodeDeployClient", hook: Lambda
) -> None:
    deployment_id = aws.deploy("order")
    execution_id = reach_gate(aws, hook, deployment_id)
    answer(codedeploy, deployment_id, execution_id, "Succeeded")
    [put] = aws.calls("PutLifecycleEventHookExecutionStatus")
    assert (put.params["status"], put.outcome, put.when) == ("Succeeded", "ok", aws.clock.now())
    assert put.params["lifecycleEventHookExecutionId"].startswith("sha256:")
    visible = [aws.calls(), aws.deployments(), aws.hook_calls(), aws.answers(deployment_id)]
    assert execution_id not in repr(visible)


def test_boto3_finds_the_stand_in_by_its_environment(
    aws: AwsStandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in aws.environment().items():
        monkeypatch.setenv(name, value)
    deployment_id = aws.deploy("order")
    session = boto3.Session()
    with contextlib.closing(session.client("codedeploy")) as codedeploy:
        assert codedeploy.get_deployment(deploymentId=deployment_id)["deploymentInfo"]["creator"] == "user"
    for name in ("ecs", "elbv2", "cloudwatch"):
        with contextlib.closing(session.client(name)) as client:
            assert client.meta.endpoint_url == aws.url
