"""Converts ECS task definitions to what may be stored of them: only the values named here are kept.

Of everything else an HMAC with a key of this process is kept: it shows that a value changed, and nothing of the
value. Commands, entry points, labels and options hold secrets in too many forms to be shown in part.
"""

import hmac
import re
import secrets
from collections.abc import Iterator, Mapping
from typing import Any, Final

from app.aws.task_definition_defaults import canonical, without_defaults
from app.gate.evidence.deployment_title import TITLE_TAG
from app.gate.evidence.revision import Container, FieldPath, Image, Revision, RevisionReading

_KEY: Final = secrets.token_bytes(32)

TAGS: Final = ("git-sha", "git-repo", "github-run", "github-actor", TITLE_TAG)
"""The only tags that are read."""

# Of every revision its own, or a consequence of the rest.
_OWN: Final = frozenset(
    {
        "taskDefinitionArn",
        "revision",
        "status",
        "registeredAt",
        "registeredBy",
        "deregisteredAt",
        "deleteRequestedAt",
        "requiresAttributes",
        "compatibilities",
    }
)
_SHOWN: Final = frozenset({"family", "cpu", "memory", "taskRoleArn", "containerDefinitions"})
_SHOWN_OF_CONTAINER: Final = frozenset({"name", "image", "cpu", "memory"})
_HASHED_APART: Final = frozenset({"environment", "secrets", "command", "entryPoint", "portMappings"})
_PORTS: Final = re.compile(r"\d{1,5}(?:-\d{1,5})?")
_PROTOCOLS: Final = frozenset({"tcp", "udp"})


def reading_of(answer: Mapping[str, Any]) -> RevisionReading:
    """DescribeTaskDefinition's answer, its tags included."""
    definition = answer["taskDefinition"]
    containers = definition.get("containerDefinitions") or []
    plain = without_defaults(definition)
    return RevisionReading(
        revision=Revision(
            arn=str(definition["taskDefinitionArn"]),
            family=str(definition.get("family") or ""),
            number=int(definition.get("revision") or 0),
            cpu=str(definition.get("cpu") or ""),
            memory=str(definition.get("memory") or ""),
            task_role=str(definition.get("taskRoleArn") or ""),
            registered_at=definition.get("registeredAt"),
            registered_by=str(definition.get("registeredBy") or "").rpartition("/")[2],
            containers=tuple(_container(one) for one in containers),
            tags=tuple(_tags(answer.get("tags") or [])),
            active=str(definition.get("status") or "ACTIVE") == "ACTIVE",
        ),
        digests={**_other("", plain, _OWN | _SHOWN), **_digests(plain["containerDefinitions"])},
    )


def _container(one: Mapping[str, Any]) -> Container:
    return Container(
        name=str(one.get("name") or ""),
        image=Image.parse(str(one.get("image") or "")),
        cpu=str(one.get("cpu") or ""),
        memory=str(one.get("memory") or ""),
        ports=tuple(sorted(_port(port) for port in one.get("portMappings") or [])),
        variables=tuple(str(variable["name"]) for variable in one.get("environment") or []),
        secrets=tuple(str(secret["name"]) for secret in one.get("secrets") or []),
        unpinned_secrets=sum(not is_pinned_secret(source) for source in secret_sources(one)),
        environment_files=len(one.get("environmentFiles") or []) + _reads_log_router_file(one),
    )


def _reads_log_router_file(one: Mapping[str, Any]) -> bool:
    options = (one.get("firelensConfiguration") or {}).get("options") or {}
    return options.get("config-file-type") == "s3"


def _port(port: Mapping[str, Any]) -> str:
    number = str(port.get("containerPort") or port.get("containerPortRange") or "")
    protocol = str(port.get("protocol") or "tcp")
    shown = number if _PORTS.fullmatch(number) else "?"
    return f"{shown}/{protocol if protocol in _PROTOCOLS else '?'}"


def _tags(tags: list[Mapping[str, Any]]) -> Iterator[tuple[str, str]]:
    for tag in tags:
        if tag.get("key") in TAGS:
            yield str(tag["key"]), str(tag.get("value") or "")


def _digests(containers: list[Mapping[str, Any]]) -> dict[FieldPath, bytes]:
    digests: dict[FieldPath, bytes] = {}
    for one in containers:
        name = str(one.get("name") or "")
        for variable in one.get("environment") or []:
            digests[FieldPath(name, "variable", str(variable["name"]))] = _digest(variable.get("value"))
        for secret in one.get("secrets") or []:
            digests[FieldPath(name, "secret", str(secret["name"]))] = _digest(secret.get("valueFrom"))
        for part in ("entryPoint", "command"):
            digests[FieldPath(name, "command", part)] = _digest(one.get(part))
        digests[FieldPath(name, "ports", "ports")] = _digest(one.get("portMappings"))
        digests |= _other(name, one, _SHOWN_OF_CONTAINER | _HASHED_APART)
    return digests


def _other(
    container: str, plain: Mapping[str, Any], kept_elsewhere: frozenset[str]
) -> dict[FieldPath, bytes]:
    """Everything else that a definition says, so that "changes nothing" is never said wrongly."""
    return {
        FieldPath(container, "other", name): _digest(value)
        for name, value in plain.items()
        if name not in kept_elsewhere
    }


def _digest(value: object) -> bytes:
    return hmac.digest(_KEY, canonical(value or None).encode(), "sha256")


def secret_sources(container: Mapping[str, Any]) -> Iterator[str]:
    """`valueFrom` of every secret that ECS reads when a task starts, those of the log driver included."""
    log = container.get("logConfiguration") or {}
    for secret in [*(container.get("secrets") or []), *(log.get("secretOptions") or [])]:
        yield str(secret.get("valueFrom") or "")


def is_pinned_secret(source: str) -> bool:
    """Whether the source names a version, so that a task that starts later reads the same.

    Secrets Manager: `arn:…:secret:NAME-SUFFIX[:json-key:version-stage:version-id]`; a version id alone is fixed, a
    stage of whatever name can be moved. Parameter Store: an ARN or a name, with `:version` or `:label` behind it; a
    number alone is fixed, a label can be moved.
    """
    parts = source.split(":")
    if parts[0] == "arn" and parts[2:3] == ["secretsmanager"]:
        return any(parts[9:10])
    named = parts[6:] if parts[0] == "arn" else parts[1:]
    return bool(named) and re.fullmatch("[0-9]+", named[-1]) is not None
