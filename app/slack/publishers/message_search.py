"""Finds one message by its metadata, where the response to its post was lost."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import structlog
from slack_sdk.web.async_client import AsyncWebClient

from app.flow.notify.announcement import Destination
from app.flow.notify.slack_errors import SearchUnavailable, SlackCallFailed
from app.slack.client import RetryAfterTracker
from app.slack.publishers.card_search import MAX_CLOCK_SKEW, MAX_PAGES, SEARCH_DENIED_ERRORS
from app.slack.publishers.timeline import THREAD_GONE_ERRORS

log = structlog.get_logger(__name__)


class MessageSearch:
    """Messages of one `event_type`, each with its row's id in the metadata's payload, under `key`."""

    def __init__(
        self, client: AsyncWebClient, *, event_type: str, key: str, retry_after_tracker: RetryAfterTracker
    ) -> None:
        self._client = client
        self._event_type = event_type
        self._key = key
        self._retry_after_tracker = retry_after_tracker

    def metadata(self, id_: int) -> dict[str, Any]:
        """By which a message is found."""
        return {"event_type": self._event_type, "event_payload": {self._key: str(id_)}}

    async def find(self, id_: int, *, at: Destination, since: datetime) -> str | None:
        """The message's ts. Raises `SlackCallFailed`, and `SearchUnavailable` without the scope for it."""
        span: dict[str, Any] = {
            "channel": at.channel,
            "oldest": f"{(since - MAX_CLOCK_SKEW).timestamp():.6f}",
            "include_all_metadata": True,
            "limit": 200,
        }
        for _ in range(MAX_PAGES):
            answer = await self._page(at, span)
            for message in answer.get("messages") or ():
                if self._is_of(message, id_):
                    return str(message["ts"])
            span["cursor"] = (answer.get("response_metadata") or {}).get("next_cursor") or ""
            if not span["cursor"]:
                break
        return None

    async def _page(self, at: Destination, span: Mapping[str, Any]) -> Any:
        method = "conversations.replies" if at.thread else "conversations.history"
        try:
            return await self._retry_after_tracker.call(
                method,
                lambda: (
                    self._client.conversations_replies(ts=at.thread, **span)
                    if at.thread
                    else self._client.conversations_history(**span)
                ),
                channel=at.channel,
            )
        except SlackCallFailed as exc:
            if str(exc) not in SEARCH_DENIED_ERRORS | THREAD_GONE_ERRORS:
                raise
            log.warning("message_not_searchable", problem=str(exc), channel=at.channel)
            raise SearchUnavailable(str(exc)) from None

    def _is_of(self, message: Mapping[str, Any], id_: int) -> bool:
        metadata = message.get("metadata") or {}
        payload = metadata.get("event_payload") or {}
        return metadata.get("event_type") == self._event_type and payload.get(self._key) == str(id_)
