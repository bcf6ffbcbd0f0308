"""Builds one process. The only module that knows every package; nothing is built at import."""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import boto3
import structlog
from starlette.routing import Route
from starlette.types import ASGIApp

from app.aws.codedeploy import CodeDeploy
from app.aws.deployment_control import CodeDeployControl
from app.aws.evidence import AwsEvidence
from app.aws.outage import OutageMonitor
from app.bootstrap_slack import SlackHandlers
from app.concurrency.timeouts import run_with_timeout
from app.config.environment import Settings
from app.config.loader import Config, ConfigError, load_config
from app.config.runtime import RuntimeConfig
from app.db.all_repositories import Repositories
from app.db.engine import WORKERS
from app.probes.prober import HttpProber
from app.slack.auth_check import CannotStart
from app.slack.client_bundle import ClientBundle, Publishers
from app.slack.http_endpoint import events_route
from app.slack.signature_check import SignatureCheck
from app.web.api.auth import TokenAuth
from app.web.api.dependencies import ApiServices
from app.web.app import build_http
from app.web.health import HealthServices
from app.web.hooks.dependencies import HookServices
from app.web.hooks.signature import HookKeys
from app.workers.dependencies import Dependencies
from app.workers.foreground import ForegroundTracker
from app.workers.registry import build_workers
from app.workers.runner import Worker
from app.workers.wakeups import Wakeups

__all__ = ["CannotStart", "Service", "utc_now"]

log = structlog.get_logger(__name__)

BETWEEN_RECOVERIES_SECONDS: Final = 2.0
"""An AWS that fails now and then must not be asked the more for each of its answers."""

DRAIN_SECONDS: Final = 5.0
"""How long `stop` waits for all that is under way together."""

CANCEL_SECONDS: Final = 0.5
"""How long what was cancelled, and a connection that is closed, may take to end."""


def utc_now() -> datetime:
    """The clock of a real process."""
    return datetime.now(UTC)


class Service:
    """One replica: its handlers, its workers, and what they share. Build it inside the running event loop."""

    def __init__(
        self,
        settings: Settings,
        config: Config,
        *,
        database_url: str,
        clock: Callable[[], datetime] = utc_now,
    ) -> None:
        self._settings = settings
        self._clock = clock
        self._foreground = ForegroundTracker()
        self._recovered_at = 0.0
        self.wakeups = Wakeups()
        self.repositories = Repositories(database_url)
        self.worker_repositories = Repositories(database_url, size=WORKERS)
        """The same database on connections of its own: no worker can keep a press or a hook waiting for one."""
        aws = boto3.session.Session()
        OutageMonitor(aws, recovered=self._aws_recovered)
        self.codedeploy = CodeDeploy(aws, region=settings.region)
        self._source = AwsEvidence(aws, client_lock=self.codedeploy.client_lock)
        self.slack = ClientBundle(
            settings, members=self.worker_repositories.memberships, foreground=self._foreground, clock=clock
        )
        self.rules = RuntimeConfig(
            config,
            roster=self.slack.directory.roster,
            last_synced_at=self.slack.directory.last_synced_at,
            clock=clock,
        )
        self.slack_handlers = SlackHandlers(
            self.slack,
            repositories=self.repositories,
            worker_repositories=self.worker_repositories,
            rules=self.rules,
            wakeups=self.wakeups,
            source=self._source,
            clock=clock,
        )
        self.socket = self.slack.socket(self.slack_handlers.bolt)
        secret = self.slack.signing_secret
        self._signatures = SignatureCheck(secret) if secret is not None else None
        self.workers = self._build_workers(self.slack.publishers(self.rules))
        self._running: list[asyncio.Task[None]] = []

    def _build_workers(self, publishers: Publishers) -> dict[str, Worker]:
        return build_workers(
            Dependencies(
                repositories=self.worker_repositories,
                deployments=self.codedeploy,
                deployment_control=CodeDeployControl(self.codedeploy),
                evidence_source=self._source,
                cards=publishers.cards,
                card_copies=publishers.cards,
                timelines=publishers.timelines,
                announcer=publishers.announcements,
                prober=HttpProber(),
                email_lookup=publishers.email_lookup,
                members=self.slack.directory.members,
                refresh_members=lambda: self.slack.auth_check.refresh(
                    self.rules.looked_up, in_grid=self.rules.named
                ),
                publish_homes=self.slack_handlers.home.step,
                rules=self.rules,
                texts=self.slack.texts,
                wakeups=self.wakeups,
                clock=self._clock,
                foreground=self._foreground,
            )
        )

    def http(self) -> ASGIApp:
        """The HTTP application."""
        return build_http(
            hooks=HookServices(
                keys=HookKeys(self._settings.hook_secrets),
                record=self.repositories.gates,
                deployments=self.codedeploy,
                rules=self.rules,
                region=self._settings.region,
                wake=lambda key: self.repositories.switches.wake(key, now=self._clock()),
                wakeups=self.wakeups,
                foreground=self._foreground,
                clock=self._clock,
            ),
            api=ApiServices(
                queries=self.repositories.queries,
                checks=self.repositories.checks,
                freezes=self.repositories.freezes,
                rules=self.rules,
                tokens=TokenAuth(self._settings.api_tokens),
                region=self._settings.region,
                clock=self._clock,
                wakeups=self.wakeups,
            ),
            health=HealthServices(
                queries=self.repositories.queries,
                slack_is_connected=lambda: self.socket is None or self.socket.is_healthy(),
                channels=lambda: self.rules.channels,
                signature_hint=lambda: self._signatures.hint() if self._signatures else "",
            ),
            slack_events=self._slack_events(),
        )

    async def start(self) -> None:
        """Proves the tokens, then runs the workers and opens the socket. Raises `CannotStart`."""
        warm = asyncio.get_running_loop().run_in_executor(None, self._warm_up)
        await asyncio.gather(self.slack.auth_check.check_at_start(self.rules.looked_up), warm)
        self._running = [
            asyncio.create_task(worker.run(), name=worker.name) for worker in self.workers.values()
        ]
        if self.socket is not None:
            self.socket.open()

    async def stop(self, *, seconds: float = DRAIN_SECONDS) -> None:
        """Finishes what is under way, for `seconds`; what is left is another replica's once its lease ends."""
        ended = True
        try:
            await run_with_timeout(seconds, self._finish())
        except TimeoutError:
            ended = False
            await self._cancel_work()
        # From here on nothing of ours asks anybody: only now may what it asks with be closed.
        self.codedeploy.close(wait=ended)
        self._source.close(wait=ended)
        await asyncio.wait(
            [
                asyncio.create_task(closing)
                for closing in (
                    self.slack.close(),
                    self.repositories.database.close(),
                    self.worker_repositories.database.close(),
                )
            ],
            timeout=CANCEL_SECONDS,
        )

    async def _finish(self) -> None:
        """First whoever waits for an ack, then all that follows from it."""
        await self.slack.background.wait_until_idle()
        if self.socket is not None:
            await self.socket.close()
            # What came in while the socket closed gets no ack any more, but its work is done all the same.
            await self.slack.background.wait_until_idle()
        for task in self._running:
            task.cancel()
        await asyncio.gather(*self._running, return_exceptions=True)
        await asyncio.gather(
            self.slack.background.drain(), *(worker.drain() for worker in self.workers.values())
        )

    async def _cancel_work(self) -> None:
        """The time is up."""
        replies = self.slack.background.cancel()
        jobs = set().union(*(worker.cancel() for worker in self.workers.values()))
        names = sorted(worker.name for worker in self.workers.values() if worker.is_busy)
        log.warning("stop_cancelled_work", replies=len(replies), jobs=len(jobs), workers=names)
        for task in self._running:
            task.cancel()
        if left := {*replies, *jobs, *self._running}:
            await asyncio.wait(left, timeout=CANCEL_SECONDS)

    def reload(self, path: Path) -> None:
        """Reads the configuration again. A bad one is refused with its problems, and the old one stays."""
        try:
            self.rules.config = load_config(path)
        except ConfigError as exc:
            log.error("config_not_reloaded", problems=str(exc))
            return
        log.info("config_reloaded", domains=sorted(self.rules.config.domains))
        now = self._clock()
        self.slack.background.run(self.repositories.gates.plan_reminders(now=now), what="reminders")
        self.slack.background.run(self.repositories.channels.retry_all(now=now), what="channels")
        self.wakeups.notify("config_reloaded")

    def _slack_events(self) -> Route | None:
        """HTTP mode's route; None in Socket Mode."""
        if self.socket is not None or self._signatures is None:
            return None
        return events_route(self.slack_handlers.bolt, signatures=self._signatures)

    def _warm_up(self) -> None:
        self.codedeploy.warm_up()
        self._source.warm_up(self._settings.region)

    def _aws_recovered(self) -> None:
        """AWS answers again after an outage: failed calls are retried at once."""
        now = asyncio.get_running_loop().time()
        if now - self._recovered_at < BETWEEN_RECOVERIES_SECONDS:
            return
        self._recovered_at = now
        log.info("aws_answers_again")
        self.slack.background.run(self._retry_at_aws(), what="retries")

    async def _retry_at_aws(self) -> None:
        await self.worker_repositories.retries.bring_forward(now=self._clock())
        self.wakeups.notify("aws_recovered")
