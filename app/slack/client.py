"""The shared Web API client, the tracker of its rate limits, and the meaning of its errors."""

import asyncio
import re
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime, timedelta
from typing import Any, Final

from aiohttp import ClientConnectorError, ClientError, ClientSession
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient
from slack_sdk.web.async_slack_response import AsyncSlackResponse

from app.flow.notify.slack_errors import MessageGone, SlackCallFailed
from app.observability.metrics import SLACK_ERRORS

CALL_TIMEOUT_SECONDS: Final = 8
MESSAGE_GONE_ERRORS: Final = frozenset({"message_not_found", "cant_update_message", "edit_window_closed"})
NOT_DONE_ERRORS: Final = frozenset({"ratelimited", "service_unavailable"})
"""Error codes after which nothing was done."""

TOKEN_ERRORS: Final = frozenset(
    {"invalid_auth", "not_authed", "account_inactive", "token_expired", "token_revoked", "access_denied"}
)
"""Error codes of the token. They are fixed by a new token, and say nothing about the message."""

CHANNEL_CLOSED_ERRORS: Final = frozenset(
    {
        "channel_not_found",
        "is_archived",
        "not_in_channel",
        "restricted_action",
        "restricted_action_non_threadable_channel",
        "restricted_action_read_only_channel",
        "restricted_action_thread_locked",
        "restricted_action_thread_only_channel",
        "user_is_restricted",
        "no_permission",
        "team_access_not_granted",
        "channel_is_limited_access",
    }
)
"""Error codes of a channel in which posts fail until somebody changes it.
https://docs.slack.dev/reference/methods/chat.postMessage#errors"""

MAYBE_DONE_ERRORS: Final = frozenset({"internal_error", "fatal_error", "request_timeout"})
"""Error codes after which the call may have been done."""

HTTP_ERROR_PREFIX: Final = "http_"
"""Prefix of the error of an HTTP response without a Slack error code."""

_CODE: Final = re.compile(r"[A-Za-z_0-9]{1,60}")
"""What a metric's label may be: Slack's codes, HTTP statuses and names of exceptions, and no text."""

MAX_RETRY_AFTER_SECONDS: Final = 3600.0

POST: Final = "chat.postMessage"
POST_SETTLE_TIME: Final = timedelta(seconds=4)
"""A post that timed out may still arrive; search for it only after this time."""

# A proxy that answers in plain text makes the SDK fail with an AttributeError of its own.
SLACK_CALL_ERRORS: Final = (SlackApiError, ClientError, TimeoutError, OSError, AttributeError, ValueError)


class WebClient(AsyncWebClient):
    """The SDK's client; counts the calls that fail."""

    async def api_call(self, api_method: str, **how: Any) -> AsyncSlackResponse:
        try:
            return await super().api_call(api_method, **how)
        except (*SLACK_CALL_ERRORS, asyncio.CancelledError) as exc:
            # Cancelled: the caller's own time was over before Slack answered.
            code = error_code_of(exc)
            SLACK_ERRORS.labels(method=api_method, code=code if _CODE.fullmatch(code) else "other").inc()
            raise


def web_client(*, token: str, api_url: str | None, session: ClientSession) -> AsyncWebClient:
    """One shared session (else every call opens a connection); no retries of the SDK's own.

    Its default handler repeats a post whose answer was lost, which posts twice.
    """
    return WebClient(
        token=token,
        session=session,
        timeout=CALL_TIMEOUT_SECONDS,
        retry_handlers=[],
        base_url=api_url or AsyncWebClient.BASE_URL,
    )


def error_code_of(exc: BaseException) -> str:
    """Slack's error code; where it gave none, the HTTP status or the failure's name."""
    if not isinstance(exc, SlackApiError):
        return type(exc).__name__
    data = getattr(exc.response, "data", None)
    error = data.get("error") if isinstance(data, Mapping) else None
    return str(error or f"{HTTP_ERROR_PREFIX}{_status(exc)}")


def retry_after_of(exc: Exception) -> timedelta | None:
    """Slack's Retry-After; None if the error is no rate limit."""
    if not isinstance(exc, SlackApiError):
        return None
    if _status(exc) != 429 and error_code_of(exc) != "ratelimited":
        return None
    headers = getattr(exc.response, "headers", {})
    try:
        seconds = float(headers.get("Retry-After", 1))
    except ValueError:
        seconds = 1.0
    return timedelta(seconds=min(max(seconds, 1.0), MAX_RETRY_AFTER_SECONDS))


class RetryAfterTracker:
    """Remembers Slack's Retry-After, and rejects calls of that method and channel until then.

    Slack limits posts by channel. A limit of the whole workspace costs each channel one more 429.
    """

    def __init__(self, clock: Callable[[], datetime]) -> None:
        self._clock = clock
        self._until: dict[tuple[str, str], datetime] = {}

    async def call(self, method: str, work: Callable[[], Awaitable[Any]], *, channel: str = "") -> Any:
        """Calls Slack. `channel`: what the call is about, where it is about one. Raises `SlackCallFailed` or
        `MessageGone`."""
        key = (method, channel)
        wait = self._until.get(key, self._clock()) - self._clock()
        if wait > timedelta(0):
            raise SlackCallFailed("ratelimited", retry_after=wait)
        try:
            async with asyncio.timeout(CALL_TIMEOUT_SECONDS):
                return await work()
        except SLACK_CALL_ERRORS as exc:
            raise self._translated(key, exc) from None

    def _translated(self, key: tuple[str, str], exc: Exception) -> Exception:
        error, wait = error_code_of(exc), retry_after_of(exc)
        if wait is not None:
            now = self._clock()
            self._until = {one: until for one, until in self._until.items() if until > now}
            self._until[key] = now + wait
            return SlackCallFailed("ratelimited", retry_after=wait)
        if error in MESSAGE_GONE_ERRORS:
            return MessageGone(error)
        return SlackCallFailed(
            error,
            retry_after=POST_SETTLE_TIME if key[0] == POST and isinstance(exc, TimeoutError) else None,
            uncertain=_may_be_done(exc, error),
            refused=_is_refused(exc, error),
            closed=error in CHANNEL_CLOSED_ERRORS,
        )


def _may_be_done(exc: Exception, error: str) -> bool:
    """Whether Slack may have executed the call although it returned no success."""
    if isinstance(exc, ClientConnectorError) or error in NOT_DONE_ERRORS:
        return False
    if not isinstance(exc, SlackApiError) or error in MAYBE_DONE_ERRORS:
        return True
    status = _status(exc)
    return status >= 500 or (error.startswith(HTTP_ERROR_PREFIX) and status < 400)


def _is_refused(exc: Exception, error: str) -> bool:
    """Whether Slack denied the call for good, not only for now."""
    said = isinstance(exc, SlackApiError) and not error.startswith(HTTP_ERROR_PREFIX)
    return said and error not in NOT_DONE_ERRORS | MAYBE_DONE_ERRORS | TOKEN_ERRORS


def _status(exc: SlackApiError) -> int:
    status = getattr(exc.response, "status_code", None) or getattr(exc.response, "status", 0)
    return status if isinstance(status, int) else 0
