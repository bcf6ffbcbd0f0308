"""Reads Slack's user object: who the account belongs to, and whether it may decide."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

from app.flow.free_text import sanitize_text
from app.gate.ids import UserId
from app.gate.people import AccountStatus, Person
from app.i18n.catalog import Texts, known

MAX_NAME_CHARS: Final = 80
SLACKBOT: Final = "USLACKBOT"


@dataclass(frozen=True, kw_only=True, slots=True)
class Profile:
    """A person, the language to answer in, and the time zone that they live by; empty: unknown."""

    person: Person
    locale: Literal["en", "ko"]
    zone: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Workspace:
    """Our workspace, from auth.test. `enterprise`: its Enterprise Grid, if any."""

    team: str
    enterprise: str | None

    def is_foreign(self, team: str) -> bool:
        """Whether the payload names another workspace. In an Enterprise Grid only users.info can tell."""
        return bool(team) and team != self.team and self.enterprise is None

    def account_status_of(self, user: Mapping[str, Any]) -> AccountStatus:
        """Of a users.info answer; the workspaces of our own Enterprise Grid are one."""
        if self.enterprise is not None:
            elsewhere = (user.get("enterprise_user") or {}).get("enterprise_id") != self.enterprise
        elif not user.get("team_id"):
            return AccountStatus.UNKNOWN
        else:
            elsewhere = user["team_id"] != self.team
        return AccountStatus.STRANGER if elsewhere else account_status_of(user)


def account_status_of(user: Mapping[str, Any]) -> AccountStatus:
    """What users.info says of an account: https://docs.slack.dev/reference/objects/user-object."""
    if user.get("deleted"):
        return AccountStatus.DEACTIVATED
    if user.get("is_bot") or user.get("is_workflow_bot") or user.get("id") == SLACKBOT:
        return AccountStatus.BOT
    if user.get("is_stranger"):
        return AccountStatus.STRANGER
    if user.get("is_restricted") or user.get("is_ultra_restricted"):
        return AccountStatus.GUEST
    return AccountStatus.MEMBER


def profile_of(
    user: Mapping[str, Any], *, id_: UserId, name: str, workspace: Workspace, locale: Literal["en", "ko"]
) -> Profile:
    """The person of a users.info answer."""
    profile: Mapping[str, Any] = user.get("profile") or {}
    shown = profile.get("display_name") or user.get("real_name") or user.get("name") or name
    return Profile(
        person=Person(
            user=id_,
            name=sanitize_text(str(shown))[:MAX_NAME_CHARS],
            account_status=workspace.account_status_of(user),
        ),
        locale=known(user["locale"]) if user.get("locale") else locale,
        zone=str(user.get("tz") or ""),
    )


def ids_of(user: Mapping[str, Any]) -> frozenset[UserId]:
    """Every id of the person: in an Enterprise Grid a user of a workspace (U…) is a user of the Grid (W…), too."""
    found = (user.get("id"), (user.get("enterprise_user") or {}).get("id"))
    return frozenset(UserId(str(id_)) for id_ in found if id_)


def is_member(person: Person) -> bool:
    """Whether the person is a full member of our workspace, by an answer of the last hour."""
    return person.account_status is AccountStatus.MEMBER


def non_member_text(person: Person, *, texts: Texts) -> str:
    """The denial for accounts that are not full members; else empty."""
    if person.account_status is AccountStatus.UNKNOWN:
        return texts("refused.unknown_person")
    return "" if is_member(person) else texts("refused.not_a_member")
