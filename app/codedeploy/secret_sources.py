"""Where a container's secrets come from, and whether that names one version for good."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

MOVED_BY_ROTATION: Final = frozenset({"", "AWSCURRENT", "AWSPREVIOUS", "AWSPENDING"})
"""Staging labels that Secrets Manager moves by itself; none given means AWSCURRENT."""


def secret_sources(container: Mapping[str, Any]) -> Iterator[str]:
    """`valueFrom` of every secret that ECS reads when a task starts, those of the log driver included."""
    log = container.get("logConfiguration") or {}
    for secret in [*(container.get("secrets") or []), *(log.get("secretOptions") or [])]:
        yield str(secret.get("valueFrom") or "")


def is_pinned(source: str) -> bool:
    """Whether the source names a version, so that a task that starts later reads the same.

    Secrets Manager: `arn:…:secret:NAME-SUFFIX[:json-key:version-stage:version-id]`. Parameter Store: an ARN or a name,
    with `:version` or `:label` behind it.
    """
    parts = source.split(":")
    if parts[0] != "arn":
        return len(parts) > 1
    if parts[2:3] == ["secretsmanager"]:
        _, stage, version = (*parts[7:10], "", "", "")[:3]
        return bool(version) or stage not in MOVED_BY_ROTATION
    return len(parts) > 6
