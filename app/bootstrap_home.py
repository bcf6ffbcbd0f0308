"""Builds App Home and bulk approval, which share their queries."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from app.db.all_repositories import Repositories
from app.flow.ports.rules import Rules
from app.slack.client_bundle import ClientBundle
from app.slack.handlers.bulk_approve import BulkApproveHandler
from app.slack.handlers.vote import VoteHandler
from app.slack.home.publisher import HomePublisher
from app.workers.foreground import ForegroundTracker
from app.workers.runner import Worker
from app.workers.wakeups import Wakeups

POLL_SECONDS: Final = 0.5
MAX_CONCURRENT_PUBLICATIONS: Final = 4


@dataclass(frozen=True, kw_only=True, slots=True)
class HomeParts:
    """`worker` publishes: never in the way of a press."""

    publisher: HomePublisher
    worker: Worker
    bulk_approve: BulkApproveHandler


def build_home(
    slack: ClientBundle,
    *,
    repositories: Repositories,
    worker_repositories: Repositories,
    votes: VoteHandler,
    rules: Rules,
    foreground: ForegroundTracker,
    wakeups: Wakeups,
    clock: Callable[[], datetime],
) -> HomeParts:
    """Builds them; from then on answers to presses in Home are shown there."""
    publisher = HomePublisher(
        slack.client,
        queries=worker_repositories.home,
        freezes=worker_repositories.freezes,
        rules=rules,
        directory=slack.directory,
        replies=slack.replies,
        rate_limiter=slack.rate_limiter,
        workspace_url=slack.workspace_url,
        wakeups=wakeups,
        clock=clock,
    )
    worker = Worker(
        name="home",
        step=publisher.step,
        concurrency=MAX_CONCURRENT_PUBLICATIONS,
        poll_interval=POLL_SECONDS,
        foreground=foreground,
        max_yield=0.5,
    )
    wakeups.subscribe(["home_requested"], worker.wake)
    slack.replies.at_home = publisher.say
    bulk_approve = BulkApproveHandler(
        slack.client,
        queries=repositories.home,
        record=repositories.gates,
        votes=votes,
        rules=rules,
        directory=slack.directory,
        replies=slack.replies,
        workspace_url=slack.workspace_url,
        clock=clock,
    )
    return HomeParts(publisher=publisher, worker=worker, bulk_approve=bulk_approve)
