"""Replaces the configuration in force while the service runs: on SIGHUP, and on a timer where it is remote."""

import asyncio
from collections.abc import Callable
from typing import Final

import structlog

from app.config.loader import Config, load_from
from app.config.schema import ConfigError
from app.config.source import ConfigSource, ConfigUnread
from app.observability.metrics import CONFIG_RELOADS, CONFIG_STALE

log = structlog.get_logger(__name__)

INTERVAL_SECONDS: Final = 60.0
"""Between two reads of a remote configuration."""


class ConfigReloader:
    """A configuration that cannot be read or has a mistake is refused: the one in force stays. `replace` gets another
    one; `mark_stale` whether the one in force may be outdated, after each read."""

    def __init__(
        self,
        source: ConfigSource,
        *,
        in_force: Config,
        replace: Callable[[Config], object],
        mark_stale: Callable[[bool], object],
        interval: float = INTERVAL_SECONDS,
    ) -> None:
        self._source = source
        self._in_force = in_force
        self._replace = replace
        self._mark_stale = mark_stale
        self._interval = interval if source.is_remote else None
        self._requested = asyncio.Event()
        self._problem = ""
        CONFIG_STALE.set(0)

    def request(self) -> None:
        """Has it read again at once, and put in force also if it has not changed."""
        self._requested.set()

    async def run(self) -> None:
        """Until it is cancelled."""
        while True:
            requested = await self._wait()
            self._requested.clear()
            try:
                config = await asyncio.to_thread(load_from, self._source)
            except ConfigError as exc:
                self._refuse(exc, requested=requested)
            else:
                self._apply(config, requested=requested)

    async def _wait(self) -> bool:
        """Whether it was requested, before the next read was due."""
        try:
            return await asyncio.wait_for(self._requested.wait(), self._interval)
        except TimeoutError:
            return False

    def _refuse(self, exc: ConfigError, *, requested: bool) -> None:
        outcome = "unread" if isinstance(exc, ConfigUnread) else "refused"
        CONFIG_RELOADS.labels(outcome).inc()
        CONFIG_STALE.set(1)
        self._mark_stale(True)
        if requested or self._problem != str(exc):  # once, not every minute
            log.error("config_not_reloaded", problems=str(exc))
        self._problem = str(exc)

    def _apply(self, config: Config, *, requested: bool) -> None:
        CONFIG_STALE.set(0)
        self._mark_stale(False)
        self._problem = ""
        if requested or config != self._in_force:
            CONFIG_RELOADS.labels("applied").inc()
            self._in_force = config
            self._replace(config)
