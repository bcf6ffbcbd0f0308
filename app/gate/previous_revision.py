"""What a redeployment would deploy: the revision that served before."""

from dataclasses import dataclass
from enum import StrEnum


class Obstacle(StrEnum):
    """Why redeploying would not take the switch back."""

    ABSENT = "absent"
    """CodeDeploy names no previous revision."""
    SAME = "same"
    """The previous revision is the one that serves now, so redeploying it changes nothing."""
    UNPINNED = "unpinned"
    """Its AppSpec names a task definition family without a revision: ECS would run the latest, perhaps green's own."""
    UNREADABLE = "unreadable"
    """CodeDeploy shows its AppSpec, and the task definition in it cannot be made out: it may be a family alone."""
    INACTIVE = "inactive"
    """Its task definition is deregistered: ECS starts no tasks from it any more."""


@dataclass(frozen=True, kw_only=True, slots=True)
class PreviousRevision:
    """`name`: the task definition (`order:41`), else where the revision is stored, else its digest; None: there is
    none. Without an `obstacle` it can be deployed again."""

    name: str | None
    obstacle: Obstacle | None = None
