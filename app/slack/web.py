"""The Web API client that our loops share, and what its failures mean."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import Any, Final

from aiohttp import ClientError, ClientSession
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from app.flow.refresh_card import CardNotDrawn, CardVanished

CALL_SECONDS: Final = 8
GONE: Final = frozenset({"message_not_found", "cant_update_message", "edit_window_closed"})
UNSURE: Final = frozenset({"internal_error", "fatal_error", "service_unavailable", "request_timeout"})


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


class Patience:
    """Slack's Retry-After, remembered: until then the method is not called again, whatever is due."""

    def __init__(self, clock: Callable[[], datetime]) -> None:
        self._clock = clock
        self._until: dict[str, datetime] = {}

    async def call(self, method: str, work: Callable[[], Awaitable[Any]]) -> Any:
        """Calls Slack. Raises `CardNotDrawn` or `CardVanished`."""
        wait = self._until.get(method, self._clock()) - self._clock()
        if wait > timedelta(0):
            raise CardNotDrawn("ratelimited", retry_after=wait)
        try:
            async with asyncio.timeout(CALL_SECONDS):
                return await work()
        except SlackApiError as trouble:
            raise self._meaning(method, trouble) from None
        except (ClientError, TimeoutError, OSError) as trouble:
            raise CardNotDrawn(type(trouble).__name__, uncertain=True) from None

    def _meaning(self, method: str, trouble: SlackApiError) -> Exception:
        response = trouble.response
        error = str(response.get("error") or response.status_code)
        if response.status_code == 429 or error == "ratelimited":
            wait = timedelta(seconds=float(response.headers.get("Retry-After", 1)))
            self._until[method] = self._clock() + wait
            return CardNotDrawn("ratelimited", retry_after=wait)
        if error in GONE:
            return CardVanished(error)
        return CardNotDrawn(error, uncertain=response.status_code >= 500 or error in UNSURE)
