"""One replica: starts, takes another configuration, stops. `bootstrap.py` composes it."""

import asyncio
from collections.abc import Callable
from datetime import datetime
from typing import Final

import structlog
from starlette.types import ASGIApp

from app.aws.clients import AwsClients
from app.concurrency.timeouts import run_with_timeout
from app.config.loader import Config
from app.config.runtime import RuntimeConfig
from app.db.all_repositories import Repositories
from app.slack.client_bundle import ClientBundle
from app.slack.socket import Socket
from app.workers.group import WorkerGroup
from app.workers.wakeups import Wakeups

log = structlog.get_logger(__name__)

DRAIN_SECONDS: Final = 5.0
"""How long `stop` waits for everything that runs, together."""

CANCEL_SECONDS: Final = 0.5
"""How long cancelled tasks, and connections that are closed, may take to end."""


class Service:
    """`http` is the HTTP application."""

    def __init__(
        self,
        *,
        repositories: Repositories,
        worker_repositories: Repositories,
        slack: ClientBundle,
        socket: Socket | None,
        aws: AwsClients,
        rules: RuntimeConfig,
        workers: WorkerGroup,
        wakeups: Wakeups,
        http: ASGIApp,
        clock: Callable[[], datetime],
    ) -> None:
        self.repositories = repositories
        self.worker_repositories = worker_repositories
        self.slack = slack
        self.socket = socket
        self.rules = rules
        self.workers = workers
        self.wakeups = wakeups
        self.http = http
        self._aws = aws
        self._clock = clock

    async def start(self) -> None:
        """Checks the tokens, then runs the workers and opens the socket. Raises `CannotStart`."""
        warm = asyncio.get_running_loop().run_in_executor(None, self._aws.warm_up)
        await asyncio.gather(self.slack.auth_check.check_at_start(self.rules.looked_up), warm)
        self.workers.start()
        if self.socket is not None:
            self.socket.open()

    def replace_config(self, config: Config) -> None:
        """Puts another configuration in force."""
        self.rules.config = config
        log.info("config_reloaded", domains=sorted(config.domains))
        now = self._clock()
        self.slack.background.run(self.repositories.gates.plan_reminders(now=now), what="reminders")
        self.slack.background.run(self.repositories.channels.retry_all(now=now), what="channels")
        self.wakeups.notify("config_reloaded")

    async def stop(self, *, seconds: float = DRAIN_SECONDS) -> None:
        """Finishes what runs, for `seconds`. Another replica takes over the rest when its leases end."""
        finished = True
        try:
            await run_with_timeout(seconds, self._finish())
        except TimeoutError:
            finished = False
            await self._cancel()
        # No task uses them any more: only now may they be closed.
        self._aws.close(wait=finished)
        closing = (
            self.slack.close(),
            self.repositories.database.close(),
            self.worker_repositories.database.close(),
        )
        await asyncio.wait([asyncio.create_task(each) for each in closing], timeout=CANCEL_SECONDS)

    async def _finish(self) -> None:
        """First the listeners that Slack waits for, then all that follows from them."""
        background = self.slack.background
        await background.wait_until_idle()
        if self.socket is not None:
            await self.socket.close()
            # What came in while the socket closed gets no ack any more, but its work is done all the same.
            await background.wait_until_idle()
        await self.workers.stop()
        await asyncio.gather(background.drain(), self.workers.drain())

    async def _cancel(self) -> None:
        """The time is up."""
        jobs = self.workers.running_jobs()
        replies = self.slack.background.cancel()
        log.warning("stop_cancelled_work", replies=len(replies), jobs=jobs)
        if tasks := {*replies, *self.workers.cancel()}:
            await asyncio.wait(tasks, timeout=CANCEL_SECONDS)
