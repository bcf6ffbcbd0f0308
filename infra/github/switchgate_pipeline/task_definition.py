"""The task definition: read from the repository, given its image and its tags, registered once."""

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from switchgate_pipeline.failures import PipelineFailure

ANSWER_ONLY: Final = frozenset(
    {"taskDefinitionArn", "revision", "status", "requiresAttributes", "compatibilities", "registeredAt"}
    | {"registeredBy", "deregisteredAt", "tags"}
)
"""What DescribeTaskDefinition adds and RegisterTaskDefinition refuses; `tags` are given beside."""

MAX_TAG_CHARS: Final = 256
NOT_IN_TAGS: Final = re.compile(r"[^\w\s+\-=.:/@]")
"""ECS takes letters and digits of any language, blanks and + - = . _ : / @ in a tag's value."""


def read_task_definition(path: str) -> dict[str, Any]:
    """The file's fields, without those that only answers have. Raises `PipelineFailure`."""
    try:
        read = json.loads(Path(path).read_text(encoding="utf-8"))
    except (OSError, ValueError) as exc:
        raise PipelineFailure("Task definition unreadable", f"{path}: {exc}") from None
    found = read.get("taskDefinition", read) if isinstance(read, dict) else None
    if not isinstance(found, dict) or not found.get("family") or not found.get("containerDefinitions"):
        raise PipelineFailure(
            "Task definition unreadable", f"{path} has no family or no containerDefinitions."
        )
    return {name: value for name, value in found.items() if name not in ANSWER_ONLY}


def with_image(definition: dict[str, Any], *, container: str, image: str) -> dict[str, Any]:
    """The same with another image of one container. Raises `PipelineFailure` if there is no such container."""
    containers = definition["containerDefinitions"]
    if container not in [one.get("name") for one in containers]:
        raise PipelineFailure("Container unknown", f"The task definition has no container {container}.")
    changed = [{**one, "image": image} if one.get("name") == container else one for one in containers]
    return {**definition, "containerDefinitions": changed}


def tags_of(github: Mapping[str, str], *, title: str) -> list[dict[str, str]]:
    """Where the revision comes from; Switchgate shows it and checks by it who may approve."""
    found = {
        "git-sha": github.get("GITHUB_SHA", ""),
        "git-repo": github.get("GITHUB_REPOSITORY", ""),
        "github-run": github.get("GITHUB_RUN_ID", ""),
        "github-actor": github.get("GITHUB_ACTOR", ""),
        "github-pr-title": title,
    }
    return [{"key": key, "value": tag_value(value)} for key, value in found.items() if tag_value(value)]


def tag_value(text: str) -> str:
    """What ECS takes as a tag's value: other characters become blanks."""
    return " ".join(NOT_IN_TAGS.sub(" ", text).split())[:MAX_TAG_CHARS].rstrip()
