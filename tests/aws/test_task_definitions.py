"""Reading task definitions: names are kept, values become digests, and digests reveal nothing."""

import hashlib
from typing import Any

import pytest

from app.aws.task_definitions import reading_of
from app.gate.evidence.revision import FieldPath
from app.gate.evidence.revision_diff import diff

SECRET = "hunter2-in-plain-text"


def answer(revision: int = 41, tags: dict[str, str] | None = None, **container: Any) -> dict[str, Any]:
    """DescribeTaskDefinition's answer with one container."""
    one: dict[str, Any] = {"name": "web", "image": "shop:1", "environment": [], "secrets": [], **container}
    return {
        "taskDefinition": {
            "taskDefinitionArn": f"arn:aws:ecs:eu-west-1:123456789012:task-definition/shop:{revision}",
            "family": "shop",
            "revision": revision,
            "cpu": "256",
            "memory": "512",
            "taskRoleArn": "arn:aws:iam::123456789012:role/shop-task",
            "registeredBy": "arn:aws:sts::123456789012:assumed-role/ci/run-991",
            "requiresAttributes": [{"name": f"anything-{revision}"}],
            "containerDefinitions": [one],
        },
        "tags": [{"key": key, "value": value} for key, value in (tags or {}).items()],
    }


def variables(**values: str) -> list[dict[str, str]]:
    return [{"name": name, "value": value} for name, value in values.items()]


def told(blue: dict[str, Any], green: dict[str, Any]) -> list[tuple[str, str]]:
    return [(change.part.value, change.name) for change in diff(reading_of(blue), reading_of(green))]


def test_no_secret_value_is_kept_in_a_reading() -> None:
    reading = reading_of(
        answer(
            environment=variables(DB_PASSWORD=SECRET),
            secrets=[{"name": "DB_URL", "valueFrom": f"arn:aws:ssm:::parameter/{SECRET}"}],
            command=["run", f"--password={SECRET}"],
            dockerLabels={"token": SECRET},
            logConfiguration={"logDriver": "splunk", "options": {"splunk-token": SECRET}},
        )
    )
    kept = f"{reading!r} {reading.revision!r} {dict(reading.digests)!r}"
    assert SECRET not in kept
    assert SECRET.encode().hex() not in kept
    [container] = reading.revision.containers
    assert (container.variables, container.secrets) == (("DB_PASSWORD",), ("DB_URL",))


def test_digests_are_keyed_so_that_guessing_a_value_finds_nothing() -> None:
    [mark] = [
        mark
        for spot, mark in reading_of(answer(environment=variables(PIN="1234"))).digests.items()
        if spot == FieldPath("web", "variable", "PIN")
    ]
    assert mark not in {hashlib.sha256(guess).digest() for guess in (b"1234", b'"1234"')}


def test_a_changed_value_is_told_by_its_name() -> None:
    before = answer(41, environment=variables(DB_PASSWORD=SECRET, LOG_LEVEL="info"))
    after = answer(42, environment=variables(DB_PASSWORD="another", LOG_LEVEL="info"))
    assert told(before, after) == [("variable", "DB_PASSWORD")]


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ({"environment": variables(A="1", B="2")}, {"environment": variables(B="2", A="1")}),
        ({"command": None}, {"command": []}),
        ({"portMappings": []}, {}),
        ({"ulimits": []}, {"ulimits": None}),
    ],
    ids=["order of variables", "no command", "no ports", "empty and absent"],
)
def test_what_says_the_same_is_no_change(before: dict[str, Any], after: dict[str, Any]) -> None:
    assert told(answer(41, **before), answer(42, **after)) == []


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        ({"healthCheck": {"command": ["CMD", "true"]}}, [("other", "healthCheck")]),
        ({"logConfiguration": {"logDriver": "splunk"}}, [("other", "logConfiguration")]),
        ({"portMappings": [{"containerPort": 8080, "protocol": "tcp"}]}, [("ports", "ports")]),
        ({"entryPoint": ["/init"]}, [("command", "entryPoint")]),
        ({"command": ["run"]}, [("command", "command")]),
        ({"essential": False}, [("other", "essential")]),
        ({"dockerLabels": {"team": ""}}, [("other", "dockerLabels")]),
        ({"linuxParameters": {"maxSwap": 0}}, [("other", "linuxParameters")]),
    ],
    ids=["health check", "log driver", "port", "entry point", "command", "essential", "a label", "no swap"],
)
def test_nothing_that_changes_goes_unsaid(more: dict[str, Any], expected: list[tuple[str, str]]) -> None:
    assert told(answer(41), answer(42, **more)) == expected


def test_a_port_whose_details_change_is_a_difference_although_it_looks_the_same() -> None:
    before = answer(41, portMappings=[{"containerPort": 8080, "protocol": "tcp"}])
    after = answer(42, portMappings=[{"containerPort": 8080, "protocol": "tcp", "appProtocol": "grpc"}])
    [change] = diff(reading_of(before), reading_of(after))
    assert (change.part, change.before, change.after) == ("ports", None, None)


def test_only_the_tags_that_tell_a_commit_are_kept() -> None:
    tags = {"git-sha": "4f2a1c9", "git-repo": "klp/shop", "cost-centre": "17", "owner": "mina@example.com"}
    assert dict(reading_of(answer(tags=tags)).revision.tags) == {"git-sha": "4f2a1c9", "git-repo": "klp/shop"}
