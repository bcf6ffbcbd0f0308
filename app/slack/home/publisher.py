"""Publishes App Home when a user opens it, after their actions, and when something changes while it is open."""

import hashlib
import json
from collections.abc import Callable, Coroutine, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

import structlog
from slack_sdk.web.async_client import AsyncWebClient

from app.concurrency.timeouts import run_with_timeout
from app.flow.notify.slack_errors import SlackCallFailed
from app.flow.ports.database import DatabaseUnavailable
from app.flow.ports.rules import Rules
from app.i18n.catalog import Texts
from app.observability.metrics import HOME_PUBLISHES
from app.slack.blocks import Block
from app.slack.client import RetryAfterTracker
from app.slack.home.query import ActiveFreezes, HomeQueries, load_home
from app.slack.home.view import Notice, home_body, home_top, home_view, non_member_body, unavailable_body
from app.slack.home.viewers import MIN_INTERVAL, HomeReplies, Viewer, Viewers
from app.slack.payload import Body, is_home, user_of
from app.slack.replies import Replies
from app.slack.users.accounts import Profile, is_member
from app.slack.users.directory import Directory
from app.workers.wakeups import Wakeups

log = structlog.get_logger(__name__)

Jobs = Sequence[Coroutine[Any, Any, None]]

POLL_INTERVAL: Final = timedelta(seconds=5)
QUERY_TIMEOUT_SECONDS: Final = 2.5
MAX_FAILURES: Final = 3


class HomePublisher:
    """Keeps the viewers and publishes their Home. One worker calls `step`; nothing here delays a request."""

    def __init__(
        self,
        client: AsyncWebClient,
        *,
        queries: HomeQueries,
        freezes: ActiveFreezes,
        rules: Rules,
        directory: Directory,
        replies: Replies,
        retry_after_tracker: RetryAfterTracker,
        workspace_url: Callable[[], str | None],
        wakeups: Wakeups,
        clock: Callable[[], datetime],
    ) -> None:
        self._client = client
        self._queries = queries
        self._freezes = freezes
        self._rules = rules
        self._directory = directory
        self._replies = replies
        self._retry_after_tracker = retry_after_tracker
        self._workspace_url = workspace_url
        self._wakeups = wakeups
        self._clock = clock
        self._viewers = Viewers(clock)
        self._polled_at: datetime | None = None

    def opened(self, body: Body) -> None:
        """A user opened or refreshed Home: replies that were shown are dropped."""
        viewer = self._viewers.seen(body)
        viewer.requested, viewer.failures = True, 0
        viewer.drop_delivered()
        self._schedule(viewer)

    def say(self, body: Body, text: str, blocks: list[Block] | None) -> None:
        """Shows the reply to an action in Home on top of it; if publishing fails, sends it as a message."""
        viewer = self._viewers.seen(body)
        viewer.add_reply(text, blocks, now=self._clock())
        viewer.requested = True
        self._schedule(viewer)

    def after(self, body: Body) -> None:
        """Schedules a redraw after an action of a user who has Home open."""
        viewer = self._viewers.seen(body) if is_home(body) else self._viewers.get(user_of(body))
        if viewer is not None:
            self._schedule(viewer)

    async def step(self, limit: int) -> Jobs:
        """Publications that are due."""
        self._viewers.drop_idle()
        if not self._viewers:
            return []
        await self._poll()
        return [self._publish(user, viewer) for user, viewer in self._viewers.claim_due(limit)]

    def _schedule(self, viewer: Viewer) -> None:
        self._viewers.schedule(viewer)
        self._wakeups.notify("home_requested")

    async def _poll(self) -> None:
        """Queries the database every few seconds, once for all viewers, for changes."""
        now = self._clock()
        if self._polled_at is not None and now - self._polled_at < POLL_INTERVAL:
            return
        self._polled_at = now
        try:
            change_token = await run_with_timeout(QUERY_TIMEOUT_SECONDS, self._queries.change_token())
        except (DatabaseUnavailable, TimeoutError):
            return
        self._viewers.schedule_outdated(change_token)

    async def _publish(self, user: str, viewer: Viewer) -> None:
        requested, viewer.requested = viewer.requested, False
        try:
            await self._draw_and_send(user, viewer, requested=requested)
        finally:
            viewer.busy = False
            self._wakeups.notify("home_requested")  # it may be due again

    async def _draw_and_send(self, user: str, viewer: Viewer, *, requested: bool) -> None:
        profile = await self._directory.profile(viewer.body)
        texts = Texts.of(profile.locale)
        now = self._clock()
        replies = viewer.current_replies(now)
        notices = replies.notices if replies else ()
        body, several = await self._load_body(viewer, profile, texts)
        fingerprint = _fingerprint(body, notices)
        viewer.drawn_at = now
        if fingerprint == viewer.fingerprint and not requested:
            HOME_PUBLISHES.labels(result="unchanged").inc()
            return
        view = home_view(home_top(now=now, notices=notices, several=several, texts=texts), body)
        # An unrequested publication must not overwrite a newer one of another replica.
        guard = {} if requested or viewer.hash is None else {"hash": viewer.hash}
        try:
            answer = await self._retry_after_tracker.call(
                "views.publish", lambda: self._client.views_publish(user_id=user, view=view, **guard)
            )
        except SlackCallFailed as exc:
            self._failed(user, viewer, exc, replies=replies, requested=requested)
            return
        HOME_PUBLISHES.labels(result="published").inc()
        if replies is not None:
            replies.delivered = True
        viewer.hash = (answer.get("view") or {}).get("hash")
        viewer.fingerprint, viewer.published_at, viewer.failures = fingerprint, now, 0

    async def _load_body(self, viewer: Viewer, profile: Profile, texts: Texts) -> tuple[list[Block], bool]:
        """The blocks, and whether several gates may be approved at once."""
        person = profile.person
        if not is_member(person):
            viewer.change_token = ""  # look up the user again at the next poll
            return non_member_body(person, texts=texts), False
        now = self._clock()
        loading = load_home(person, queries=self._queries, freezes=self._freezes, rules=self._rules, now=now)
        try:
            contents = await run_with_timeout(QUERY_TIMEOUT_SECONDS, loading)
        except (DatabaseUnavailable, TimeoutError) as exc:
            log.warning("home_database_unavailable", problem=type(exc).__name__)
            viewer.change_token = ""
            return unavailable_body(texts=texts), False
        viewer.change_token = contents.change_token
        body = home_body(
            contents, person=person, rules=self._rules, texts=texts, now=now, base=self._workspace_url()
        )
        return body, sum(one.fits_bulk for one in contents.mine) > 1

    def _failed(
        self, user: str, viewer: Viewer, exc: SlackCallFailed, *, replies: HomeReplies | None, requested: bool
    ) -> None:
        """Sends undelivered notices as messages; retries a few times, then drops the viewer."""
        log.warning("home_not_published", user=user, problem=str(exc))
        HOME_PUBLISHES.labels(result="failed").inc()
        if replies is not None and not replies.delivered:
            replies.delivered = True
            for notice in replies.notices:
                self._replies.write_to(user, notice.text, notice.buttons)
        viewer.failures += exc.retry_after is None
        if str(exc) == "hash_conflict" or viewer.failures >= MAX_FAILURES:
            # Another replica publishes this Home now, or Slack keeps denying it.
            self._viewers.drop(user)
            return
        viewer.requested = viewer.requested or requested
        viewer.due_at = self._clock() + (exc.retry_after or MIN_INTERVAL * viewer.failures)


def _fingerprint(body: list[Block], notices: Sequence[Notice]) -> str:
    delivered = [(notice.text, list(notice.buttons)) for notice in notices]
    return hashlib.sha256(json.dumps([body, delivered], sort_keys=True).encode()).hexdigest()
