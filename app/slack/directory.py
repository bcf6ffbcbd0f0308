"""Who people are and which groups they are in, as Slack says; cached, and the old copy kept while Slack is away."""

import asyncio
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final, Literal

import structlog
from aiohttp import ClientError
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from app.gate.ids import UserId
from app.gate.policy import Person, Roster, Standing
from app.i18n.catalog import known

log = structlog.get_logger(__name__)

PERSON_KEPT: Final = timedelta(minutes=10)
ASK_SECONDS: Final = 1.5
"""A press is answered within 3 s, so the directory may cost half of them."""

UNREACHABLE: Final = (SlackApiError, ClientError, TimeoutError, OSError)


@dataclass(frozen=True, kw_only=True, slots=True)
class Profile:
    """A person and the language to answer in."""

    person: Person
    locale: Literal["en", "ko"]


class Directory:
    """Users and user groups of one workspace. `team` and `enterprise` are ours, from auth.test."""

    def __init__(
        self, client: AsyncWebClient, *, clock: Callable[[], datetime], locale: Literal["en", "ko"]
    ) -> None:
        self._client = client
        self._clock = clock
        self._locale: Literal["en", "ko"] = locale
        self._profiles: dict[UserId, tuple[datetime, Profile]] = {}
        self._members: dict[str, frozenset[UserId]] = {}
        self._members_at: dict[str, datetime] = {}
        self.team: str | None = None
        self.enterprise: str | None = None

    async def profile(self, user: Mapping[str, Any]) -> Profile:
        """Who pressed: `user` is the signed payload's. Slack away and never asked before: standing unknown."""
        id_ = UserId(str(user.get("id", "")))
        name = str(user.get("name") or user.get("username") or id_)
        if self._is_foreign(user):
            return self._stranger(id_, name, Standing.STRANGER)
        asked_at, profile = self._profiles.get(id_, (None, None))
        if asked_at is not None and profile is not None and self._clock() - asked_at < PERSON_KEPT:
            return profile
        try:
            fresh = await asyncio.wait_for(self._ask(id_, name), ASK_SECONDS)
        except UNREACHABLE as trouble:
            log.warning("slack_user_unknown", user=id_, problem=_name(trouble))
            return profile or self._stranger(id_, name, Standing.UNKNOWN)
        self._profiles[id_] = (self._clock(), fresh)
        return fresh

    def roster(self) -> Roster:
        """The groups as last heard of. A group never heard of has nobody in it."""
        return Roster(groups=dict(self._members))

    def members_age(self, group: str) -> timedelta | None:
        """How old our copy of a group is; None: Slack has never told us."""
        at = self._members_at.get(group)
        return self._clock() - at if at else None

    async def refresh_groups(self, groups: Iterable[str]) -> bool:
        """Asks Slack for each group's members; False when any answer was missing (its old copy stays)."""
        whole = True
        for group in sorted(set(groups)):
            try:
                answer = await asyncio.wait_for(self._client.usergroups_users_list(usergroup=group), 10)
            except UNREACHABLE as trouble:
                log.warning("slack_group_unknown", group=group, problem=_name(trouble))
                whole = False
                continue
            self._members[group] = frozenset(UserId(member) for member in answer.get("users") or ())
            self._members_at[group] = self._clock()
        return whole

    async def _ask(self, id_: UserId, name: str) -> Profile:
        answer = await self._client.users_info(user=id_, include_locale=True)
        user: dict[str, Any] = answer.get("user") or {}
        shown = (
            user.get("profile", {}).get("display_name") or user.get("real_name") or user.get("name") or name
        )
        return Profile(
            person=Person(user=id_, name=str(shown)[:80], standing=standing_of(user)),
            locale=known(user["locale"]) if user.get("locale") else self._locale,
        )

    def _stranger(self, id_: UserId, name: str, standing: Standing) -> Profile:
        return Profile(person=Person(user=id_, name=name[:80], standing=standing), locale=self._locale)

    def _is_foreign(self, user: Mapping[str, Any]) -> bool:
        """Another workspace's user, unless it belongs to our own Enterprise Grid."""
        team = user.get("team_id")
        if team is None or self.team is None or team == self.team:
            return False
        return self.enterprise is None or user.get("enterprise_id") != self.enterprise


def standing_of(user: Mapping[str, Any]) -> Standing:
    """What users.info says of an account: https://docs.slack.dev/reference/objects/user-object."""
    if user.get("deleted"):
        return Standing.DEACTIVATED
    if user.get("is_bot") or user.get("is_workflow_bot"):
        return Standing.BOT
    if user.get("is_stranger"):
        return Standing.STRANGER
    if user.get("is_restricted") or user.get("is_ultra_restricted"):
        return Standing.GUEST
    return Standing.MEMBER


def _name(trouble: Exception) -> str:
    if isinstance(trouble, SlackApiError):
        return str(trouble.response.get("error", "unknown"))
    return type(trouble).__name__
