"""Removes ECS's documented defaults, so that a written-out default and an absent value compare equal.

The defaults are documented in botocore's model of ECS (`TaskDefinition`) and in the ECS developer guide.
"""

import json
from collections.abc import Mapping
from typing import Any, Final

AWSVPC_OR_HOST: Final = frozenset({"awsvpc", "host"})
"""Network modes in which a host port can only be the container's port."""

# A nested table holds for every item where the value is a list.
_LOG_OPTIONS: Final = {"awslogs-create-group": "false"}
_HEALTH_CHECK: Final = {"interval": 30, "timeout": 5, "retries": 3, "startPeriod": 0}
_CONTAINER: Final[Mapping[str, Any]] = {
    "cpu": 0,
    "essential": True,
    "versionConsistency": "enabled",
    "portMappings": {"protocol": "tcp", "hostPort": 0},
    "restartPolicy": {"restartAttemptPeriod": 300},
    "healthCheck": _HEALTH_CHECK,
    "linuxParameters": {"swappiness": 60, "devices": {"permissions": ["mknod", "read", "write"]}},
    "logConfiguration": {"options": _LOG_OPTIONS},
    "firelensConfiguration": {"options": {"enable-ecs-log-metadata": "true"}},
    "resourceRequirements": {"sharingStrategy": {"nvidiaMps": {"maxComputePercent": 100}}},
}
_CONTAINER_ON_FARGATE: Final[Mapping[str, Any]] = {**_CONTAINER, "stopTimeout": 30}
_EFS: Final = {
    "rootDirectory": "/",
    "transitEncryption": "DISABLED",
    "authorizationConfig": {"iam": "DISABLED"},
}
_DEFINITION: Final[Mapping[str, Any]] = {
    "networkMode": "bridge",
    "proxyConfiguration": {"type": "APPMESH"},
    "trustedExecutionConfiguration": {"isolationMode": "SHARED"},
    "volumes": {"efsVolumeConfiguration": _EFS, "s3filesVolumeConfiguration": {"rootDirectory": "/"}},
}
_DEFINITION_ON_FARGATE: Final[Mapping[str, Any]] = {
    **_DEFINITION,
    "runtimePlatform": {"cpuArchitecture": "X86_64", "operatingSystemFamily": "LINUX"},
}

# Keys of these maps are the user's own, so an empty value still says something.
_MAPS: Final = frozenset({"dockerLabels", "options", "driverOpts", "labels"})
_EMPTY: Final[tuple[object, ...]] = (None, [], {}, "")
_UNORDERED: Final = frozenset(
    {"add", "drop", "ignoredExitCodes", "links", "mountOptions", "permissions", "requiresCompatibilities"}
)


def without_defaults(definition: Mapping[str, Any]) -> dict[str, Any]:
    """A task definition without what ECS would assume anyway, and with lists in one order where order means nothing."""
    fargate = "FARGATE" in (definition.get("requiresCompatibilities") or ())
    host_port_follows = definition.get("networkMode") in AWSVPC_OR_HOST
    plain = _fields(definition, _DEFINITION_ON_FARGATE if fargate else _DEFINITION)
    plain["containerDefinitions"] = [
        _container(one, _CONTAINER_ON_FARGATE if fargate else _CONTAINER, host_port_follows=host_port_follows)
        for one in definition.get("containerDefinitions") or []
    ]
    return plain


def _container(
    one: Mapping[str, Any], defaults: Mapping[str, Any], *, host_port_follows: bool
) -> dict[str, Any]:
    plain = _fields(one, defaults)
    if not (one.get("restartPolicy") or {}).get("enabled"):
        plain.pop("restartPolicy", None)
    for port in plain.get("portMappings", ()) if host_port_follows else ():
        if port.get("hostPort") == port.get("containerPort"):
            port.pop("hostPort", None)
    return plain


def _fields(
    value: Mapping[str, Any], defaults: Mapping[str, Any], *, users_own: bool = False
) -> dict[str, Any]:
    """`users_own`: the keys are the user's, so that only a documented default is left out."""
    plain = {key: _plain(part, defaults.get(key), name=key) for key, part in value.items()}
    return {
        key: part
        for key, part in plain.items()
        if users_own or part not in _EMPTY
        if not _is_default(part, defaults.get(key, None if users_own else False))
    }


def _plain(value: Any, default: Any, *, name: str) -> Any:
    nested = default if isinstance(default, Mapping) else {}
    if isinstance(value, Mapping):
        return _fields(value, nested, users_own=name in _MAPS)
    if isinstance(value, list):
        items = [_plain(item, nested, name="") for item in value]
        any_order = name in _UNORDERED or any(isinstance(item, Mapping) for item in items)
        return sorted(items, key=canonical) if any_order else items
    return value


def _is_default(part: object, default: object) -> bool:
    return type(part) is type(default) and part == default  # 0 is not False


def canonical(value: object) -> str:
    """Equal for equal values, whatever the order of their keys."""
    return json.dumps(value, sort_keys=True, default=str)
