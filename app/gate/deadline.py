"""When a gate expires. CodeDeploy gives a hook one hour and does not report the time left."""

from datetime import datetime, timedelta
from typing import Final

HOOK_TIMEOUT: Final = timedelta(hours=1)
"""CodeDeploy fails a hook that has not answered one hour after it began; not configurable."""

MAX_DEADLINE: Final = timedelta(minutes=59)
"""The longest deadline. It ends before CodeDeploy's timeout, so that Switchgate records the reason."""


def deadline_after(hook_started: datetime, *, allowed: timedelta) -> datetime:
    """The deadline of a hook that began at `hook_started`."""
    return hook_started + min(allowed, MAX_DEADLINE)


def given_up_after(hook_started: datetime) -> datetime:
    """When CodeDeploy has certainly closed the hook itself, so that a report has no effect any more."""
    return hook_started + HOOK_TIMEOUT + timedelta(minutes=5)
