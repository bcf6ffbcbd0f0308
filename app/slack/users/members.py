"""Members of user groups, deactivated users, and the ids of one person, shared by all replicas."""

import asyncio
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from typing import Any, Final

import structlog
from slack_sdk.web.async_client import AsyncWebClient

from app.flow.ports.database import DatabaseUnavailable
from app.flow.ports.membership import Membership, MembershipRepository
from app.gate.ids import UserId
from app.gate.people import AccountStatus
from app.gate.rules.policy import Roster
from app.slack.client import SLACK_CALL_ERRORS, error_code_of, retry_after_of
from app.slack.users.accounts import account_status_of, ids_of

log = structlog.get_logger(__name__)

LOOKUP_TIMEOUT_SECONDS: Final = 10
STALE_AFTER: Final = timedelta(minutes=10)
MAX_LOOKUPS: Final = 20
RETRY_AFTER: Final = timedelta(seconds=4)
NO_SUCH_ENTRY: Final = frozenset(
    {"no_such_subteam", "subteam_disabled", "user_not_found", "user_not_visible"}
)
"""Error codes that mean: this id names nobody (any more)."""


class Members:
    """`record` is shared by all replicas; without it everything is kept in memory only."""

    def __init__(
        self,
        client: AsyncWebClient,
        *,
        clock: Callable[[], datetime],
        max_age: timedelta,
        repository: MembershipRepository | None,
    ) -> None:
        self._client = client
        self._clock = clock
        self._max_age = max_age
        self._repository = repository
        self._known: dict[str, Membership] = {}
        self._aliases: dict[UserId, frozenset[UserId]] = {}
        self._kept: frozenset[str] = frozenset()
        self._retry_at = clock()
        self._shown: Roster | None = None

    def roster(self) -> Roster:
        """The roster now. `gone`: configured users who cannot decide any more."""
        oldest = self._clock() - self._max_age
        groups = {
            entry: frozenset(map(UserId, one.members))
            for entry, one in self._known.items()
            if entry.startswith("S") and one.last_synced_at > oldest
        }
        gone = frozenset(
            UserId(entry)
            for entry, one in self._known.items()
            if not entry.startswith("S") and not one.members
        )
        return Roster(groups=groups, aliases=self._aliases, deactivated=gone)

    def last_synced_at(self, entry: str) -> datetime | None:
        """When this group or user was last synced; None: never."""
        known = self._known.get(entry)
        return known.last_synced_at if known else None

    def is_stale(self) -> bool:
        """Whether a kept entry was last synced several minutes ago: Slack failed, or this process was paused."""
        oldest = self._clock() - STALE_AFTER
        return any(self._known[entry].last_synced_at < oldest for entry in self._kept & self._known.keys())

    async def sync(self) -> bool:
        """Loads what other replicas synced; returns whether the roster changed since the last call.

        Raises `DatabaseUnavailable`.
        """
        if self._repository is not None:
            for one in await self._repository.all():
                self._adopt(one)
        roster = self.roster()
        changed = self._shown is not None and roster != self._shown
        self._shown = roster
        return changed

    async def keep(self, entries: Iterable[str], *, period: timedelta) -> bool:
        """Refreshes entries that no replica refreshed within `period`. False if a call failed."""
        self._kept = frozenset(entries)
        return await self.ask(await self._claimed(sorted(self._kept), period=period))

    async def learn_aliases(self) -> bool:
        """Looks up some members whose ids are not known, for an Enterprise Grid; False: more are left."""
        members = {member for one in self._known.values() for member in one.members}
        unknown = sorted(members - self._known.keys() - self._aliases.keys())
        await self.ask(await self._claimed(unknown[:MAX_LOOKUPS], period=self._max_age))
        return len(unknown) <= MAX_LOOKUPS

    async def _claimed(self, entries: list[str], *, period: timedelta) -> list[str]:
        if self._repository is None or not entries:
            return entries
        now = self._clock()
        stale_before, requested_before = now - period, now - RETRY_AFTER
        return list(
            await self._repository.claim(
                entries, stale_before=stale_before, requested_before=requested_before, now=now
            )
        )

    async def ask(self, entries: Iterable[str]) -> bool:
        """Refreshes each of these now. False if a call failed (the old entry stays)."""
        found = True
        for entry in sorted(set(entries)):
            found = self._clock() >= self._retry_at and await self._ask(entry) and found
        return found and self._clock() >= self._retry_at

    async def learn(self, user: UserId, ids: frozenset[UserId]) -> None:
        """Saves which ids belong to one person."""
        if len(ids) > 1 and self._aliases.get(user) != ids:
            await self._keep(Membership(entry=user, members=tuple(sorted(ids)), last_synced_at=self._clock()))

    async def _ask(self, entry: str) -> bool:
        try:
            members = await asyncio.wait_for(self._members(entry), LOOKUP_TIMEOUT_SECONDS)
        except SLACK_CALL_ERRORS as exc:
            problem = error_code_of(exc)
            log.warning("slack_group_unknown", group=entry, problem=problem)
            self._retry_at = self._clock() + (retry_after_of(exc) or timedelta(0))
            if problem not in NO_SUCH_ENTRY:
                return False
            members = ()
        await self._keep(Membership(entry=entry, members=members, last_synced_at=self._clock()))
        return True

    async def _members(self, entry: str) -> tuple[str, ...]:
        if entry.startswith("S"):
            answer: Any = await self._client.usergroups_users_list(usergroup=entry)
            return tuple(str(member) for member in answer.get("users") or ())
        user = (await self._client.users_info(user=entry)).get("user") or {}
        ids = ids_of(user)
        if not ids:
            raise ValueError("users.info named nobody")
        return tuple(sorted(ids)) if account_status_of(user) is AccountStatus.MEMBER else ()

    async def _keep(self, one: Membership) -> None:
        self._adopt(one)
        if self._repository is None:
            return
        try:
            await self._repository.store([one])
        except DatabaseUnavailable:
            log.warning("membership_not_shared", entry=one.entry)

    def _adopt(self, one: Membership) -> None:
        before = self._known.get(one.entry)
        if before is not None and before.last_synced_at >= one.last_synced_at:
            return
        self._known[one.entry] = one
        if not one.entry.startswith("S") and (len(one.members) > 1 or UserId(one.entry) in self._aliases):
            ids = frozenset(map(UserId, one.members))
            known = frozenset().union(*(self._aliases.get(id_, frozenset()) for id_ in ids))
            # A new mapping each time, so that rosters already returned do not change.
            self._aliases = {**self._aliases, **dict.fromkeys(ids | known, ids | known)}
