"""What an AppSpec deploys, JSON or YAML, and how a revision is named while that is not known."""

import json
import time
from typing import Any

import pytest

from app.aws.appspec import (
    is_pinned,
    location_name,
    short_name,
    task_definition_in,
    with_task_definition,
    without_content,
)
from app.aws.appspec_nodes import hook_functions

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
HASH = YAML.replace("TaskDefinition: %s", 'Note: "a # b"\n        TaskDefinition: %s')
FORMS = {
    "JSON": JSON,
    "JSON with tabs": JSON.replace("{", "{\n\t"),
    "YAML": YAML,
    "CRLF": YAML.replace("\n", "\r\n"),
    "quoted": YAML.replace("%s", '"%s"'),
    "single quotes": YAML.replace("%s", "'%s'"),
    "with a comment": YAML.replace("%s", "%s  # 주문 🚀"),
    "on the next line": YAML.replace("%s", "\n          %s"),
    "anchored": YAML.replace("%s", "&td %s") + "Note: *td\n",
    "tagged": YAML.replace("%s", "!!str '%s'"),
    "after a quoted hash": HASH,
    "after a hash in one line": FLOW.replace("{TaskDefinition", '{Note: "a # b", TaskDefinition'),
    "flow": FLOW,
    "lower": LOWER,
}
BLOCKS = {"folded": ">-", "literal": "|", "literal, kept": "|+", "with a comment": ">-  # order"}
UNREAD = {
    "nothing": "",
    "a placeholder": YAML % "<TASK_DEFINITION>",
    "no end": "[1, 2",
    "an empty map": "{}",
    "null": "null",
    "an unknown alias": YAML % "*anchor",
    "a list": YAML % "[shop:42]",
    "another place": "TaskDefinition: shop:42",
    "a comment": YAML.replace("TaskDefinition: %s", "# TaskDefinition: shop:42"),
    "two of them": (YAML % "shop:41").replace("LoadBalancerInfo:", "TaskDefinition: shop:42\n        Info:"),
    "two documents": YAML % "shop:41" + "---" + YAML % "shop:42",
    "a control character": YAML % "shop:42\0",
    "half a character": "\ud800",
}
BOMBS = {
    "too long": YAML % "shop:42" + "#" * 65_536,
    "deep": "[" * 60_000,
    "deep JSON": '{"a":' * 13_000,
    "a circle": "a: &a [*a]\nResources: *a",
    "many aliases": f"a: &a {{{', '.join(f'k{n}: {{Properties: {{TaskDefinition: o:{n}}}}}' for n in range(600))}}}\n"
    f"Resources: [{'*a,' * 10_000}]",
    "laughs": "a0: &a0 [x]\n"
    + "".join(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]\n" for n in range(1, 30))
    + "Resources: *a29\n",
    "merges": "a0: &a0 {k: v}\n"
    + "".join(f"a{n}: &a{n} {{<<: [{', '.join([f'*a{n - 1}'] * 9)}]}}\n" for n in range(1, 30))
    + "Resources: [*a29]\n",
}


@pytest.mark.parametrize("name", [ARN, CHINA, "shop:42", "shop"])
@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
def test_an_appspec_names_what_it_deploys(form: str, name: str) -> None:
    assert task_definition_in(form % name) == name
    assert short_name(name) in {"shop:42", "shop"}
    assert is_pinned(name) == name.endswith(":42")


@pytest.mark.parametrize("name", [ARN, "shop:42", "shop"])
@pytest.mark.parametrize("header", BLOCKS.values(), ids=BLOCKS)
def test_a_block_scalar_is_read_and_replaced_as_a_whole(header: str, name: str) -> None:
    content = YAML % f"{header}\n          {name}"
    assert task_definition_in(content) == name
    assert with_task_definition(content, CHINA) == YAML % CHINA


def test_an_alias_is_read_and_replaced_in_place() -> None:
    content = "x-order: &td shop:41\n" + YAML % "*td"
    assert task_definition_in(content) == "shop:41"
    assert with_task_definition(content, ARN) == "x-order: &td shop:41\n" + YAML % ARN


def test_a_byte_order_mark_is_left_out() -> None:
    for form in (JSON, YAML):
        assert task_definition_in("\ufeff" + form % ARN) == ARN


@pytest.mark.parametrize("content", UNREAD.values(), ids=UNREAD)
def test_an_appspec_that_names_none_is_reported(content: str) -> None:
    assert task_definition_in(content) is None


@pytest.mark.parametrize("content", BOMBS.values(), ids=BOMBS)
def test_what_would_take_long_to_read_is_not_read(content: str) -> None:
    started = time.process_time()
    assert task_definition_in(content) is None
    assert time.process_time() - started < 1


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
def test_another_task_definition_changes_nothing_else(form: str) -> None:
    changed = with_task_definition(form % "shop", ARN)
    assert changed is not None
    if form.startswith("{") and form is not FORMS["flow"] and "Note" not in form:
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


@pytest.mark.parametrize(
    ("content", "functions"),
    [
        (
            '{"version": 0.0, "Hooks": [{"BeforeAllowTraffic": "CodeDeployHook_a"}]}',
            {"BeforeAllowTraffic": "CodeDeployHook_a"},
        ),
        (
            "version: 0.0\nHooks:\n  - BeforeAllowTraffic: arn:aws:lambda:ap-northeast-2:123456789012:function:a\n"
            "  - AfterAllowTraffic: b\n",
            {
                "BeforeAllowTraffic": "arn:aws:lambda:ap-northeast-2:123456789012:function:a",
                "AfterAllowTraffic": "b",
            },
        ),
        ("version: 0.0\nhooks: []\n", {}),
        ("version: 0.0\n", {}),
        ("Hooks: [", None),
        ("", None),
    ],
)
def test_the_hooks_functions_are_read_by_lifecycle_event(
    content: str, functions: dict[str, str] | None
) -> None:
    assert hook_functions(content) == functions
