"""Who people are and which groups they are in, as Slack says; cached, and the old copy kept while Slack is away."""

import asyncio
import functools
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final, Literal

import structlog
from slack_sdk.web.async_client import AsyncWebClient

from app.flow.storable import storable
from app.gate.ids import UserId
from app.gate.policy import Person, Standing
from app.gate.rulebook import Roster
from app.i18n.catalog import known
from app.slack.replies import user_of
from app.slack.web import UNREACHABLE, problem_of, rest_of

log = structlog.get_logger(__name__)

PERSON_KEPT: Final = timedelta(minutes=10)
ASK_SECONDS: Final = 1.5
"""A press is answered within 3 s, so the directory may cost half of them."""

NO_SUCH_GROUP: Final = "no_such_subteam"


@dataclass(frozen=True, kw_only=True, slots=True)
class Profile:
    """A person, the language to answer in, and the time zone that they live by; empty: unknown."""

    person: Person
    locale: Literal["en", "ko"]
    zone: str = ""


class Directory:
    """Users and user groups of one workspace. `team` and `enterprise` are ours, from auth.test."""

    def __init__(
        self, client: AsyncWebClient, *, clock: Callable[[], datetime], locale: Literal["en", "ko"]
    ) -> None:
        self._client = client
        self._clock = clock
        self._locale: Literal["en", "ko"] = locale
        self._profiles: dict[UserId, tuple[datetime, Profile]] = {}
        self._asking: dict[UserId, asyncio.Task[Profile]] = {}
        self._members: dict[str, frozenset[UserId]] = {}
        self._heard: dict[str, datetime] = {}
        self._rest_until = clock()
        self.team: str | None = None
        self.enterprise: str | None = None

    async def profile(self, body: Mapping[str, Any]) -> Profile:
        """Who sent this signed payload. Slack away and never asked before: standing unknown."""
        user = body.get("user") or {}
        id_ = UserId(user_of(body))
        name = str(user.get("name") or user.get("username") or body.get("user_name") or id_)
        if self._is_foreign(_team_of(body)):
            return self._stranger(id_, name, Standing.STRANGER)
        asked_at, profile = self._profiles.get(id_, (None, None))
        if asked_at is not None and profile is not None and self._clock() - asked_at < PERSON_KEPT:
            return profile
        try:
            return await self._asked_once(id_, name)
        except UNREACHABLE as trouble:
            log.warning("slack_user_unknown", user=id_, problem=problem_of(trouble))
            return profile or self._stranger(id_, name, Standing.UNKNOWN)

    def roster(self) -> Roster:
        """The groups as last heard of. A group never heard of has nobody in it."""
        return Roster(groups=dict(self._members))

    def heard_times(self) -> Mapping[str, datetime]:
        """When Slack last told this replica each group's members."""
        return dict(self._heard)

    async def refresh_groups(self, groups: Iterable[str]) -> bool:
        """Asks Slack for each group's members; False when any answer was missing (its old copy stays)."""
        if self._clock() < self._rest_until:
            return False
        found = [await self._refresh(group) for group in sorted(set(groups))]
        return all(found)

    async def _refresh(self, group: str) -> bool:
        try:
            answer = await asyncio.wait_for(self._client.usergroups_users_list(usergroup=group), 10)
            members = answer.get("users") or ()
        except UNREACHABLE as trouble:
            log.warning("slack_group_unknown", group=group, problem=problem_of(trouble))
            self._rest_until = self._clock() + (rest_of(trouble) or timedelta(0))
            if problem_of(trouble) != NO_SUCH_GROUP:
                return False
            members = ()
        self._members[group] = frozenset(UserId(member) for member in members)
        self._heard[group] = self._clock()
        return True

    async def _asked_once(self, id_: UserId, name: str) -> Profile:
        """One question a person at a time: whoever presses meanwhile waits for the same answer."""
        asking = self._asking.get(id_)
        if asking is None:
            asking = self._asking[id_] = asyncio.create_task(
                asyncio.wait_for(self._ask(id_, name), ASK_SECONDS)
            )
            asking.add_done_callback(functools.partial(self._answered, id_))
        return await asyncio.shield(asking)

    def _answered(self, id_: UserId, asked: "asyncio.Task[Profile]") -> None:
        del self._asking[id_]
        # The exception is read in any case: perhaps nobody has waited so long.
        if not asked.cancelled() and asked.exception() is None:
            self._profiles[id_] = (self._clock(), asked.result())

    async def _ask(self, id_: UserId, name: str) -> Profile:
        answer = await self._client.users_info(user=id_, include_locale=True)
        user: dict[str, Any] = answer.get("user") or {}
        profile: dict[str, Any] = user.get("profile") or {}
        shown = profile.get("display_name") or user.get("real_name") or user.get("name") or name
        standing = Standing.STRANGER if self._belongs_elsewhere(user) else standing_of(user)
        return Profile(
            person=Person(user=id_, name=storable(str(shown))[:80], standing=standing),
            locale=known(user["locale"]) if user.get("locale") else self._locale,
            zone=str(user.get("tz") or ""),
        )

    def _stranger(self, id_: UserId, name: str, standing: Standing) -> Profile:
        return Profile(
            person=Person(user=id_, name=storable(name)[:80], standing=standing), locale=self._locale
        )

    def _is_foreign(self, team: str) -> bool:
        """Another workspace's, by the payload. In an Enterprise Grid only users.info can tell."""
        return bool(team and self.team) and team != self.team and self.enterprise is None

    def _belongs_elsewhere(self, user: Mapping[str, Any]) -> bool:
        """Another workspace's, by users.info; the workspaces of our own Enterprise Grid are one."""
        if self.enterprise is not None:
            return (user.get("enterprise_user") or {}).get("enterprise_id") != self.enterprise
        return self._is_foreign(str(user.get("team_id") or ""))


def is_outsider(person: Person) -> bool:
    """Whether the person is known to be no full member, however often they press."""
    return person.standing not in {Standing.MEMBER, Standing.UNKNOWN}


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


def _team_of(body: Mapping[str, Any]) -> str:
    """The workspace that the person belongs to, as far as the payload says."""
    user, team = body.get("user") or {}, body.get("team") or {}
    return str(user.get("team_id") or team.get("id") or body.get("team_id") or "")
