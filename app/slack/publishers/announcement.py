"""Announcements on Slack: a reply in the card's thread that is shown in the channel too."""

from collections.abc import Callable
from contextlib import suppress
from typing import Any, Final

from slack_sdk.web.async_client import AsyncWebClient

from app.flow.notify.announcement import Destination, DueAnnouncement
from app.flow.notify.slack_errors import MessageGone, SearchUnavailable, SlackCallFailed
from app.flow.ports.rules import Rules
from app.i18n.catalog import Texts
from app.slack.client import RetryAfterTracker
from app.slack.publishers.message_search import MessageSearch
from app.slack.publishers.timeline import THREAD_GONE_ERRORS
from app.slack.text.announcements import announcement_blocks

EVENT_TYPE: Final = "switchgate_announcement"
"""Message metadata by which a post whose response was lost is found."""


class SlackAnnouncer:
    """See `app.flow.notify.announce.Announcer`."""

    def __init__(
        self,
        client: AsyncWebClient,
        *,
        texts: Texts,
        rules: Rules,
        workspace_url: Callable[[], str | None],
        retry_after_tracker: RetryAfterTracker,
    ) -> None:
        self._client = client
        self._texts = texts
        self._rules = rules
        self._workspace_url = workspace_url
        self._retry_after_tracker = retry_after_tracker
        self._search = MessageSearch(
            client, event_type=EVENT_TYPE, key="announcement", retry_after_tracker=retry_after_tracker
        )

    async def post(self, due: DueAnnouncement, *, to: Destination) -> str:
        """Posts the message. A lost response raises with `uncertain`."""
        text, blocks = announcement_blocks(
            due, texts=self._texts, rules=self._rules, base=self._workspace_url()
        )
        thread: dict[str, Any] = {"thread_ts": to.thread, "reply_broadcast": True} if to.thread else {}
        try:
            answer = await self._retry_after_tracker.call(
                "chat.postMessage",
                lambda: self._client.chat_postMessage(
                    channel=to.channel,
                    **thread,
                    text=text,
                    blocks=blocks,
                    unfurl_links=False,
                    unfurl_media=False,
                    metadata=self._search.metadata(due.id),
                ),
                channel=to.channel,
            )
        except SlackCallFailed as exc:
            if str(exc) in THREAD_GONE_ERRORS:
                raise MessageGone(str(exc)) from None
            raise
        return str(answer["ts"])

    async def find(self, due: DueAnnouncement, *, to: Destination) -> str | None:
        """Searches for a post whose response was lost. Without the scope, it counts as not posted."""
        with suppress(SearchUnavailable):
            return await self._search.find(due.id, at=to, since=due.posting_since or due.written_at)
        return None
