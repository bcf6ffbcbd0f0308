"""Who has App Home open, and when to publish it to them. Kept in memory: opening Home again publishes it."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from app.slack.blocks import Block
from app.slack.home.view import Notice
from app.slack.payload import Body, user_of

VIEWER_TIMEOUT: Final = timedelta(minutes=10)
"""Home is kept up to date this long after the last action in it."""

REDRAW_INTERVAL: Final = timedelta(minutes=1)
"""Something may change without a database write: a configured freeze begins."""

MIN_INTERVAL: Final = timedelta(seconds=10)
"""Minimum between two publications to one viewer who did not request the second."""

MIN_INTERVAL_AFTER_ACTION: Final = timedelta(seconds=1)
NOTICE_LIFETIME: Final = timedelta(minutes=1)
MAX_NOTICES: Final = 5
MAX_VIEWERS: Final = 500


@dataclass(kw_only=True, slots=True)
class HomeReplies:
    """Replies to show in Home, and whether they were delivered."""

    notices: tuple[Notice, ...]
    at: datetime
    delivered: bool = False


@dataclass(kw_only=True, slots=True)
class Viewer:
    """A user who has Home open. `requested`: publish even if nothing changed."""

    body: Body
    seen_at: datetime
    due_at: datetime | None
    requested: bool = True
    busy: bool = False
    replies: HomeReplies | None = None
    change_token: str = ""
    drawn_at: datetime | None = None
    published_at: datetime | None = None
    fingerprint: str = ""
    hash: str | None = None
    failures: int = 0

    def add_reply(self, text: str, blocks: list[Block] | None, *, now: datetime) -> None:
        """After two quick actions the viewer gets both replies."""
        buttons = [element for block in blocks or [] for element in block.get("elements", ())]
        undelivered = self.replies.notices if self.replies is not None and not self.replies.delivered else ()
        notices = (*undelivered, Notice(text=text, buttons=tuple(buttons)))
        self.replies = HomeReplies(notices=notices[-MAX_NOTICES:], at=now)

    def drop_delivered(self) -> None:
        """Drops replies that were shown."""
        if self.replies is not None and self.replies.delivered:
            self.replies = None

    def current_replies(self, now: datetime) -> HomeReplies | None:
        """The replies to show; None once they were shown long enough."""
        replies = self.replies
        return replies if replies and (not replies.delivered or now - replies.at < NOTICE_LIFETIME) else None


class Viewers:
    """The viewers of one replica, by user id."""

    def __init__(self, clock: Callable[[], datetime]) -> None:
        self._clock = clock
        self._viewers: dict[str, Viewer] = {}

    def __bool__(self) -> bool:
        return bool(self._viewers)

    def seen(self, body: Body) -> Viewer:
        """The user of this payload, who has Home open now."""
        now, user = self._clock(), user_of(body)
        viewer = self._viewers.get(user)
        if viewer is None:
            if len(self._viewers) >= MAX_VIEWERS:
                del self._viewers[min(self._viewers, key=lambda one: self._viewers[one].seen_at)]
            viewer = self._viewers[user] = Viewer(body=body, seen_at=now, due_at=None)
        viewer.body, viewer.seen_at = _identity(body), now
        return viewer

    def get(self, user: str) -> Viewer | None:
        return self._viewers.get(user)

    def drop(self, user: str) -> None:
        """Home is no longer published to this user from here."""
        self._viewers.pop(user, None)

    def drop_idle(self) -> None:
        """Drops the viewers who have not acted for a while."""
        now = self._clock()
        self._viewers = {
            user: viewer
            for user, viewer in self._viewers.items()
            if viewer.busy or now - viewer.seen_at < VIEWER_TIMEOUT
        }

    def schedule(self, viewer: Viewer) -> None:
        """Schedules a publication, at most one a second."""
        now = self._clock()
        soonest = max(now, viewer.published_at + MIN_INTERVAL_AFTER_ACTION) if viewer.published_at else now
        viewer.due_at = min(viewer.due_at, soonest) if viewer.due_at else soonest

    def schedule_outdated(self, change_token: str) -> None:
        """Schedules those whose Home shows another state of the database, or was drawn long ago."""
        now = self._clock()
        for viewer in self._viewers.values():
            old = viewer.drawn_at is not None and now - viewer.drawn_at >= REDRAW_INTERVAL
            if viewer.due_at is None and (viewer.change_token != change_token or old):
                viewer.due_at = max(now, (viewer.published_at or now) + MIN_INTERVAL)

    def claim_due(self, limit: int) -> list[tuple[str, Viewer]]:
        """The viewers to publish to now, the longest due first."""
        now = self._clock()
        due = [
            (viewer.due_at, user)
            for user, viewer in self._viewers.items()
            if viewer.due_at is not None and viewer.due_at <= now and not viewer.busy
        ]
        claimed = [(user, self._viewers[user]) for _, user in sorted(due)[:limit]]
        for _, viewer in claimed:
            # Set now: the next step may run before this job has begun.
            viewer.busy, viewer.due_at = True, None
        return claimed


def _identity(body: Body) -> Body:
    """Only the identity fields of the payload."""
    return {
        "user": body.get("user") or {"id": user_of(body)},
        "team": body.get("team") or {"id": body.get("team_id") or ""},
    }
