"""The state of one workspace, shared by the wire and the user actions."""

from collections.abc import Iterable
from dataclasses import dataclass

from app.sandbox.slack.state.clock import Clock
from app.sandbox.slack.state.credentials import Credentials
from app.sandbox.slack.state.lock import WorkspaceLock
from app.sandbox.slack.state.messages import Messages
from app.sandbox.slack.state.people import People
from app.sandbox.slack.state.shapes import TEAM, Channel, User, UserGroup
from app.sandbox.slack.state.triggers import ResponseUrls, Triggers
from app.sandbox.slack.state.views import Views


@dataclass(frozen=True, kw_only=True, slots=True)
class Workspace:
    """`url` ends with a slash; `domain` is its first part."""

    lock: WorkspaceLock
    clock: Clock
    people: People
    messages: Messages
    views: Views
    triggers: Triggers
    response_urls: ResponseUrls
    credentials: Credentials
    team: str = TEAM
    name: str = "Sandbox"
    domain: str = "sandbox"

    @property
    def url(self) -> str:
        return f"https://{self.domain}.slack.com/"

    def permalink(self, channel: str, ts: str) -> str:
        return f"{self.url}archives/{channel}/p{ts.replace('.', '')}"


def new_workspace(
    *,
    clock: Clock,
    credentials: Credentials,
    users: Iterable[User],
    groups: Iterable[UserGroup],
    channels: Iterable[Channel],
) -> Workspace:
    lock = WorkspaceLock()
    return Workspace(
        lock=lock,
        clock=clock,
        people=People(lock, users=users, groups=groups, channels=channels),
        messages=Messages(lock, clock),
        views=Views(lock),
        triggers=Triggers(clock),
        response_urls=ResponseUrls(clock),
        credentials=credentials,
    )
