"""Users, groups, channels, messages and views."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Literal

Json = dict[str, Any]

TEAM: Final = "T0SANDBOX"
APP: Final = "A0SWITCHGATE"
BOT: Final = "B0SWITCHGATE"
BOT_USER: Final = "U0SWITCHGATE"


@dataclass(frozen=True, kw_only=True, slots=True)
class User:
    """A person or bot: https://docs.slack.dev/reference/objects/user-object. `tz` is an IANA name."""

    id: str
    name: str
    real_name: str
    locale: Literal["en-US", "ko-KR"] = "en-US"
    tz: str = "Asia/Seoul"
    email: str = ""
    is_bot: bool = False
    deleted: bool = False
    is_stranger: bool = False
    is_restricted: bool = False
    is_ultra_restricted: bool = False
    team_id: str = TEAM
    enterprise_user: str = ""
    """The person's id in the Enterprise Grid (W…), where the workspace belongs to one."""


@dataclass(frozen=True, kw_only=True, slots=True)
class UserGroup:
    """`handle` without the @."""

    id: str
    handle: str
    members: tuple[str, ...]
    name: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Channel:
    """`is_member`: whether the app has been invited."""

    id: str
    name: str
    is_member: bool = True
    is_private: bool = False
    is_im: bool = False
    is_archived: bool = False
    user: str = ""


@dataclass(frozen=True, slots=True)
class Shown:
    """What a message says at one time."""

    text: str = ""
    blocks: Sequence[Json] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class Message:
    """One message. `only_for`: an ephemeral one, and who sees it. `earlier`: what it said before, oldest first.

    `broadcast`: a reply that is shown in the channel, too; it is still a reply.
    `edited_at` is a ts and set only where Slack's client says "(edited)": not while blocks are shown.
    """

    channel: str
    ts: str
    user: str
    shown: Shown
    by_app: bool
    metadata: Json | None = None
    thread_ts: str | None = None
    broadcast: bool = False
    only_for: str | None = None
    edited_at: str | None = None
    earlier: tuple[Shown, ...] = ()
    deleted: bool = False

    @property
    def text(self) -> str:
        return self.shown.text

    @property
    def blocks(self) -> Sequence[Json]:
        return self.shown.blocks

    @property
    def is_reply(self) -> bool:
        return self.thread_ts is not None and self.thread_ts != self.ts


@dataclass(frozen=True, kw_only=True, slots=True)
class View:
    """An open modal or a Home tab. `body` is what the app sent, with the ids that Slack gives to blocks.

    `errors`: block_id -> text, shown under the fields.
    """

    id: str
    user: str
    body: Json
    hash: str
    root: str
    previous: str | None = None
    errors: dict[str, str] = field(default_factory=dict)

    @property
    def type(self) -> str:
        return str(self.body["type"])

    @property
    def callback_id(self) -> str:
        return str(self.body.get("callback_id", ""))
