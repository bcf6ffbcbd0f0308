"""A default that is written out is no change: pipelines write every field, the console leaves them out."""

import re
from collections.abc import Iterator
from typing import Any, Final

import pytest
from botocore.model import ListShape, Shape, StructureShape

from app.aws.task_definitions import reading_of
from app.gate.evidence.revision_diff import diff
from tests.cases.aws.task_definition_shape import TASK_DEFINITION
from tests.harness import Harness

BARE: Final = {"name": "app", "image": "shop@sha256:" + "ab" * 32}
FARGATE: Final = {"requiresCompatibilities": ["FARGATE"], "networkMode": "awsvpc"}


def definition(number: int, container: dict[str, Any], **more: Any) -> dict[str, Any]:
    arn = f"arn:aws:ecs:ap-northeast-2:123456789012:task-definition/order:{number}"
    return {
        "taskDefinition": {
            "taskDefinitionArn": arn,
            "family": "order",
            "revision": number,
            "containerDefinitions": [BARE | container],
            **more,
        }
    }


def changes_between(blue: dict[str, Any], green: dict[str, Any]) -> list[str]:
    return [change.name for change in diff(reading_of(blue), reading_of(green))]


IN_A_CONTAINER: Final[list[tuple[dict[str, Any], dict[str, Any]]]] = [
    ({}, {"essential": True, "cpu": 0, "versionConsistency": "enabled"}),
    (
        {},
        {"readonlyRootFilesystem": False, "privileged": False, "interactive": False, "pseudoTerminal": False},
    ),
    ({}, {"disableNetworking": False, "restartPolicy": {"enabled": False, "restartAttemptPeriod": 60}}),
    ({}, {"dockerLabels": {}, "linuxParameters": {"capabilities": {"add": [], "drop": []}}, "user": ""}),
    (
        {},
        {
            name: []
            for name in ("links", "mountPoints", "volumesFrom", "dnsServers", "ulimits", "environment")
        },
    ),
    (
        {"portMappings": [{"containerPort": 8080}]},
        {"portMappings": [{"containerPort": 8080, "hostPort": 0, "protocol": "tcp"}]},
    ),
    (
        {"healthCheck": {"command": ["CMD", "true"]}},
        {
            "healthCheck": {
                "command": ["CMD", "true"],
                "interval": 30,
                "timeout": 5,
                "retries": 3,
                "startPeriod": 0,
            }
        },
    ),
    (
        {"mountPoints": [{"sourceVolume": "v", "containerPath": "/v"}]},
        {"mountPoints": [{"sourceVolume": "v", "containerPath": "/v", "readOnly": False}]},
    ),
    ({"restartPolicy": {"enabled": True}}, {"restartPolicy": {"enabled": True, "restartAttemptPeriod": 300}}),
    ({"linuxParameters": {"maxSwap": 64}}, {"linuxParameters": {"maxSwap": 64, "swappiness": 60}}),
    (
        {"linuxParameters": {"devices": [{"hostPath": "/dev/a"}]}},
        {"linuxParameters": {"devices": [{"hostPath": "/dev/a", "permissions": ["write", "read", "mknod"]}]}},
    ),
    (
        {"logConfiguration": {"logDriver": "awslogs", "options": {"awslogs-group": "g"}}},
        {
            "logConfiguration": {
                "logDriver": "awslogs",
                "options": {"awslogs-group": "g", "awslogs-create-group": "false"},
            }
        },
    ),
    ({"image": "nginx"}, {"image": "nginx:latest"}),
    ({"image": "acme/shop:7"}, {"image": "docker.io/acme/shop:7"}),
    ({"ulimits": [{"name": "core"}, {"name": "cpu"}]}, {"ulimits": [{"name": "cpu"}, {"name": "core"}]}),
]
IN_A_DEFINITION: Final[list[tuple[dict[str, Any], dict[str, Any]]]] = [
    (
        {},
        {
            "enableFaultInjection": False,
            "volumes": [],
            "placementConstraints": [],
            "inferenceAccelerators": [],
        },
    ),
    ({}, {"networkMode": "bridge", "trustedExecutionConfiguration": {"isolationMode": "SHARED"}}),
    (FARGATE, FARGATE | {"runtimePlatform": {"cpuArchitecture": "X86_64", "operatingSystemFamily": "LINUX"}}),
    (
        {"volumes": [{"name": "v", "efsVolumeConfiguration": {"fileSystemId": "fs-1"}}]},
        {
            "volumes": [
                {
                    "name": "v",
                    "host": {},
                    "configuredAtLaunch": False,
                    "efsVolumeConfiguration": {
                        "fileSystemId": "fs-1",
                        "rootDirectory": "/",
                        "transitEncryption": "DISABLED",
                        "authorizationConfig": {"iam": "DISABLED"},
                    },
                }
            ]
        },
    ),
]


@pytest.mark.parametrize(("without", "written"), IN_A_CONTAINER, ids=range(len(IN_A_CONTAINER)))
def test_a_default_of_a_container_is_no_change(without: dict[str, Any], written: dict[str, Any]) -> None:
    assert changes_between(definition(41, without), definition(42, written)) == []
    assert changes_between(definition(41, written), definition(42, without)) == []


@pytest.mark.parametrize(("without", "written"), IN_A_DEFINITION, ids=range(len(IN_A_DEFINITION)))
def test_a_default_of_a_definition_is_no_change(without: dict[str, Any], written: dict[str, Any]) -> None:
    assert changes_between(definition(41, {}, **without), definition(42, {}, **written)) == []


@pytest.mark.parametrize("mode", ["awsvpc", "host"])
def test_a_host_port_that_follows_the_containers_is_no_change(mode: str) -> None:
    without = {"portMappings": [{"containerPort": 8080}]}
    written = {"portMappings": [{"containerPort": 8080, "hostPort": 8080}]}
    assert (
        changes_between(definition(41, without, networkMode=mode), definition(42, written, networkMode=mode))
        == []
    )
    assert changes_between(definition(41, without), definition(42, written)) == ["ports"], (
        "on a bridge it is reserved"
    )


def test_fargates_own_defaults_are_defaults_there_alone() -> None:
    assert (
        changes_between(definition(41, {}, **FARGATE), definition(42, {"stopTimeout": 30}, **FARGATE)) == []
    )
    assert changes_between(definition(41, {}), definition(42, {"stopTimeout": 30})) == ["stopTimeout"]


NO_DEFAULTS: Final = {"essential", "enabled"}
"""`essential` is true by default; a restart policy's `enabled` has to be given."""


def truth_values(shape: Shape, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """The path to every boolean of a shape."""
    if isinstance(shape, StructureShape):
        for name, member in shape.members.items():
            yield from truth_values(member, (*path, name))
    elif isinstance(shape, ListShape):
        yield from truth_values(shape.member, (*path, "[]"))
    elif shape.type_name == "boolean" and path[-1] not in NO_DEFAULTS:
        yield path


def nested(path: tuple[str, ...], value: bool | None) -> Any:
    """The value at its path; beside it, in every structure, something that says that the structure is there."""
    if not path:
        return value
    name, rest = path[0], path[1:]
    if name == "[]":
        return [nested(rest, value)]
    inner = nested(rest, value)
    return {"name": "x"} if inner is None and not rest else {"name": "x", name: inner}


@pytest.mark.parametrize("path", sorted(truth_values(TASK_DEFINITION)), ids=".".join)
def test_every_truth_value_that_ecs_knows_is_false_where_it_is_left_out(path: tuple[str, ...]) -> None:
    blue, green, other = (
        {
            "taskDefinition": {
                "taskDefinitionArn": "order:1",
                "containerDefinitions": [BARE],
                **nested(path, value),
            }
        }
        for value in (None, False, True)
    )
    assert changes_between(blue, green) == []
    assert changes_between(blue, other) != []


DOCUMENTED: Final = {
    "the default value is",
    "by default, the value is",
    "the default is tcp",
    "default value of",
}
KNOWN: Final = {
    "protocol": {"portMappings": [{"protocol": "tcp"}]},
    "readOnly": {"mountPoints": [{"readOnly": False}]},
    "versionConsistency": {"versionConsistency": "enabled"},
    "interval": {"healthCheck": {"interval": 30}},
    "timeout": {"healthCheck": {"timeout": 5}},
    "retries": {"healthCheck": {"retries": 3}},
    "swappiness": {"linuxParameters": {"swappiness": 60}},
}
TRIED_ELSEWHERE: Final = {"stopTimeout", "transitEncryption", "iam", "enableFaultInjection"}


def documented_defaults(shape: Shape) -> Iterator[str]:
    if isinstance(shape, ListShape):
        yield from documented_defaults(shape.member)
    if not isinstance(shape, StructureShape):
        return
    for name, member in shape.members.items():
        said = re.sub("<[^>]+>", "", member.documentation).lower()
        if any(words in said for words in DOCUMENTED):
            yield name
        yield from documented_defaults(member)


def test_every_default_that_botocores_model_documents_is_known() -> None:
    """A new botocore that documents another one fails here: look at it, and add it."""
    assert set(documented_defaults(TASK_DEFINITION)) - {"ulimits"} == KNOWN.keys() | TRIED_ELSEWHERE


@pytest.mark.parametrize("written", KNOWN.values(), ids=KNOWN)
def test_a_documented_default_is_no_change(written: dict[str, Any]) -> None:
    def without(value: Any) -> Any:
        if isinstance(value, list):
            return [without(item) for item in value]
        return {} if isinstance(value, dict) else value

    bare = {name: without(value) for name, value in written.items() if isinstance(value, (dict, list))}
    assert changes_between(definition(41, bare), definition(42, written)) == []


async def test_the_card_says_that_nothing_changes(harness: Harness) -> None:
    harness.aws.register_revision("order", "1.41.0", definition={}, container={"interactive": False})
    harness.aws.register_revision(
        "order",
        "1.41.0",
        definition={"enableFaultInjection": False, "pidMode": None},
        container={"readonlyRootFilesystem": False, "privileged": False, "interactive": False},
    )
    deployment, _ = await harness.open_gate("order")
    await harness.until(lambda: "No changes" in harness.card_text(deployment))
    assert "`klp-logistics-order:41` and `klp-logistics-order:44` are identical" in harness.card_text(
        deployment
    )
