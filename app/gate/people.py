"""The people who act: who they are, and what kind of Slack account they have."""

from dataclasses import dataclass
from enum import StrEnum

from app.gate.ids import UserId


class AccountStatus(StrEnum):
    """The status of the Slack account of the user who acted."""

    MEMBER = "member"
    GUEST = "guest"
    STRANGER = "stranger"
    BOT = "bot"
    DEACTIVATED = "deactivated"
    UNKNOWN = "unknown"


@dataclass(frozen=True, kw_only=True, slots=True)
class Person:
    """The user who acted: identity from Slack's signed payload, account status from Slack's directory."""

    user: UserId
    name: str
    account_status: AccountStatus


@dataclass(frozen=True, kw_only=True, slots=True)
class Build:
    """A pipeline that acts for the build which it names. `token`: the name of the API token that it sent."""

    token: str
    name: str
    application: str
    deployment_group: str
