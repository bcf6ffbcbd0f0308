"""Reads the health of green after the decision, for as long as people may roll the switch back in seconds.

It is stored apart: the evidence stays as it was at the decision.
"""

from datetime import UTC, datetime, timedelta
from typing import Final

from app.flow.evidence.read_green_health import read_green_health
from app.flow.evidence.timeboxed_reader import TimeboxedReader
from app.flow.ports.evidence import DueEvidence, EvidenceRepository, EvidenceSource
from app.flow.switch_progress import is_watched
from app.gate.evidence.model import GreenHealth

READ_TIMEOUT_SECONDS: Final = 4.0
MOVING_INTERVAL: Final = timedelta(seconds=10)
LIVE_INTERVAL: Final = timedelta(seconds=30)
INTERVAL_PER_SWITCH: Final = timedelta(seconds=1)
"""All watched switches share one read a second, so that several hundred of them stay within CodeDeploy's and ELB's
rates."""

GRID: Final = timedelta(seconds=5)
"""Reads fall on common moments: ECS and CloudWatch answer for several switches in one call."""


async def watch_health(
    due: DueEvidence, *, repository: EvidenceRepository, source: EvidenceSource, now: datetime
) -> GreenHealth | None:
    """Looks once; None where there is nothing to look for (any more). A green that is torn down is not unhealthy."""
    if not is_watched(due.view):
        await repository.rest(due)
        return None
    reader = TimeboxedReader(source, seconds=READ_TIMEOUT_SECONDS)
    health = await read_green_health(due.view.switch, reader=reader, now=now)
    await repository.seen_live(due, health, due_at=next_look(due, now=now), now=now)
    return health


def next_look(due: DueEvidence, *, now: datetime) -> datetime:
    """Sooner while traffic moves; later, the more switches are watched."""
    calm = LIVE_INTERVAL if due.view.switch.switched_at is not None else MOVING_INTERVAL
    seconds = (now + max(calm, INTERVAL_PER_SWITCH * due.watched_switches)).timestamp()
    return datetime.fromtimestamp(seconds - seconds % GRID.total_seconds(), UTC)
