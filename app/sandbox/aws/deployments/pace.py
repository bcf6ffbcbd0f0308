"""How long the parts of a deployment take, where AWS promises nothing."""

from dataclasses import dataclass
from typing import Final

HOOK_LIMIT: Final = 3600.0
"""Seconds after a hook was invoked in which CodeDeploy wants its answer: an hour, not configurable."""


@dataclass(frozen=True, slots=True)
class Pace:
    """Stand-in seconds. `install` is much shorter than ECS's couple of minutes, because people watch.

    `event`: a lifecycle event without a hook; `shift`: from the listener's change to AllowTraffic Succeeded; `stop`:
    from StopDeployment to status Stopped; `drain`: from the termination wait's end to Succeeded.
    """

    start: float = 0.2
    event: float = 0.2
    install: float = 2.0
    shift: float = 2.0
    stop: float = 1.0
    drain: float = 1.0


UNWATCHED: Final = Pace(start=0.01, event=0.01, install=0.1, shift=0.1, stop=0.05, drain=0.05)
"""For unattended steps. A faster clock would do too, but it would stay ahead of all other clocks."""
