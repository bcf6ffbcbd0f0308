"""App Home: published when somebody opens it, after what they do there, and while they look when something changes.

Who looks is kept in this process and nowhere else: a Home is a picture, and whoever opens it anew gets it anew.
"""

import hashlib
import json
from collections.abc import Callable, Coroutine, Mapping, Sequence
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
from app.observability.metrics import HOMES
from app.slack.blocks import Block
from app.slack.client import RateLimiter
from app.slack.home.query import ActiveFreezes, HomeQueries, load_home
from app.slack.home.view import Notice, home_body, home_top, home_view, non_member_body, unavailable_body
from app.slack.replies import Replies, is_home, user_of
from app.slack.users.accounts import Profile, is_member
from app.slack.users.directory import Directory

log = structlog.get_logger(__name__)

Body = Mapping[str, Any]
Jobs = Sequence[Coroutine[Any, Any, None]]

LOOKED_FOR: Final = timedelta(minutes=10)
"""How long after somebody last did something in their Home it is kept up to date."""

LOOK: Final = timedelta(seconds=5)
REDRAW: Final = timedelta(minutes=1)
"""Something may change without the record: a freeze of the configuration begins."""

BETWEEN: Final = timedelta(seconds=10)
"""At least so long between two publications to one person who has not asked for the second."""

AFTER_PRESS: Final = timedelta(seconds=1)
NOTICE_KEPT: Final = timedelta(minutes=1)
MOST_NOTICES: Final = 5
RECORD_SECONDS: Final = 2.5
TRIES: Final = 3
MOST_VIEWERS: Final = 500


@dataclass(kw_only=True, slots=True)
class _Said:
    """Answers, and whether they have reached the person."""

    notices: tuple[Notice, ...]
    at: datetime
    told: bool = False


@dataclass(kw_only=True, slots=True)
class _Viewer:
    """Somebody who has their Home open, as far as this process knows. `asked`: they want it anew, changed or not."""

    body: Body
    seen_at: datetime
    due_at: datetime | None
    asked: bool = True
    busy: bool = False
    said: _Said | None = None
    mark: str = ""
    drawn_at: datetime | None = None
    published_at: datetime | None = None
    fingerprint: str = ""
    hash: str | None = None
    failures: int = 0


class HomePublisher:
    """Who looks at Home, and the publishing. One loop calls `step`; nothing here delays a press."""

    def __init__(
        self,
        client: AsyncWebClient,
        *,
        questions: HomeQueries,
        freezes: ActiveFreezes,
        rules: Rules,
        directory: Directory,
        replies: Replies,
        patience: RateLimiter,
        workspace_url: Callable[[], str | None],
        wake: Callable[[], None],
        clock: Callable[[], datetime],
    ) -> None:
        """`wake` wakes the loop that calls `step`."""
        self._client = client
        self._questions = questions
        self._freezes = freezes
        self._rules = rules
        self._directory = directory
        self._replies = replies
        self._patience = patience
        self._workspace_url = workspace_url
        self._wake_worker = wake
        self._clock = clock
        self._viewers: dict[str, _Viewer] = {}
        self._looked_at: datetime | None = None

    def opened(self, body: Body) -> None:
        """Somebody opened their Home, or asks for it anew: what was said last has been read."""
        viewer = self._met(body)
        viewer.asked, viewer.failures = True, 0
        if viewer.said is not None and viewer.said.told:
            viewer.said = None
        self._want(viewer)

    def say(self, body: Body, text: str, blocks: list[Block] | None) -> None:
        """The answer to a press in Home, shown on top of it; where Slack does not take it, as a message."""
        viewer = self._met(body)
        buttons = [element for block in blocks or [] for element in block.get("elements", ())]
        # Whoever presses twice within a second is owed both answers.
        untold = viewer.said.notices if viewer.said is not None and not viewer.said.told else ()
        notices = (*untold, Notice(text=text, buttons=tuple(buttons)))
        viewer.said = _Said(notices=notices[-MOST_NOTICES:], at=self._clock())
        viewer.asked = True
        self._want(viewer)

    def after(self, body: Body) -> None:
        """Somebody did something: if they have their Home open, it may show something else now."""
        viewer = self._met(body) if is_home(body) else self._viewers.get(user_of(body))
        if viewer is not None:
            self._want(viewer)

    async def step(self, room: int) -> Jobs:
        """Publications that are due."""
        now = self._clock()
        self._viewers = {
            user: viewer
            for user, viewer in self._viewers.items()
            if viewer.busy or now - viewer.seen_at < LOOKED_FOR
        }
        if not self._viewers:
            return []
        await self._look(now)
        due = [
            (viewer.due_at, user)
            for user, viewer in self._viewers.items()
            if viewer.due_at is not None and viewer.due_at <= now and not viewer.busy
        ]
        return [self._claimed(user) for _, user in sorted(due)[:room]]

    def _claimed(self, user: str) -> Coroutine[Any, Any, None]:
        viewer = self._viewers[user]
        # At once: the next step may come before the piece has begun.
        viewer.busy, viewer.due_at = True, None
        return self._publish(user, viewer)

    def _met(self, body: Body) -> _Viewer:
        now, user = self._clock(), user_of(body)
        viewer = self._viewers.get(user)
        if viewer is None:
            if len(self._viewers) >= MOST_VIEWERS:
                del self._viewers[min(self._viewers, key=lambda one: self._viewers[one].seen_at)]
            viewer = self._viewers[user] = _Viewer(body=body, seen_at=now, due_at=None)
        viewer.body, viewer.seen_at = _who(body), now
        return viewer

    def _want(self, viewer: _Viewer) -> None:
        """Soon, though not more often than once a second."""
        now = self._clock()
        soonest = max(now, viewer.published_at + AFTER_PRESS) if viewer.published_at else now
        viewer.due_at = min(viewer.due_at, soonest) if viewer.due_at else soonest
        self._wake_worker()

    async def _look(self, now: datetime) -> None:
        """Asks the record every few seconds, for all viewers at once, whether anything has changed."""
        if self._looked_at is not None and now - self._looked_at < LOOK:
            return
        self._looked_at = now
        try:
            mark = await run_with_timeout(RECORD_SECONDS, self._questions.mark())
        except (DatabaseUnavailable, TimeoutError):
            return
        for viewer in self._viewers.values():
            old = viewer.drawn_at is not None and now - viewer.drawn_at >= REDRAW
            if viewer.due_at is None and (viewer.mark != mark or old):
                viewer.due_at = max(now, (viewer.published_at or now) + BETWEEN)

    async def _publish(self, user: str, viewer: _Viewer) -> None:
        asked, viewer.asked = viewer.asked, False
        try:
            await self._try(user, viewer, asked=asked)
        finally:
            viewer.busy = False
            self._wake_worker()  # it may be due again already

    async def _try(self, user: str, viewer: _Viewer, *, asked: bool) -> None:
        profile = await self._directory.profile(viewer.body)
        texts = Texts.of(profile.locale)
        now, said = self._clock(), self._still_to_read(viewer)
        notices = said.notices if said else ()
        body, several = await self._drawn(viewer, profile, texts)
        fingerprint = _fingerprint(body, notices)
        viewer.drawn_at = now
        if fingerprint == viewer.fingerprint and not asked:
            HOMES.labels(result="unchanged").inc()
            return
        view = home_view(home_top(now=now, notices=notices, several=several, texts=texts), body)
        # What nobody asked for must not overwrite what another replica has published since.
        guard = {} if asked or viewer.hash is None else {"hash": viewer.hash}
        try:
            answer = await self._patience.call(
                "views.publish", lambda: self._client.views_publish(user_id=user, view=view, **guard)
            )
        except SlackCallFailed as trouble:
            self._failed(user, viewer, trouble, said=said, asked=asked)
            return
        HOMES.labels(result="published").inc()
        if said is not None:
            said.told = True
        viewer.hash = (answer.get("view") or {}).get("hash")
        viewer.fingerprint, viewer.published_at, viewer.failures = fingerprint, now, 0

    async def _drawn(self, viewer: _Viewer, profile: Profile, texts: Texts) -> tuple[list[Block], bool]:
        """The body, and whether several may be approved at once."""
        person = profile.person
        if not is_member(person):
            viewer.mark = ""  # whom Slack does not know now is looked up again soon
            return non_member_body(person, texts=texts), False
        now = self._clock()
        seeing = load_home(
            person, questions=self._questions, freezes=self._freezes, rules=self._rules, now=now
        )
        try:
            seen = await run_with_timeout(RECORD_SECONDS, seeing)
        except (DatabaseUnavailable, TimeoutError) as trouble:
            log.warning("home_without_the_record", problem=type(trouble).__name__)
            viewer.mark = ""
            return unavailable_body(texts=texts), False
        viewer.mark = seen.mark
        body = home_body(
            seen, person=person, rules=self._rules, texts=texts, now=now, base=self._workspace_url()
        )
        return body, sum(one.foresight.counts for one in seen.mine) > 1

    def _still_to_read(self, viewer: _Viewer) -> _Said | None:
        said = viewer.said
        return said if said and (not said.told or self._clock() - said.at < NOTICE_KEPT) else None

    def _failed(
        self, user: str, viewer: _Viewer, trouble: SlackCallFailed, *, said: _Said | None, asked: bool
    ) -> None:
        """An answer must reach the person anyway; the picture is tried a few times, and then left to them."""
        log.warning("home_not_published", user=user, problem=str(trouble))
        HOMES.labels(result="failed").inc()
        if said is not None and not said.told:
            said.told = True
            for notice in said.notices:
                self._replies.write_to(user, notice.text, notice.buttons)
        viewer.failures += trouble.retry_after is None
        if str(trouble) == "hash_conflict" or viewer.failures >= TRIES:
            # Another replica serves this person's Home now; or Slack will not have it, and asking on is no use.
            self._viewers.pop(user, None)
            return
        viewer.asked = viewer.asked or asked
        viewer.due_at = self._clock() + (trouble.retry_after or BETWEEN * viewer.failures)


def _who(body: Body) -> Body:
    """What tells who somebody is, without all else that a payload brings."""
    return {
        "user": body.get("user") or {"id": user_of(body)},
        "team": body.get("team") or {"id": body.get("team_id") or ""},
    }


def _fingerprint(body: list[Block], notices: Sequence[Notice]) -> str:
    told = [(notice.text, list(notice.buttons)) for notice in notices]
    return hashlib.sha256(json.dumps([body, told], sort_keys=True).encode()).hexdigest()
