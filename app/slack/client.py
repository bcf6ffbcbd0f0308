"""The Web API client that our loops share, and what its failures mean."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime, timedelta
from typing import Any, Final

from aiohttp import ClientConnectorError, ClientError, ClientSession
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from app.flow.notify.slack_errors import MessageGone, SlackCallFailed

CALL_SECONDS: Final = 8
GONE: Final = frozenset({"message_not_found", "cant_update_message", "edit_window_closed"})
UNDONE: Final = frozenset({"ratelimited", "service_unavailable"})
"""Slack's own words for: nothing was done."""

NOT_NOW: Final = frozenset(
    {"invalid_auth", "not_authed", "account_inactive", "token_expired", "token_revoked", "access_denied"}
)
"""Slack's own words for: not with this token. It is mended in time, and nothing of the message was judged."""

CLOSED: Final = frozenset(
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
"""Slack's own words for: not in this channel, until somebody changes that.
https://docs.slack.dev/reference/methods/chat.postMessage#errors"""

UNSURE: Final = frozenset({"internal_error", "fatal_error", "request_timeout"})
"""Slack's own words for: something may have been done."""

NO_WORD: Final = "http_"
"""Begins the error of an answer in which Slack itself said nothing."""

LONGEST_REST: Final = 3600.0

POST: Final = "chat.postMessage"
SETTLING: Final = timedelta(seconds=4)
"""A post that timed out may still arrive: it is looked for only after so long."""

# A proxy that answers in plain text makes the SDK fail with an AttributeError of its own.
UNREACHABLE: Final = (SlackApiError, ClientError, TimeoutError, OSError, AttributeError, ValueError)


def web_client(*, token: str, api_url: str | None, session: ClientSession) -> AsyncWebClient:
    """One shared session (else every call opens a connection); no retries of the SDK's own.

    Its default handler repeats a post whose answer was lost, which posts twice.
    """
    return AsyncWebClient(
        token=token,
        session=session,
        timeout=CALL_SECONDS,
        retry_handlers=[],
        base_url=api_url or AsyncWebClient.BASE_URL,
    )


def problem_of(trouble: Exception) -> str:
    """Slack's error code; where it gave none, the HTTP status or the failure's name."""
    if not isinstance(trouble, SlackApiError):
        return type(trouble).__name__
    data = getattr(trouble.response, "data", None)
    error = data.get("error") if isinstance(data, Mapping) else None
    return str(error or f"{NO_WORD}{_status(trouble)}")


def rest_of(trouble: Exception) -> timedelta | None:
    """How long Slack asks us to leave it alone; None: it does not."""
    if not isinstance(trouble, SlackApiError):
        return None
    if _status(trouble) != 429 and problem_of(trouble) != "ratelimited":
        return None
    headers = getattr(trouble.response, "headers", {})
    try:
        seconds = float(headers.get("Retry-After", 1))
    except ValueError:
        seconds = 1.0
    return timedelta(seconds=min(max(seconds, 1.0), LONGEST_REST))


class RateLimiter:
    """Slack's Retry-After, remembered: until then the method is not called again for that channel, whatever is due.

    Slack limits posts by channel. A limit of the whole workspace is learnt by each channel from one more 429.
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
            async with asyncio.timeout(CALL_SECONDS):
                return await work()
        except UNREACHABLE as trouble:
            raise self._meaning(key, trouble) from None

    def _meaning(self, key: tuple[str, str], trouble: Exception) -> Exception:
        error, wait = problem_of(trouble), rest_of(trouble)
        if wait is not None:
            now = self._clock()
            self._until = {one: until for one, until in self._until.items() if until > now}
            self._until[key] = now + wait
            return SlackCallFailed("ratelimited", retry_after=wait)
        if error in GONE:
            return MessageGone(error)
        return SlackCallFailed(
            error,
            retry_after=SETTLING if key[0] == POST and isinstance(trouble, TimeoutError) else None,
            uncertain=_may_be_done(trouble, error),
            refused=_is_refused(trouble, error),
            closed=error in CLOSED,
        )


def _may_be_done(trouble: Exception, error: str) -> bool:
    """Whether Slack may have done what was asked although it did not say so."""
    if isinstance(trouble, ClientConnectorError) or error in UNDONE:
        return False
    if not isinstance(trouble, SlackApiError) or error in UNSURE:
        return True
    status = _status(trouble)
    return status >= 500 or (error.startswith(NO_WORD) and status < 400)


def _is_refused(trouble: Exception, error: str) -> bool:
    """Whether Slack itself said no, and not only that it cannot now."""
    said = isinstance(trouble, SlackApiError) and not error.startswith(NO_WORD)
    return said and error not in UNDONE | UNSURE | NOT_NOW


def _status(trouble: SlackApiError) -> int:
    status = getattr(trouble.response, "status_code", None) or getattr(trouble.response, "status", 0)
    return status if isinstance(status, int) else 0
