"""Publishes App Home when a user opens it, after their actions, and when something changes while it is open.

Viewers are kept in memory only: opening Home again publishes it again.
"""

import hashlib
import json
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass
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
from app.slack.client import RateLimiter
from app.slack.home.query import ActiveFreezes, HomeQueries, load_home
from app.slack.home.view import Notice, home_body, home_top, home_view, non_member_body, unavailable_body
from app.slack.payload import Body, is_home, user_of
from app.slack.replies import Replies
from app.slack.users.accounts import Profile, is_member
from app.slack.users.directory import Directory
from app.workers.wakeups import Wakeups

log = structlog.get_logger(__name__)

Jobs = Sequence[Coroutine[Any, Any, None]]

VIEWER_TIMEOUT: Final = timedelta(minutes=10)
"""Home is kept up to date this long after the last action in it."""

POLL_INTERVAL: Final = timedelta(seconds=5)
REDRAW_INTERVAL: Final = timedelta(minutes=1)
"""Something may change without a database write: a configured freeze begins."""

MIN_INTERVAL: Final = timedelta(seconds=10)
"""Minimum between two publications to one viewer who did not request the second."""

MIN_INTERVAL_AFTER_ACTION: Final = timedelta(seconds=1)
NOTICE_LIFETIME: Final = timedelta(minutes=1)
MAX_NOTICES: Final = 5
QUERY_TIMEOUT_SECONDS: Final = 2.5
MAX_FAILURES: Final = 3
MAX_VIEWERS: Final = 500


@dataclass(kw_only=True, slots=True)
class _Notices:
    """Replies to show in Home, and whether they were delivered."""

    notices: tuple[Notice, ...]
    at: datetime
    delivered: bool = False


@dataclass(kw_only=True, slots=True)
class _Viewer:
    """A user who has Home open. `asked`: publish even if nothing changed."""

    body: Body
    seen_at: datetime
    due_at: datetime | None
    asked: bool = True
    busy: bool = False
    said: _Notices | None = None
    change_token: str = ""
    drawn_at: datetime | None = None
    published_at: datetime | None = None
    fingerprint: str = ""
    hash: str | None = None
    failures: int = 0


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
        rate_limiter: RateLimiter,
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
        self._rate_limiter = rate_limiter
        self._workspace_url = workspace_url
        self._wakeups = wakeups
        self._clock = clock
        self._viewers: dict[str, _Viewer] = {}
        self._polled_at: datetime | None = None

    def opened(self, body: Body) -> None:
        """A user opened or refreshed Home: delivered notices are dropped."""
        viewer = self._viewer(body)
        viewer.asked, viewer.failures = True, 0
        if viewer.said is not None and viewer.said.delivered:
            viewer.said = None
        self._schedule(viewer)

    def say(self, body: Body, text: str, blocks: list[Block] | None) -> None:
        """Shows the reply to an action in Home on top of it; if publishing fails, sends it as a message."""
        viewer = self._viewer(body)
        buttons = [element for block in blocks or [] for element in block.get("elements", ())]
        # After two quick actions the viewer gets both replies.
        undelivered = viewer.said.notices if viewer.said is not None and not viewer.said.delivered else ()
        notices = (*undelivered, Notice(text=text, buttons=tuple(buttons)))
        viewer.said = _Notices(notices=notices[-MAX_NOTICES:], at=self._clock())
        viewer.asked = True
        self._schedule(viewer)

    def after(self, body: Body) -> None:
        """Schedules a redraw after an action of a user who has Home open."""
        viewer = self._viewer(body) if is_home(body) else self._viewers.get(user_of(body))
        if viewer is not None:
            self._schedule(viewer)

    async def step(self, limit: int) -> Jobs:
        """Publications that are due."""
        now = self._clock()
        self._viewers = {
            user: viewer
            for user, viewer in self._viewers.items()
            if viewer.busy or now - viewer.seen_at < VIEWER_TIMEOUT
        }
        if not self._viewers:
            return []
        await self._poll(now)
        due = [
            (viewer.due_at, user)
            for user, viewer in self._viewers.items()
            if viewer.due_at is not None and viewer.due_at <= now and not viewer.busy
        ]
        return [self._claimed(user) for _, user in sorted(due)[:limit]]

    def _claimed(self, user: str) -> Coroutine[Any, Any, None]:
        viewer = self._viewers[user]
        # Set now: the next step may run before this job has begun.
        viewer.busy, viewer.due_at = True, None
        return self._publish(user, viewer)

    def _viewer(self, body: Body) -> _Viewer:
        now, user = self._clock(), user_of(body)
        viewer = self._viewers.get(user)
        if viewer is None:
            if len(self._viewers) >= MAX_VIEWERS:
                del self._viewers[min(self._viewers, key=lambda one: self._viewers[one].seen_at)]
            viewer = self._viewers[user] = _Viewer(body=body, seen_at=now, due_at=None)
        viewer.body, viewer.seen_at = _who(body), now
        return viewer

    def _schedule(self, viewer: _Viewer) -> None:
        """Schedules a publication, at most one a second."""
        now = self._clock()
        soonest = max(now, viewer.published_at + MIN_INTERVAL_AFTER_ACTION) if viewer.published_at else now
        viewer.due_at = min(viewer.due_at, soonest) if viewer.due_at else soonest
        self._wakeups.notify("home_requested")

    async def _poll(self, now: datetime) -> None:
        """Queries the database every few seconds, once for all viewers, for changes."""
        if self._polled_at is not None and now - self._polled_at < POLL_INTERVAL:
            return
        self._polled_at = now
        try:
            change_token = await run_with_timeout(QUERY_TIMEOUT_SECONDS, self._queries.change_token())
        except (DatabaseUnavailable, TimeoutError):
            return
        for viewer in self._viewers.values():
            old = viewer.drawn_at is not None and now - viewer.drawn_at >= REDRAW_INTERVAL
            if viewer.due_at is None and (viewer.change_token != change_token or old):
                viewer.due_at = max(now, (viewer.published_at or now) + MIN_INTERVAL)

    async def _publish(self, user: str, viewer: _Viewer) -> None:
        asked, viewer.asked = viewer.asked, False
        try:
            await self._draw_and_send(user, viewer, asked=asked)
        finally:
            viewer.busy = False
            self._wakeups.notify("home_requested")  # it may be due again

    async def _draw_and_send(self, user: str, viewer: _Viewer, *, asked: bool) -> None:
        profile = await self._directory.profile(viewer.body)
        texts = Texts.of(profile.locale)
        now, said = self._clock(), self._current_notices(viewer)
        notices = said.notices if said else ()
        body, several = await self._load_body(viewer, profile, texts)
        fingerprint = _fingerprint(body, notices)
        viewer.drawn_at = now
        if fingerprint == viewer.fingerprint and not asked:
            HOME_PUBLISHES.labels(result="unchanged").inc()
            return
        view = home_view(home_top(now=now, notices=notices, several=several, texts=texts), body)
        # An unrequested publication must not overwrite a newer one of another replica.
        guard = {} if asked or viewer.hash is None else {"hash": viewer.hash}
        try:
            answer = await self._rate_limiter.call(
                "views.publish", lambda: self._client.views_publish(user_id=user, view=view, **guard)
            )
        except SlackCallFailed as exc:
            self._failed(user, viewer, exc, said=said, asked=asked)
            return
        HOME_PUBLISHES.labels(result="published").inc()
        if said is not None:
            said.delivered = True
        viewer.hash = (answer.get("view") or {}).get("hash")
        viewer.fingerprint, viewer.published_at, viewer.failures = fingerprint, now, 0

    async def _load_body(self, viewer: _Viewer, profile: Profile, texts: Texts) -> tuple[list[Block], bool]:
        """The blocks, and whether several gates may be approved at once."""
        person = profile.person
        if not is_member(person):
            viewer.change_token = ""  # look up the user again at the next poll
            return non_member_body(person, texts=texts), False
        now = self._clock()
        seeing = load_home(person, queries=self._queries, freezes=self._freezes, rules=self._rules, now=now)
        try:
            contents = await run_with_timeout(QUERY_TIMEOUT_SECONDS, seeing)
        except (DatabaseUnavailable, TimeoutError) as exc:
            log.warning("home_without_the_record", problem=type(exc).__name__)
            viewer.change_token = ""
            return unavailable_body(texts=texts), False
        viewer.change_token = contents.change_token
        body = home_body(
            contents, person=person, rules=self._rules, texts=texts, now=now, base=self._workspace_url()
        )
        return body, sum(one.preview.counts for one in contents.mine) > 1

    def _current_notices(self, viewer: _Viewer) -> _Notices | None:
        said = viewer.said
        return said if said and (not said.delivered or self._clock() - said.at < NOTICE_LIFETIME) else None

    def _failed(
        self, user: str, viewer: _Viewer, exc: SlackCallFailed, *, said: _Notices | None, asked: bool
    ) -> None:
        """Sends undelivered notices as messages; retries a few times, then drops the viewer."""
        log.warning("home_not_published", user=user, problem=str(exc))
        HOME_PUBLISHES.labels(result="failed").inc()
        if said is not None and not said.delivered:
            said.delivered = True
            for notice in said.notices:
                self._replies.write_to(user, notice.text, notice.buttons)
        viewer.failures += exc.retry_after is None
        if str(exc) == "hash_conflict" or viewer.failures >= MAX_FAILURES:
            # Another replica publishes this Home now, or Slack keeps denying it.
            self._viewers.pop(user, None)
            return
        viewer.asked = viewer.asked or asked
        viewer.due_at = self._clock() + (exc.retry_after or MIN_INTERVAL * viewer.failures)


def _who(body: Body) -> Body:
    """Only the identity fields of the payload."""
    return {
        "user": body.get("user") or {"id": user_of(body)},
        "team": body.get("team") or {"id": body.get("team_id") or ""},
    }


def _fingerprint(body: list[Block], notices: Sequence[Notice]) -> str:
    delivered = [(notice.text, list(notice.buttons)) for notice in notices]
    return hashlib.sha256(json.dumps([body, delivered], sort_keys=True).encode()).hexdigest()
