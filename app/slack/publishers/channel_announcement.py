"""Messages into channels, beside the cards."""

from collections.abc import Callable
from contextlib import suppress
from datetime import datetime
from typing import Final

from slack_sdk.web.async_client import AsyncWebClient

from app.flow.notify.announce_in_channel import DueChannelAnnouncement
from app.flow.notify.announcement import Destination
from app.flow.notify.slack_errors import SearchUnavailable
from app.flow.ports.rules import Rules
from app.i18n.catalog import Texts
from app.slack.client import RetryAfterTracker
from app.slack.publishers.message_search import MessageSearch
from app.slack.text.freeze_acts import act_text

EVENT_TYPE: Final = "switchgate_channel"
"""Message metadata by which a post whose response was lost is found."""


class SlackChannelAnnouncer:
    """See `app.flow.notify.announce_in_channel.ChannelAnnouncer`."""

    def __init__(
        self,
        client: AsyncWebClient,
        *,
        texts: Texts,
        rules: Rules,
        workspace_url: Callable[[], str | None],
        retry_after_tracker: RetryAfterTracker,
        clock: Callable[[], datetime],
    ) -> None:
        self._client = client
        self._texts = texts
        self._rules = rules
        self._workspace_url = workspace_url
        self._retry_after_tracker = retry_after_tracker
        self._clock = clock
        self._search = MessageSearch(
            client, event_type=EVENT_TYPE, key="message", retry_after_tracker=retry_after_tracker
        )

    async def post(self, due: DueChannelAnnouncement) -> str:
        """Posts the message. A lost response raises with `uncertain`."""
        text = act_text(
            due, texts=self._texts, rules=self._rules, base=self._workspace_url(), now=self._clock()
        )
        answer = await self._retry_after_tracker.call(
            "chat.postMessage",
            lambda: self._client.chat_postMessage(
                channel=due.channel,
                text=text,
                unfurl_links=False,
                unfurl_media=False,
                metadata=self._search.metadata(due.id),
            ),
            channel=due.channel,
        )
        return str(answer["ts"])

    async def find(self, due: DueChannelAnnouncement) -> str | None:
        """Searches for a post whose response was lost. Without the scope, it counts as not posted."""
        at = Destination(channel=due.channel, thread=None)
        with suppress(SearchUnavailable):
            return await self._search.find(due.id, at=at, since=due.posting_since or due.written_at)
        return None
