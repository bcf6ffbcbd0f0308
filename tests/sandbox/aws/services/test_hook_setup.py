"""The stand-in's Lambda, IAM, STS and EventBridge, by unchanged boto3: what `switchgate doctor` reads."""

import contextlib
import json
from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError

from app.sandbox.aws.services.sts import CALLER
from app.sandbox.aws.stand_in import AwsStandIn
from app.sandbox.aws.state.hook_function import FUNCTION
from app.sandbox.aws.state.roles import CODEDEPLOY_ROLE, HOOK_ROLE, role_arn
from app.sandbox.aws.state.topology import ACCOUNT, arn
from tests.sandbox.aws.helpers import session

SERVICES = ("sts", "iam", "lambda", "events")
OPERATIONS = {
    "sts": ("GetCallerIdentity", {}),
    "iam": ("GetRole", {"RoleName": HOOK_ROLE}),
    "lambda": ("GetFunctionConfiguration", {"FunctionName": FUNCTION}),
    "events": ("DescribeRule", {"Name": "klp-logistics-switchgate"}),
}


@pytest.fixture
def clients_of(aws: AwsStandIn) -> Iterator[dict[str, Any]]:
    with contextlib.ExitStack() as stack:
        made: dict[str, Any] = {}
        for service in SERVICES:
            made[service] = session().client(service, endpoint_url=aws.url)
            stack.callback(made[service].close)
        yield made


def code_of(failed: pytest.ExceptionInfo[ClientError]) -> tuple[str, int]:
    response = failed.value.response
    return response["Error"]["Code"], response["ResponseMetadata"]["HTTPStatusCode"]


def test_the_caller_is_a_task_with_the_services_role(clients_of: dict[str, Any]) -> None:
    found = clients_of["sts"].get_caller_identity()
    assert (found["Account"], found["Arn"]) == (ACCOUNT, CALLER)


def test_a_function_is_found_by_name_and_by_arn_with_its_environment(
    aws: AwsStandIn, clients_of: dict[str, Any]
) -> None:
    aws.hook_setup.functions[FUNCTION].environment = lambda: {"SWITCHGATE_URL": "https://switchgate.internal"}
    by_name = clients_of["lambda"].get_function_configuration(FunctionName=FUNCTION)
    by_arn = clients_of["lambda"].get_function_configuration(FunctionName=by_name["FunctionArn"])
    assert by_name["FunctionArn"] == by_arn["FunctionArn"] == arn("lambda", f"function:{FUNCTION}")
    assert by_name["Timeout"] == 60
    assert by_name["Role"] == role_arn(HOOK_ROLE)
    assert by_name["Environment"]["Variables"] == {"SWITCHGATE_URL": "https://switchgate.internal"}
    with pytest.raises(ClientError) as failed:
        clients_of["lambda"].get_function_configuration(FunctionName="ghost")
    assert code_of(failed) == ("ResourceNotFoundException", 404)


def test_a_simulation_says_what_a_role_may_do_with_which_resource(
    aws: AwsStandIn, clients_of: dict[str, Any]
) -> None:
    good, bad = arn("lambda", f"function:{FUNCTION}"), arn("lambda", "function:approval-request")
    found = clients_of["iam"].simulate_principal_policy(
        PolicySourceArn=role_arn(CODEDEPLOY_ROLE),
        ActionNames=["lambda:InvokeFunction"],
        ResourceArns=[good, bad],
        ContextEntries=[
            {
                "ContextKeyName": "aws:RequestedRegion",
                "ContextKeyValues": ["ap-northeast-2"],
                "ContextKeyType": "string",
            }
        ],
    )
    results = {one["EvalResourceName"]: one["EvalDecision"] for one in found["EvaluationResults"]}
    assert results == {good: "allowed", bad: "implicitDeny"}
    assert not found["IsTruncated"]
    [call] = aws.calls("SimulatePrincipalPolicy")
    assert call.params["ContextEntries"][0]["ContextKeyValues"] == ["ap-northeast-2"]
    with pytest.raises(ClientError) as failed:
        clients_of["iam"].simulate_principal_policy(
            PolicySourceArn=role_arn("ghost"), ActionNames=["s3:GetObject"]
        )
    assert code_of(failed) == ("NoSuchEntity", 404)
    with pytest.raises(ClientError) as failed:
        clients_of["iam"].get_role(RoleName="ghost")
    assert code_of(failed) == ("NoSuchEntity", 404)


def test_rules_are_found_by_their_target(clients_of: dict[str, Any]) -> None:
    target = arn("lambda", f"function:{FUNCTION}")
    [name] = clients_of["events"].list_rule_names_by_target(TargetArn=target)["RuleNames"]
    rule = clients_of["events"].describe_rule(Name=name)
    assert rule["State"] == "ENABLED"
    assert json.loads(rule["EventPattern"])["source"] == ["aws.codedeploy"]
    assert clients_of["events"].list_rule_names_by_target(TargetArn=target + "x")["RuleNames"] == []
    with pytest.raises(ClientError) as failed:
        clients_of["events"].describe_rule(Name="ghost")
    assert code_of(failed)[0] == "ResourceNotFoundException"


@pytest.mark.parametrize("service", OPERATIONS)
def test_what_is_not_allowed_is_refused_in_the_services_own_words(
    aws: AwsStandIn, clients_of: dict[str, Any], service: str
) -> None:
    operation, params = OPERATIONS[service]
    aws.faults.add(operation, "access_denied")
    method = clients_of[service].meta.method_to_api_mapping
    name = next(name for name, op in method.items() if op == operation)
    with pytest.raises(ClientError) as failed:
        getattr(clients_of[service], name)(**params)
    expected = {
        "sts": ("AccessDenied", 403),
        "iam": ("AccessDenied", 403),
        "events": ("AccessDeniedException", 400),
    }
    assert code_of(failed) == expected.get(service, ("AccessDeniedException", 403))
