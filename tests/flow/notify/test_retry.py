"""When Slack is tried again."""

from datetime import UTC, datetime, timedelta

from app.flow.notify.retry import next_try
from app.flow.notify.slack_errors import SlackCallFailed

NOW = datetime(2026, 11, 29, tzinfo=UTC)
SECOND, HALF_A_MINUTE = timedelta(seconds=1), timedelta(seconds=30)


def wait(exc: SlackCallFailed, attempts: int) -> timedelta:
    return next_try(exc, attempts, first=SECOND, longest=HALF_A_MINUTE, now=NOW) - NOW


def test_a_closed_channel_is_tried_ever_more_seldom() -> None:
    closed = SlackCallFailed("is_archived", refused=True, closed=True)
    assert wait(closed, 1) > timedelta(seconds=5)
    assert wait(closed, 4) >= timedelta(minutes=1)
    assert timedelta(minutes=5) <= wait(closed, 20) <= timedelta(minutes=15)


def test_any_other_failure_is_tried_again_within_a_minute() -> None:
    assert wait(SlackCallFailed("internal_error", uncertain=True), 20) < timedelta(minutes=1)


def test_slacks_own_word_counts_most() -> None:
    assert wait(
        SlackCallFailed("ratelimited", retry_after=timedelta(seconds=9), closed=True), 3
    ) == timedelta(seconds=9)
