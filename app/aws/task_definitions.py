"""ECS's task definitions -> what may be kept of them. This is the wall: only the values named here go past it.

Everything else leaves a mark, keyed with a key of this process: it tells that a value changes, and nothing of the
value. A command, an entry point, a label or an option holds secrets in too many forms to be shown in part.
"""

import hmac
import re
import secrets
from collections.abc import Iterator, Mapping
from typing import Any, Final

from app.aws.secret_sources import is_pinned, secret_sources
from app.aws.task_definition_defaults import canonical, without_defaults
from app.gate.evidence.revision import Container, FieldPath, Image, Revision, RevisionReading

_KEY: Final = secrets.token_bytes(32)

TAGS: Final = ("git-sha", "git-repo", "github-run", "github-actor")
"""The only tags that are looked at."""

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
_MARKED_APART: Final = frozenset({"environment", "secrets", "command", "entryPoint", "portMappings"})
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
        digests={**_other("", plain, _OWN | _SHOWN), **_marks(plain["containerDefinitions"])},
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
        unpinned_secrets=sum(not is_pinned(source) for source in secret_sources(one)),
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


def _marks(containers: list[Mapping[str, Any]]) -> dict[FieldPath, bytes]:
    marks: dict[FieldPath, bytes] = {}
    for one in containers:
        name = str(one.get("name") or "")
        for variable in one.get("environment") or []:
            marks[FieldPath(name, "variable", str(variable["name"]))] = _mark(variable.get("value"))
        for secret in one.get("secrets") or []:
            marks[FieldPath(name, "secret", str(secret["name"]))] = _mark(secret.get("valueFrom"))
        for part in ("entryPoint", "command"):
            marks[FieldPath(name, "command", part)] = _mark(one.get(part))
        marks[FieldPath(name, "ports", "ports")] = _mark(one.get("portMappings"))
        marks |= _other(name, one, _SHOWN_OF_CONTAINER | _MARKED_APART)
    return marks


def _other(container: str, plain: Mapping[str, Any], told: frozenset[str]) -> dict[FieldPath, bytes]:
    """Everything else that a definition says, so that "changes nothing" is never said wrongly."""
    return {
        FieldPath(container, "other", name): _mark(value) for name, value in plain.items() if name not in told
    }


def _mark(value: object) -> bytes:
    return hmac.digest(_KEY, canonical(value or None).encode(), "sha256")
