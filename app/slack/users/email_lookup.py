"""Whose e-mail address it is, as Slack knows it. Needs the optional scope users:read.email."""

import asyncio
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Final

import structlog
from slack_sdk.web.async_client import AsyncWebClient

from app.gate.ids import UserId
from app.gate.rules.permits import Standing
from app.slack.client import UNREACHABLE, problem_of, rest_of
from app.slack.users.accounts import standing_of

log = structlog.get_logger(__name__)

TROUBLE: Final = timedelta(seconds=10)
KEPT: Final = timedelta(minutes=10)
ASK_SECONDS: Final = 5
MOST: Final = 1000
PEOPLE: Final = frozenset({Standing.MEMBER, Standing.GUEST})
NOBODY: Final = frozenset({"users_not_found", "missing_scope", "user_not_found"})
"""Answers that asking again soon would not change."""


class SlackEmailLookup:
    """See `app.flow.evidence.resolve_deployer.AddressBook`. Answers are kept for ten minutes, also that
    there is nobody.
    """

    def __init__(self, client: AsyncWebClient, *, clock: Callable[[], datetime]) -> None:
        self._client = client
        self._clock = clock
        self._rest_until = clock()
        self._known: dict[str, tuple[datetime, UserId | None]] = {}

    async def by_email(self, address: str) -> UserId | None:
        """The person; None: nobody has this address, or Slack cannot tell."""
        key = address.casefold()
        asked_at, found = self._known.get(key, (None, None))
        if asked_at is not None and self._clock() - asked_at < KEPT:
            return found
        if self._clock() < self._rest_until:
            return None
        try:
            answer = await asyncio.wait_for(self._client.users_lookupByEmail(email=address), ASK_SECONDS)
            user = answer.get("user") or {}
            found = UserId(str(user["id"])) if user.get("id") and standing_of(user) in PEOPLE else None
        except UNREACHABLE as trouble:
            if not self._is_nobody(trouble):
                self._rest_until = self._clock() + (rest_of(trouble) or TROUBLE)
                return None
            found = None
        if len(self._known) >= MOST:
            self._known.clear()
        self._known[key] = (self._clock(), found)
        return found

    def _is_nobody(self, trouble: Exception) -> bool:
        problem = problem_of(trouble)
        if problem != "users_not_found":
            log.warning("slack_address_unknown", problem=problem)
        return problem in NOBODY
