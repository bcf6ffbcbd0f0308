"""When Slack is tried again after a failure."""

from datetime import datetime, timedelta
from typing import Final

from app.flow.backoff import backoff
from app.flow.notify.slack_errors import SlackCallFailed

CLOSED_RETRY_AFTER: Final = timedelta(seconds=15)
CLOSED_MAX_BACKOFF: Final = timedelta(minutes=10)
"""A channel that takes no messages is tried again slowly: somebody may invite the app, or open the channel again."""


def next_try(
    exc: SlackCallFailed, attempts: int, *, first: timedelta, longest: timedelta, now: datetime
) -> datetime:
    """Slack's own Retry-After where it gave one; else a back-off, a slow one where the channel is closed."""
    if exc.retry_after is not None:
        return now + exc.retry_after
    if exc.closed:
        return now + backoff(attempts, first=CLOSED_RETRY_AFTER, longest=CLOSED_MAX_BACKOFF)
    return now + backoff(attempts, first=first, longest=longest)
