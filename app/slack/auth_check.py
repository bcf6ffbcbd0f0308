"""Checks the Slack tokens at start, and again until Slack has answered auth.test."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from datetime import timedelta
from typing import Any, Final

import structlog
from slack_sdk.web.async_client import AsyncWebClient

from app.slack.client import SLACK_CALL_ERRORS, error_code_of
from app.slack.users.directory import Directory

log = structlog.get_logger(__name__)

START_TIMEOUT_SECONDS: Final = 5
GROUP_REFRESH_INTERVAL: Final = timedelta(seconds=55)
MIN_INTERVAL_PER_GROUP: Final = timedelta(seconds=6)
"""usergroups.users.list allows about 20 calls a minute, so many groups are refreshed less often."""

FATAL_ERRORS: Final = frozenset(
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
"""Error codes that a retry with the same token does not fix."""

HISTORY_SCOPES: Final = frozenset({"channels:history", "groups:history"})


class CannotStart(Exception):
    """The message names what is wrong and what to do."""


class AuthCheck:
    """`workspace_url` is None until auth.test has succeeded. `may_search`: the token may read channels."""

    def __init__(self, client: AsyncWebClient, *, directory: Directory, app_token: str | None) -> None:
        self._client = client
        self._directory = directory
        self._app_token = app_token
        self.workspace_url: str | None = None
        self.may_search = False

    async def check_at_start(self, groups: Iterable[str]) -> None:
        """Starts also while Slack is unreachable, because deadlines must be kept. Raises `CannotStart`."""
        await asyncio.gather(self._check_bot_token(), self._check_app_token(), self._load_groups(groups))

    async def refresh(self, entries: Iterable[str], *, in_grid: Iterable[str]) -> bool:
        """Refreshes groups and users that no other replica has refreshed. False if a call failed.

        `in_grid`: the entries in an Enterprise Grid, where a person has two ids, so that everybody is looked up.
        """
        if self._directory.team is None:
            try:
                await self._check_bot_token()
            except CannotStart as exc:
                log.error("slack_token_refused", problem=str(exc))
        wanted = frozenset(entries if self._directory.enterprise is None else in_grid)
        complete = await self._directory.members.keep(
            wanted, period=max(GROUP_REFRESH_INTERVAL, MIN_INTERVAL_PER_GROUP * len(wanted))
        )
        if self._directory.enterprise is not None:
            complete = await self._directory.members.learn_aliases() and complete
        return complete and self._directory.team is not None

    async def _check_bot_token(self) -> None:
        who = await _call(self._client.auth_test, "SLACK_BOT_TOKEN")
        if who is None:
            return
        self._directory.team = who.get("team_id")
        self._directory.enterprise = who.get("enterprise_id")
        if who.get("is_enterprise_install"):
            log.error("slack_org_wide_install_not_supported", remedy="install the app in one workspace")
        self.workspace_url = who.get("url")
        scopes = str(who.headers.get("X-OAuth-Scopes", "")).replace(" ", "").split(",")
        self.may_search = set(scopes) >= HISTORY_SCOPES

    async def _check_app_token(self) -> None:
        """With a bad app token the socket client retries forever without a message; this check reports it."""
        token = self._app_token
        if token:
            await _call(lambda: self._client.apps_connections_open(app_token=token), "SLACK_APP_TOKEN")

    async def _load_groups(self, groups: Iterable[str]) -> None:
        """Loads group members before the first vote, so that nobody is denied because they are unknown."""
        try:
            async with asyncio.timeout(START_TIMEOUT_SECONDS):
                await self._directory.refresh_groups(groups)
        except TimeoutError:
            log.warning("slack_groups_not_known_yet")


async def _call(method: Callable[[], Awaitable[Any]], variable: str) -> Any:
    try:
        async with asyncio.timeout(START_TIMEOUT_SECONDS):
            return await method()
    except SLACK_CALL_ERRORS as exc:
        error = error_code_of(exc)
        if error in FATAL_ERRORS:
            raise CannotStart(
                f"{variable}: Slack refuses it ({error}). Copy it again from the app's page."
            ) from None
        log.warning("slack_auth_check_failed", variable=variable, problem=error)
    return None
