"""Composes one process: configuration, database, clients, handlers, workers, web. Nothing is built at import."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from slack_bolt.app.async_app import AsyncApp
from starlette.types import ASGIApp

from app.aws.clients import AwsClients
from app.bootstrap_slack import SlackHandlers
from app.config.environment import Settings
from app.config.loader import Config
from app.config.runtime import RuntimeConfig
from app.db.all_repositories import Repositories
from app.db.engine import WORKERS
from app.probes.prober import HttpProber
from app.service import Service
from app.slack.client_bundle import ClientBundle
from app.slack.home.publisher import HomePublisher
from app.slack.http_endpoint import events_route
from app.slack.signature_check import SignatureCheck
from app.slack.socket import Socket
from app.web.api.auth import TokenAuth
from app.web.api.dependencies import ApiServices
from app.web.app import build_http
from app.web.health import HealthServices
from app.web.hooks.dependencies import HookServices
from app.web.hooks.signature import HookKeys
from app.workers.dependencies import Dependencies
from app.workers.foreground import ForegroundTracker
from app.workers.group import WorkerGroup
from app.workers.registry import build_workers
from app.workers.retry_after_aws_outage import RetryAfterAwsOutage
from app.workers.wakeups import Wakeups


def utc_now() -> datetime:
    """The clock of a real process."""
    return datetime.now(UTC)


@dataclass(frozen=True, kw_only=True, slots=True)
class _Shared:
    """What handlers and workers have in common."""

    settings: Settings
    clock: Callable[[], datetime]
    foreground: ForegroundTracker
    wakeups: Wakeups
    repositories: Repositories
    worker_repositories: Repositories
    """On connections of their own: no worker can keep a request waiting for one."""
    slack: ClientBundle
    aws: AwsClients
    rules: RuntimeConfig


def build_service(
    settings: Settings, config: Config, *, database_url: str, clock: Callable[[], datetime] = utc_now
) -> Service:
    """One replica. Call it inside the running event loop."""
    shared = _build_shared(settings, config, database_url=database_url, clock=clock)
    handlers = SlackHandlers(
        shared.slack,
        repositories=shared.repositories,
        worker_repositories=shared.worker_repositories,
        rules=shared.rules,
        wakeups=shared.wakeups,
        source=shared.aws.evidence,
        deployments=shared.aws.codedeploy,
        clock=clock,
    )
    socket = shared.slack.socket(handlers.bolt)
    return Service(
        repositories=shared.repositories,
        worker_repositories=shared.worker_repositories,
        slack=shared.slack,
        socket=socket,
        aws=shared.aws,
        rules=shared.rules,
        workers=WorkerGroup(build_workers(_worker_dependencies(shared, home=handlers.home))),
        wakeups=shared.wakeups,
        http=_build_http(shared, bolt=handlers.bolt, socket=socket),
        clock=clock,
    )


def _build_shared(
    settings: Settings, config: Config, *, database_url: str, clock: Callable[[], datetime]
) -> _Shared:
    foreground = ForegroundTracker()
    wakeups = Wakeups()
    worker_repositories = Repositories(database_url, size=WORKERS)
    slack = ClientBundle(
        settings, members=worker_repositories.memberships, foreground=foreground, clock=clock
    )
    retry_after_outage = RetryAfterAwsOutage(
        retries=worker_repositories.retries, background=slack.background, wakeups=wakeups, clock=clock
    )
    return _Shared(
        settings=settings,
        clock=clock,
        foreground=foreground,
        wakeups=wakeups,
        repositories=Repositories(database_url),
        worker_repositories=worker_repositories,
        slack=slack,
        aws=AwsClients(region=settings.region, recovered=retry_after_outage),
        rules=RuntimeConfig(
            config,
            roster=slack.directory.roster,
            last_synced_at=slack.directory.last_synced_at,
            clock=clock,
        ),
    )


def _worker_dependencies(shared: _Shared, *, home: HomePublisher) -> Dependencies:
    slack, rules = shared.slack, shared.rules
    publishers = slack.publishers(rules)
    return Dependencies(
        repositories=shared.worker_repositories,
        deployments=shared.aws.codedeploy,
        deployment_control=shared.aws.deployment_control,
        evidence_source=shared.aws.evidence,
        cards=publishers.cards,
        card_copies=publishers.cards,
        timelines=publishers.timelines,
        announcer=publishers.announcements,
        channel_announcer=publishers.channel_announcements,
        messenger=publishers.messenger,
        prober=HttpProber(),
        email_lookup=publishers.email_lookup,
        members=slack.directory.members,
        refresh_members=lambda: slack.auth_check.refresh(rules.looked_up, in_grid=rules.named),
        publish_homes=home.step,
        rules=rules,
        texts=slack.texts,
        wakeups=shared.wakeups,
        clock=shared.clock,
        foreground=shared.foreground,
    )


def _build_http(shared: _Shared, *, bolt: AsyncApp, socket: Socket | None) -> ASGIApp:
    settings, repositories, clock = shared.settings, shared.repositories, shared.clock
    secret = shared.slack.signing_secret
    signatures = SignatureCheck(secret) if secret is not None else None
    return build_http(
        hooks=HookServices(
            keys=HookKeys(settings.hook_secrets),
            repository=repositories.gates,
            deployments=shared.aws.codedeploy,
            rules=shared.rules,
            region=settings.region,
            wake=lambda key: repositories.switches.wake(key, now=clock()),
            wakeups=shared.wakeups,
            foreground=shared.foreground,
            clock=clock,
        ),
        api=ApiServices(
            queries=repositories.queries,
            checks=repositories.checks,
            freezes=repositories.freezes,
            gates=repositories.gates,
            rules=shared.rules,
            tokens=TokenAuth(settings.api_tokens),
            region=settings.region,
            clock=clock,
            wakeups=shared.wakeups,
        ),
        health=HealthServices(
            queries=repositories.queries,
            slack_is_connected=lambda: socket is None or socket.is_healthy(),
            channels=lambda: shared.rules.channels,
            signature_hint=lambda: signatures.hint() if signatures else "",
        ),
        # In Socket Mode Slack sends nothing over HTTP.
        slack_events=events_route(bolt, signatures=signatures, listening=shared.slack.background.listening)
        if signatures and socket is None
        else None,
    )
