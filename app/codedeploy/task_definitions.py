"""ECS's task definitions -> what may be kept of them. This is the wall: no value goes past it.

What must be compared and must not be kept leaves a mark, keyed with a key of this process.
"""

import hmac
import json
import re
import secrets
from collections.abc import Iterator, Mapping
from typing import Any, Final

from app.gate.revision import Container, Image, Reading, Revision, Spot

_KEY: Final = secrets.token_bytes(32)

TAGS: Final = ("git-sha", "git-repo", "github-run", "github-actor")
"""The only tags that are looked at."""

LONGEST_COMMAND: Final = 400
MASK: Final = "•••"

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
_SHOWN_OF_CONTAINER: Final = frozenset(
    {"name", "image", "cpu", "memory", "environment", "secrets", "command", "entryPoint", "portMappings"}
)
_SUSPECT: Final = r"[\w.-]*(?:passw|pwd|secret|token|api-?_?key|access-?_?key|credential|auth)[\w.-]*"
_VALUE: Final = r"""(?:"[^"]*"|'[^']*'|[^\s"';&|]+)"""
_ASSIGNED: Final = re.compile(rf"(?i)(?P<name>{_SUSPECT}\s*[=:]\s*){_VALUE}")
_FLAG: Final = re.compile(rf"(?i)(?P<name>(?<![\w-])--?{_SUSPECT}\s+)(?!-){_VALUE}")
_SUSPECT_FLAG: Final = re.compile(rf"(?i)--?{_SUSPECT}")
_USERINFO: Final = re.compile(r"(?P<scheme>://)[^\s/@]+@")


def reading_of(answer: Mapping[str, Any]) -> Reading:
    """DescribeTaskDefinition's answer, its tags included."""
    definition = answer["taskDefinition"]
    containers = definition.get("containerDefinitions") or []
    return Reading(
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
        ),
        marks={**_other("", definition, _OWN | _SHOWN), **_marks(containers)},
    )


def masked_command(words: list[str]) -> str:
    """A command as one line, without what looks like a secret."""
    shown = []
    before = ""
    for word in words:
        shown.append(MASK if _SUSPECT_FLAG.fullmatch(before) and not word.startswith("-") else _masked(word))
        before = word
    line = " ".join(f"'{word}'" if any(map(str.isspace, word)) else word for word in shown)
    return line if len(line) <= LONGEST_COMMAND else line[: LONGEST_COMMAND - 1] + "…"


def _masked(word: str) -> str:
    """One word, which may be a whole script."""
    word = _USERINFO.sub(rf"\g<scheme>{MASK}@", word.replace("\x00", ""))
    word = _ASSIGNED.sub(rf"\g<name>{MASK}", word)
    return _FLAG.sub(rf"\g<name>{MASK}", word)


def _container(one: Mapping[str, Any]) -> Container:
    return Container(
        name=str(one.get("name") or ""),
        image=Image.parse(str(one.get("image") or "")),
        cpu=str(one.get("cpu") or ""),
        memory=str(one.get("memory") or ""),
        command=masked_command(_words(one)),
        ports=tuple(sorted(_port(port) for port in one.get("portMappings") or [])),
        variables=tuple(str(variable["name"]) for variable in one.get("environment") or []),
        secrets=tuple(str(secret["name"]) for secret in one.get("secrets") or []),
    )


def _words(one: Mapping[str, Any]) -> list[str]:
    return [str(word) for word in [*(one.get("entryPoint") or []), *(one.get("command") or [])]]


def _port(port: Mapping[str, Any]) -> str:
    return f"{port.get('containerPort', port.get('containerPortRange', '?'))}/{port.get('protocol', 'tcp')}"


def _tags(tags: list[Mapping[str, Any]]) -> Iterator[tuple[str, str]]:
    for tag in tags:
        if tag.get("key") in TAGS:
            yield str(tag["key"]), str(tag.get("value") or "")


def _marks(containers: list[Mapping[str, Any]]) -> dict[Spot, bytes]:
    marks: dict[Spot, bytes] = {}
    for one in containers:
        name = str(one.get("name") or "")
        for variable in one.get("environment") or []:
            marks[Spot(name, "variable", str(variable["name"]))] = _mark(variable.get("value"))
        for secret in one.get("secrets") or []:
            marks[Spot(name, "secret", str(secret["name"]))] = _mark(secret.get("valueFrom"))
        marks[Spot(name, "command", "command")] = _mark(
            [one.get("entryPoint") or None, one.get("command") or None]
        )
        marks[Spot(name, "ports", "ports")] = _mark(one.get("portMappings"))
        marks |= _other(name, one, _SHOWN_OF_CONTAINER)
    return marks


def _other(container: str, definition: Mapping[str, Any], told: frozenset[str]) -> dict[Spot, bytes]:
    """Everything else that a definition says, so that "changes nothing" is never said wrongly."""
    return {
        Spot(container, "other", name): _mark(value)
        for name, value in definition.items()
        if name not in told and value not in (None, [], {}, "")
    }


def _mark(value: object) -> bytes:
    canonical = json.dumps(value or None, sort_keys=True, default=str)
    return hmac.digest(_KEY, canonical.encode(), "sha256")
