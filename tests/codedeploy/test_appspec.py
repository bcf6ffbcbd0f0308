"""What an AppSpec deploys, JSON or YAML, and how a revision is named while that is not known."""

import json
from typing import Any

import pytest

from app.codedeploy.appspec import (
    is_pinned,
    location_name,
    short_name,
    task_definition_in,
    with_task_definition,
    without_content,
)

ARN = "arn:aws:ecs:eu-west-1:123456789012:task-definition/shop:42"
CHINA = "arn:aws-cn:ecs:cn-north-1:123456789012:task-definition/shop:42"

JSON = '{"version": 0.0, "Resources": [{"TargetService": {"Properties": {"TaskDefinition": "%s"}}}]}'
YAML = """
version: 0.0
# TaskDefinition: shop:1
Resources:
  - TargetService:
      Properties:
        TaskDefinition: %s
        LoadBalancerInfo: {ContainerName: web}
"""
FLOW = "{version: 0.0, Resources: [{TargetService: {Properties: {TaskDefinition: %s}}}]}"
LOWER = YAML.replace("TaskDefinition: %s", "taskDefinition: %s")
FORMS = {"JSON": JSON, "YAML": YAML, "quoted": YAML.replace("%s", '"%s"'), "flow": FLOW, "lower": LOWER}


@pytest.mark.parametrize("name", [ARN, CHINA, "shop:42", "shop"])
@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
def test_an_appspec_names_what_it_deploys(form: str, name: str) -> None:
    assert task_definition_in(form % name) == name
    assert short_name(name) in {"shop:42", "shop"}
    assert is_pinned(name) == name.endswith(":42")


@pytest.mark.parametrize("content", ["", YAML % "<TASK_DEFINITION>", "[1, 2", "{}", "null", YAML % "*anchor"])
def test_an_appspec_that_names_none_is_said_to(content: str) -> None:
    assert task_definition_in(content) is None


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
def test_another_task_definition_changes_nothing_else(form: str) -> None:
    changed = with_task_definition(form % "shop", ARN)
    if form is JSON:
        assert json.loads(changed) == json.loads(form % ARN)
    else:
        assert changed == form % ARN


@pytest.mark.parametrize(
    ("revision", "name"),
    [
        (
            {"revisionType": "AppSpecContent", "appSpecContent": {"sha256": "52f20abb0a9e9656"}},
            "sha256:52f20abb0a9e",
        ),
        ({"revisionType": "String", "string": {"sha256": "52f20abb0a9e9656"}}, "sha256:52f20abb0a9e"),
        (
            {"revisionType": "S3", "s3Location": {"bucket": "b", "key": "order/41.yaml", "eTag": "e"}},
            "s3://b/order/41.yaml",
        ),
        ({"revisionType": "S3", "s3Location": {"bucket": "b", "key": "k", "version": "v1"}}, "s3://b/k@v1"),
        (
            {"revisionType": "GitHub", "gitHubLocation": {"repository": "o/r", "commitId": "4f2a1c99"}},
            "o/r@4f2a1c9",
        ),
    ],
)
def test_a_revision_is_named_by_what_is_known(revision: dict[str, Any], name: str) -> None:
    assert location_name(revision) == name


def test_what_is_deployed_again_is_named_by_its_digest_alone() -> None:
    shown = {"revisionType": "AppSpecContent", "appSpecContent": {"sha256": "52f2", "content": None}}
    assert without_content(shown) == {"revisionType": "AppSpecContent", "appSpecContent": {"sha256": "52f2"}}
    s3 = {"revisionType": "S3", "s3Location": {"bucket": "b", "key": "k", "eTag": "e"}}
    assert without_content(s3) == s3
