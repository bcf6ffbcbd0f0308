"""Where a container's secrets come from, and whether that names one version for good."""

import re
from collections.abc import Iterator, Mapping
from typing import Any


def secret_sources(container: Mapping[str, Any]) -> Iterator[str]:
    """`valueFrom` of every secret that ECS reads when a task starts, those of the log driver included."""
    log = container.get("logConfiguration") or {}
    for secret in [*(container.get("secrets") or []), *(log.get("secretOptions") or [])]:
        yield str(secret.get("valueFrom") or "")


def is_pinned(source: str) -> bool:
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
