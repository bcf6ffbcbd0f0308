"""Reads the task definition from AppSpec files, JSON or YAML, and describes RevisionLocations."""

import re
from collections.abc import Mapping
from typing import Any, Final

from app.aws.appspec_nodes import replace_scalar, task_definition_nodes

_TASK_DEFINITION: Final = re.compile(
    r"(?:arn:aws[\w-]*:ecs:[\w-]+:\d{12}:task-definition/)?(?P<short>[\w-]{1,255}(?P<revision>:\d{1,9})?)"
)
INLINE: Final = {"AppSpecContent": "appSpecContent", "String": "string"}
"""Revision types that carry an AppSpec, and the member that carries it. `String` is the deprecated one."""

SHORT_DIGEST: Final = 12
SHORT_COMMIT: Final = 7


def task_definition_in(content: str) -> str | None:
    """The task definition that an AppSpec names, as it is written: an ARN, `family:revision`, or `family`.

    None: it names none, more than one, or cannot be read.
    """
    _, nodes = task_definition_nodes(content)
    names = {node.value for node in nodes}
    name = names.pop() if len(names) == 1 else ""
    return name if _TASK_DEFINITION.fullmatch(name) else None


def short_name(task_definition: str) -> str:
    """`family:revision` of an ARN or of a short name."""
    return task_definition.rpartition("/")[2]


def is_pinned(task_definition: str) -> bool:
    """Whether it names one revision. A family alone means its latest ACTIVE revision, whichever that is by then."""
    found = _TASK_DEFINITION.fullmatch(task_definition)
    return found is not None and found["revision"] is not None


def with_task_definition(content: str, task_definition: str) -> str | None:
    """The same AppSpec with another task definition; None: it could not be replaced."""
    text, nodes = task_definition_nodes(content)
    for node in sorted(nodes, key=lambda node: node.start, reverse=True):
        text = replace_scalar(text, node, task_definition)
    return text if task_definition_in(text) == task_definition else None


def without_content(revision: Mapping[str, Any]) -> dict[str, Any]:
    """The RevisionLocation by digest alone, which CreateDeployment and GetApplicationRevision take."""
    member = INLINE.get(str(revision.get("revisionType")))
    if member is None:
        return dict(revision)
    digest = (revision.get(member) or {}).get("sha256")
    return {"revisionType": revision["revisionType"], member: {"sha256": digest}}


def content_in(revision: Mapping[str, Any]) -> str | None:
    """An AppSpec's content, where the RevisionLocation carries it."""
    member = INLINE.get(str(revision.get("revisionType")))
    content = (revision.get(member) or {}).get("content") if member else None
    return content if isinstance(content, str) and content else None


def digest_in(revision: Mapping[str, Any]) -> str | None:
    """The sha256 by which GetApplicationRevision finds an AppSpec's content; None for what is stored elsewhere."""
    member = INLINE.get(str(revision.get("revisionType")))
    digest = (revision.get(member) or {}).get("sha256") if member else None
    return str(digest) if digest else None


def location_name(revision: Mapping[str, Any]) -> str:
    """Where a revision is stored, or its digest: what can be said of it while its content is not known."""
    s3, git_hub = revision.get("s3Location") or {}, revision.get("gitHubLocation") or {}
    if s3.get("key"):
        version = f"@{s3['version']}" if s3.get("version") else ""
        return f"s3://{s3.get('bucket', '')}/{s3['key']}{version}"
    if git_hub.get("commitId"):
        return f"{git_hub.get('repository', '')}@{str(git_hub['commitId'])[:SHORT_COMMIT]}"
    return f"sha256:{(digest_in(revision) or '')[:SHORT_DIGEST]}"
