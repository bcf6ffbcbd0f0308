"""Finds a user by e-mail address. Needs the optional scope users:read.email."""

import asyncio
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Final

import structlog
from slack_sdk.web.async_client import AsyncWebClient

from app.gate.ids import UserId
from app.gate.people import AccountStatus
from app.slack.client import SLACK_CALL_ERRORS, error_code_of, retry_after_of
from app.slack.users.accounts import account_status_of

log = structlog.get_logger(__name__)

ERROR_BACKOFF: Final = timedelta(seconds=10)
CACHE_TTL: Final = timedelta(minutes=10)
LOOKUP_TIMEOUT_SECONDS: Final = 5
MAX_CACHE_ENTRIES: Final = 1000
HUMAN_STATUSES: Final = frozenset({AccountStatus.MEMBER, AccountStatus.GUEST})
NOT_FOUND_ERRORS: Final = frozenset({"users_not_found", "missing_scope", "user_not_found"})
"""Error codes that a retry does not change."""


class SlackEmailLookup:
    """See `app.flow.evidence.resolve_deployer.EmailLookup`. Answers are cached for ten minutes, also
    negative ones.
    """

    def __init__(self, client: AsyncWebClient, *, clock: Callable[[], datetime]) -> None:
        self._client = client
        self._clock = clock
        self._retry_at = clock()
        self._cache: dict[str, tuple[datetime, UserId | None]] = {}

    async def by_email(self, address: str) -> UserId | None:
        """The user; None if nobody has this address or Slack failed."""
        key = address.casefold()
        asked_at, found = self._cache.get(key, (None, None))
        if asked_at is not None and self._clock() - asked_at < CACHE_TTL:
            return found
        if self._clock() < self._retry_at:
            return None
        try:
            answer = await asyncio.wait_for(
                self._client.users_lookupByEmail(email=address), LOOKUP_TIMEOUT_SECONDS
            )
            user = answer.get("user") or {}
            found = (
                UserId(str(user["id"]))
                if user.get("id") and account_status_of(user) in HUMAN_STATUSES
                else None
            )
        except SLACK_CALL_ERRORS as exc:
            if not self._is_nobody(exc):
                self._retry_at = self._clock() + (retry_after_of(exc) or ERROR_BACKOFF)
                return None
            found = None
        if len(self._cache) >= MAX_CACHE_ENTRIES:
            self._cache.clear()
        self._cache[key] = (self._clock(), found)
        return found

    def _is_nobody(self, exc: Exception) -> bool:
        problem = error_code_of(exc)
        if problem != "users_not_found":
            log.warning("slack_address_unknown", problem=problem)
        return problem in NOT_FOUND_ERRORS
