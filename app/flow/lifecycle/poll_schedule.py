"""When a live switch is polled next: soon while traffic moves, later while its gate waits for a vote."""

from datetime import UTC, datetime, timedelta
from typing import Final

from app.flow.backoff import backoff
from app.flow.lifecycle.observation import (
    Observation,
    hook_started,
    is_moving,
    is_untimed,
    lacks_last_reading,
    share_read,
    shows_succeeded,
)
from app.flow.ports.switches import DuePoll, TrafficReading

IDLE_INTERVAL: Final = timedelta(seconds=25)
"""At rest: an ending from outside is noticed within half a minute."""

IDLE_GRID: Final = timedelta(seconds=5)
"""Looks at rest fall on common moments, so that up to 25 of them cost one call."""

RETRY_AFTER: Final = timedelta(seconds=1)
MAX_BACKOFF: Final = timedelta(seconds=20)
MIN_MOVING_INTERVAL: Final = timedelta(seconds=1)
MAX_MOVING_INTERVAL: Final = timedelta(seconds=10)
ROLLBACK_WATCH: Final = timedelta(seconds=60)
"""How long a rollback may take to show up beside the deployment that it takes back."""

ASK_TRAFFIC: Final = 20
"""A poll every twentieth of the time that traffic has moved for: a canary of 5 minutes costs some 40 polls."""


STALE_AFTER_POLLS: Final = 3
MIN_STALE_AFTER: Final = timedelta(seconds=5)
"""A share of traffic that may have changed since it was read is shown for three polls, or for 5 s: AWS may take that
long to answer. Then it is unknown until it is read again."""

LAST_READING_WATCH: Final = timedelta(hours=1)
"""How long it is tried to read where the traffic of a deployment that ended badly has stayed."""


def next_poll(due: DuePoll, observation: Observation, *, now: datetime) -> tuple[datetime | None, bool]:
    """When (None: never), and whether the switch rests until then."""
    facts = observation.facts
    if facts is None:
        return None, True
    if facts.over:
        return _after_the_end(due, observation, now=now), True
    due_at, rested = _while_it_lives(due, observation, now=now)
    if due.answer_unread and not _shows_answer(due, observation):
        # CodeDeploy's reads lag behind its writes: until the event shows the status, poll again soon.
        soon = now + backoff(due.attempts, first=RETRY_AFTER, longest=IDLE_INTERVAL)
        if soon < due_at:
            return soon, False
    return due_at, rested


def _shows_answer(due: DuePoll, observation: Observation) -> bool:
    hook = observation.target.events.get(due.hook_name or "") if observation.target else None
    return hook is not None and hook.over


def _while_it_lives(due: DuePoll, observation: Observation, *, now: datetime) -> tuple[datetime, bool]:
    if due.undoing or shows_succeeded(due, observation):
        return now + MIN_MOVING_INTERVAL, True
    if is_moving(due):
        return now + _moving_interval(due, now=now), True
    if is_untimed(due.switch):
        return now + backoff(due.attempts, first=RETRY_AFTER, longest=IDLE_INTERVAL), False
    if due.switch.blue_until is not None:
        return _until_blue_goes(due.switch.blue_until, now=now), True
    unseen = due.hook_name is not None and due.switch.hook_started_at is None
    if unseen and hook_started(due, observation) is None:
        # CodeDeploy's reads lag behind its hook: until the hook's start shows, poll again soon.
        return now + backoff(due.attempts, first=RETRY_AFTER, longest=IDLE_INTERVAL), False
    return at_rest(now), True


def _moving_interval(due: DuePoll, *, now: datetime) -> timedelta:
    pause = (now - (due.moving_since or now)) / ASK_TRAFFIC
    return min(max(pause, MIN_MOVING_INTERVAL), MAX_MOVING_INTERVAL)


def reading_of(due: DuePoll, observation: Observation | None, *, now: datetime) -> TrafficReading:
    """What the poll means for the share of traffic; `observation` is None where CodeDeploy did not answer."""
    read = observation is not None and share_read(due, observation) is not None
    over = observation is not None and (observation.facts is None or observation.facts.over)
    stale_at = None
    if is_moving(due) and not over:
        stale_at = now + max(STALE_AFTER_POLLS * _moving_interval(due, now=now), MIN_STALE_AFTER)
    return TrafficReading(read_at=now if read else None, stale_at=stale_at)


def at_rest(now: datetime) -> datetime:
    """At most `IDLE_INTERVAL` away, on the grid."""
    seconds = (now + IDLE_INTERVAL).timestamp()
    return datetime.fromtimestamp(seconds - seconds % IDLE_GRID.total_seconds(), UTC)


def awaits_rollback(due: DuePoll, observation: Observation, *, now: datetime) -> bool:
    """Whether the deployment has ended badly and the one that takes it back may yet show."""
    facts = observation.facts
    if facts is None or facts.status == "Succeeded" or facts.rollback_id or due.switch.rollback_of:
        return False
    since = due.switch.ended_at or now
    return (facts.rollback_may_come or due.undoing) and now - since < ROLLBACK_WATCH


def _after_the_end(due: DuePoll, observation: Observation, *, now: datetime) -> datetime | None:
    if awaits_rollback(due, observation, now=now):
        return now + MIN_MOVING_INTERVAL
    lost = lacks_last_reading(due.switch) and observation.unread is not None
    if lost and due.switch.ended_at is not None and now - due.switch.ended_at < LAST_READING_WATCH:
        return now + MIN_MOVING_INTERVAL
    # Its gate's report is under way and finds out what CodeDeploy holds; then it has ended for us too.
    return now + MIN_MOVING_INTERVAL if due.switch.ended_at is None else None


def _until_blue_goes(blue_until: datetime, *, now: datetime) -> datetime:
    if now < blue_until:
        return min(at_rest(now), blue_until + MIN_MOVING_INTERVAL)
    return now + min(max((now - blue_until) / 5, MIN_MOVING_INTERVAL), IDLE_INTERVAL)
