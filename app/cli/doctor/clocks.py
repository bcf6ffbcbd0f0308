"""Doctor: compares this machine's clock with the database's, Slack's and AWS's."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Final

from app.cli.doctor.findings import Finding, failure, ok, unknown, warning
from app.db.leases import LEASE_DURATION, RENEW_INTERVAL
from app.slack.signature_check import MAX_AGE_SECONDS
from app.web.hooks.signature import TOLERANCE_SECONDS

Clock = Callable[[], datetime]

HTTP_DATE_RESOLUTION: Final = timedelta(seconds=1)

LIMIT: Final = timedelta(seconds=min(MAX_AGE_SECONDS, TOLERANCE_SECONDS))
"""A larger difference is a failure: we refuse what Slack and the hook Lambda sign, and AWS refuses what we sign
(Signature Version 4: five minutes)."""

DATABASE_WARNING: Final = (LEASE_DURATION - RENEW_INTERVAL) / 2
"""A lease that is renewed has at least LEASE - RENEWAL left by its owner's clock. A replica whose clock is further
ahead than that does the same work a second time. Two replicas that differ from the database by at most half of that
differ from each other by no more than that."""

HTTP_WARNING: Final = timedelta(seconds=5)
"""A few seconds are harmless here, but a clock that NTP synchronizes does not differ that much. The Date header has
whole seconds, and a proxy may have written it."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ClockReading:
    """The time of another clock, read between `asked` and `answered` of this machine's clock."""

    shown: datetime
    asked: datetime
    answered: datetime
    resolution: timedelta = timedelta(0)

    @property
    def ahead(self) -> timedelta:
        """How far this machine's clock is ahead of the other: the best estimate. Negative: it is behind."""
        return self.asked + (self.answered - self.asked) / 2 - (self.shown + self.resolution / 2)

    @property
    def uncertainty(self) -> timedelta:
        """By how much the estimate may be wrong: half of the round trip and of the resolution."""
        return (self.answered - self.asked + self.resolution) / 2

    @property
    def most(self) -> timedelta:
        """The largest difference that is possible, rounded up to tenths of a second."""
        tenth = timedelta(seconds=0.1)
        return -((abs(self.ahead) + self.uncertainty) // -tenth) * tenth

    def exceeds(self, limit: timedelta) -> bool:
        """Whether the difference is certainly larger than this."""
        return abs(self.ahead) - self.uncertainty > limit


def http_reading(date: str | None, *, asked: datetime, answered: datetime) -> ClockReading | None:
    """By the Date header of an answer; None: it has none that can be read."""
    try:
        shown = parsedate_to_datetime(date or "")
    except ValueError:
        return None
    if shown.tzinfo is None:
        shown = shown.replace(tzinfo=UTC)
    return ClockReading(shown=shown, asked=asked, answered=answered, resolution=HTTP_DATE_RESOLUTION)


def judge_database_clock(reading: ClockReading) -> Finding:
    """How this machine's clock differs from the database server's."""
    consequence = (
        f"Replicas whose clocks differ by more than {_seconds(2 * DATABASE_WARNING)} may do the same work twice,"
        " and apply deadlines, freezes and reminders at different times"
    )
    return _judge(reading, "database", limit=DATABASE_WARNING, consequence=consequence)


def judge_slack_clock(reading: ClockReading | None) -> Finding:
    """How this machine's clock differs from Slack's."""
    if reading is None:
        return unknown("clock against Slack", "the answer of auth.test has no Date header that can be read")
    consequence = f"From {_seconds(LIMIT)} on, requests that Slack sends over HTTP are refused"
    return _judge(reading, "Slack", limit=HTTP_WARNING, consequence=consequence)


def judge_aws_clock(reading: ClockReading) -> Finding:
    """How this machine's clock differs from CodeDeploy's."""
    consequence = (
        f"From {_seconds(LIMIT)} on, hooks are refused here, and AWS refuses what this machine signs"
    )
    return _judge(reading, "AWS", limit=HTTP_WARNING, consequence=consequence)


def _judge(reading: ClockReading, other: str, *, limit: timedelta, consequence: str) -> Finding:
    what, database = f"clock against {other}", other == "database"
    if not reading.exceeds(limit):
        return ok(what, f"they differ by at most {_seconds(reading.most, digits=1)}")
    direction = "ahead of" if reading.ahead > timedelta(0) else "behind"
    about = _seconds(abs(reading.ahead), digits=0 if reading.resolution else 1)
    said = (
        f"this machine's clock is about {about} {direction} that of {'the database' if database else other}"
    )
    servers = "this machine and the database server" if database else "this machine"
    remedy = f"{consequence}. Synchronize {servers} with NTP, for example with chrony."
    if reading.exceeds(LIMIT):
        return failure(what, said, remedy)
    return warning(what, said, remedy)


def _seconds(length: timedelta, *, digits: int | None = None) -> str:
    seconds = length.total_seconds()
    return f"{seconds:g} s" if digits is None else f"{seconds:.{digits}f} s"
