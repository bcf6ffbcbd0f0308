"""Who we are to Slack: tokens proved at the start, and asked again while Slack has not told us yet."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from datetime import timedelta
from typing import Any, Final

import structlog
from slack_sdk.web.async_client import AsyncWebClient

from app.slack.client import UNREACHABLE, problem_of
from app.slack.users.directory import Directory

log = structlog.get_logger(__name__)

START_SECONDS: Final = 5
KEPT: Final = timedelta(seconds=55)
SECONDS_EACH: Final = timedelta(seconds=6)
"""usergroups.users.list allows some twenty calls a minute: a large configuration is asked about less often."""

FATAL: Final = frozenset(
    {
        "invalid_auth",
        "not_authed",
        "account_inactive",
        "token_revoked",
        "token_expired",
        "no_permission",
        "not_allowed_token_type",
        "missing_scope",
    }
)
"""Slack's answers to a token that waiting will not mend."""

SEARCH: Final = frozenset({"channels:history", "groups:history"})


class CannotStart(Exception):
    """The message names what is wrong and what to do."""


class AuthCheck:
    """`workspace_url` is None until Slack has told it; `may_search`: whether we may read our channels."""

    def __init__(self, client: AsyncWebClient, *, directory: Directory, app_token: str | None) -> None:
        self._client = client
        self._directory = directory
        self._app_token = app_token
        self.workspace_url: str | None = None
        self.may_search = False

    async def begin(self, groups: Iterable[str]) -> None:
        """Slack being away is no reason not to start: deadlines must still be kept. Raises `CannotStart`."""
        await asyncio.gather(self._greet(), self._prove_app_token(), self._first_groups(groups))

    async def keep(self, groups: Iterable[str]) -> bool:
        """Hears of the groups' members again, where no other replica has; False: something of it Slack did not tell."""
        if self._directory.team is None:
            try:
                await self._greet()
            except CannotStart as refusal:
                log.error("slack_token_refused", problem=str(refusal))
        wanted = frozenset(groups)
        whole = await self._directory.members.keep(wanted, period=max(KEPT, SECONDS_EACH * len(wanted)))
        if self._directory.enterprise is not None:
            whole = await self._directory.members.learn_aliases() and whole
        return whole and self._directory.team is not None

    async def _greet(self) -> None:
        who = await _ask(self._client.auth_test, "SLACK_BOT_TOKEN")
        if who is None:
            return
        self._directory.team = who.get("team_id")
        self._directory.enterprise = who.get("enterprise_id")
        if who.get("is_enterprise_install"):
            log.error("slack_org_wide_install_not_supported", remedy="install the app in one workspace")
        self.workspace_url = who.get("url")
        scopes = str(who.headers.get("X-OAuth-Scopes", "")).replace(" ", "").split(",")
        self.may_search = set(scopes) >= SEARCH

    async def _prove_app_token(self) -> None:
        """A bad app token makes the socket client retry for ever in silence; this says so at once."""
        token = self._app_token
        if token:
            await _ask(lambda: self._client.apps_connections_open(app_token=token), "SLACK_APP_TOKEN")

    async def _first_groups(self, groups: Iterable[str]) -> None:
        """Nobody is to be refused only because the members were not heard of yet."""
        try:
            async with asyncio.timeout(START_SECONDS):
                await self._directory.refresh_groups(groups)
        except TimeoutError:
            log.warning("slack_groups_not_known_yet")


async def _ask(method: Callable[[], Awaitable[Any]], variable: str) -> Any:
    try:
        async with asyncio.timeout(START_SECONDS):
            return await method()
    except UNREACHABLE as trouble:
        error = problem_of(trouble)
        if error in FATAL:
            raise CannotStart(
                f"{variable}: Slack refuses it ({error}). Copy it again from the app's page."
            ) from None
        log.warning("slack_not_greeted", variable=variable, problem=error)
    return None
