"""Retries calls to AWS at once when it answers again after an outage, instead of when their back-off ends."""

from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Any, Protocol

import structlog

from app.db.repositories.retries import Retries
from app.workers.wakeups import Wakeups

log = structlog.get_logger(__name__)


class BackgroundTasks(Protocol):
    """See `app.slack.background`. The workers do not import Slack."""

    def run(self, work: Awaitable[Any], *, what: str) -> None: ...


class RetryAfterAwsOutage:
    """Call it at the first response from AWS after an outage."""

    def __init__(
        self,
        *,
        retries: Retries,
        background: BackgroundTasks,
        wakeups: Wakeups,
        clock: Callable[[], datetime],
    ) -> None:
        self._retries = retries
        self._background = background
        self._wakeups = wakeups
        self._clock = clock

    def __call__(self) -> None:
        log.info("aws_recovered")
        self._background.run(self._retry(), what="retries")

    async def _retry(self) -> None:
        await self._retries.bring_forward(now=self._clock())
        self._wakeups.notify("aws_recovered")
