"""Looks up users in Slack. Cached answers stay valid for an hour while Slack is unreachable."""

import asyncio
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any, Final, Literal

import structlog
from slack_sdk.web.async_client import AsyncWebClient

from app.flow.free_text import sanitize_text
from app.flow.ports.membership import MembershipRepository
from app.gate.ids import UserId
from app.gate.people import AccountStatus, Person
from app.gate.rules.policy import Roster
from app.slack.client import SLACK_CALL_ERRORS, error_code_of
from app.slack.payload import user_of
from app.slack.users.accounts import MAX_NAME_CHARS, Profile, Workspace, ids_of, profile_of
from app.slack.users.members import Members

log = structlog.get_logger(__name__)

PROFILE_TTL: Final = timedelta(minutes=10)
MAX_PROFILE_AGE: Final = timedelta(hours=1)
"""Older answers about a person or group are not used: unknown means denied."""

FAILURE_TTL: Final = timedelta(seconds=3)
"""Many requests of one person cost one failed look-up."""

LOOKUP_TIMEOUT_SECONDS: Final = 1.5
"""A request is answered within 3 s, and the look-up may take half of that."""

MAX_PROFILES: Final = 5000
NO_SUCH_USER: Final = frozenset({"user_not_found", "user_not_visible", "users_not_found"})


class Directory:
    """Users and user groups of one workspace. `team` and `enterprise` are ours, from auth.test."""

    def __init__(
        self,
        client: AsyncWebClient,
        *,
        clock: Callable[[], datetime],
        locale: Literal["en", "ko"],
        repository: MembershipRepository | None = None,
    ) -> None:
        """`repository` shares the members of groups with the other replicas. None: they are kept in memory only."""
        self._client = client
        self._clock = clock
        self._locale: Literal["en", "ko"] = locale
        self._profiles: dict[UserId, tuple[datetime, Profile]] = {}
        self._lookups: dict[UserId, asyncio.Task[Profile]] = {}
        self._failures: dict[UserId, tuple[datetime, str]] = {}
        self.members = Members(client, clock=clock, max_age=MAX_PROFILE_AGE, repository=repository)
        self.team: str | None = None
        self.enterprise: str | None = None

    async def profile(self, body: Mapping[str, Any]) -> Profile:
        """The sender of this signed payload. The status is unknown if Slack did not answer users.info or auth.test."""
        user = body.get("user") or {}
        id_ = UserId(user_of(body))
        name = str(user.get("name") or user.get("username") or body.get("user_name") or id_)
        if self.team is None:
            return self._outsider(id_, name, AccountStatus.UNKNOWN)
        workspace = Workspace(team=self.team, enterprise=self.enterprise)
        if workspace.is_foreign(_team_of(body)):
            return self._outsider(id_, name, AccountStatus.STRANGER)
        asked_at, profile = self._profiles.get(id_, (None, None))
        age = self._clock() - asked_at if asked_at is not None else MAX_PROFILE_AGE
        if profile is not None and age < PROFILE_TTL:
            return profile
        problem = self._recent_failure(id_)
        if problem is None:
            try:
                # One look-up for each person, shielded: no waiting request may cancel it.
                return await asyncio.shield(self._lookup(id_, name, workspace))
            except SLACK_CALL_ERRORS as exc:
                problem = error_code_of(exc)
        if problem in NO_SUCH_USER:
            self._profiles.pop(id_, None)
        elif profile is not None and age < MAX_PROFILE_AGE:
            return profile
        return self._outsider(id_, name, AccountStatus.UNKNOWN)

    def roster(self) -> Roster:
        """The groups as last synced. A group never synced, or not for an hour, has no members."""
        return self.members.roster()

    def last_synced_at(self, group: str) -> datetime | None:
        """When this group's members were last synced; None: never."""
        return self.members.last_synced_at(group)

    async def refresh_groups(self, groups: Iterable[str]) -> bool:
        """Refreshes each group's members. False if a call failed (the old entry stays)."""
        return await self.members.ask(groups)

    def _recent_failure(self, id_: UserId) -> str | None:
        """The error of a recent failed look-up; None: Slack may be asked now."""
        failed_at, problem = self._failures.get(id_, (None, ""))
        return problem if failed_at is not None and self._clock() - failed_at < FAILURE_TTL else None

    def _lookup(self, id_: UserId, name: str, workspace: Workspace) -> "asyncio.Task[Profile]":
        if id_ not in self._lookups:
            task = asyncio.create_task(
                asyncio.wait_for(self._ask(id_, name, workspace), LOOKUP_TIMEOUT_SECONDS)
            )
            self._lookups[id_] = task
            task.add_done_callback(lambda done: self._looked_up(id_, done))
        return self._lookups[id_]

    def _looked_up(self, id_: UserId, done: "asyncio.Task[Profile]") -> None:
        del self._lookups[id_]
        if done.cancelled():
            return
        if isinstance(exc := done.exception(), SLACK_CALL_ERRORS):
            problem = error_code_of(exc)
            log.warning("slack_user_unknown", user=id_, problem=problem)
            now = self._clock()
            kept = {one: failure for one, failure in self._failures.items() if now - failure[0] < FAILURE_TTL}
            self._failures = {**kept, id_: (now, problem)}
        if exc is not None:
            return
        if len(self._profiles) >= MAX_PROFILES:
            self._profiles.clear()
        self._profiles[id_] = (self._clock(), done.result())

    async def _ask(self, id_: UserId, name: str, workspace: Workspace) -> Profile:
        answer = await self._client.users_info(user=id_, include_locale=True)
        user: Mapping[str, Any] = answer.get("user") or {}
        ids = ids_of(user)
        if id_ not in ids:
            raise ValueError("users.info named nobody, or somebody else")
        profile = profile_of(user, id_=id_, name=name, workspace=workspace, locale=self._locale)
        if profile.person.account_status is AccountStatus.UNKNOWN:
            raise ValueError("users.info did not name the workspace")
        await self.members.learn(id_, ids)
        return profile

    def _outsider(self, id_: UserId, name: str, account_status: AccountStatus) -> Profile:
        person = Person(user=id_, name=sanitize_text(name)[:MAX_NAME_CHARS], account_status=account_status)
        return Profile(person=person, locale=self._locale)


def _team_of(body: Mapping[str, Any]) -> str:
    """The workspace of the sender, if the payload names it."""
    user, team = body.get("user") or {}, body.get("team") or {}
    return str(user.get("team_id") or team.get("id") or body.get("team_id") or "")
