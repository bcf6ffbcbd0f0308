"""Direct messages about waiting gates."""

from collections.abc import Callable
from typing import Final

import structlog
from slack_sdk.web.async_client import AsyncWebClient

from app.flow.notify.announcement import Destination
from app.flow.notify.send_direct_message import DueDirectMessage
from app.flow.notify.slack_errors import SlackCallFailed
from app.flow.read_models import CardPlace
from app.gate.ids import UserId
from app.i18n.catalog import Texts
from app.slack.blocks import section
from app.slack.client import RetryAfterTracker
from app.slack.publishers.message_search import MessageSearch
from app.slack.text.direct_messages import decided_text, waiting_text

log = structlog.get_logger(__name__)

EVENT_TYPE: Final = "switchgate_direct"
"""Message metadata by which a post whose response was lost is found."""

MISSING_SCOPE: Final = "missing_scope"


class SlackMessenger:
    """See `app.flow.notify.send_direct_message.Messenger`."""

    def __init__(
        self,
        client: AsyncWebClient,
        *,
        workspace_url: Callable[[], str | None],
        retry_after_tracker: RetryAfterTracker,
    ) -> None:
        self._client = client
        self._workspace_url = workspace_url
        self._retry_after_tracker = retry_after_tracker
        self._search = MessageSearch(
            client, event_type=EVENT_TYPE, key="message", retry_after_tracker=retry_after_tracker
        )

    async def conversation(self, person: UserId) -> str:
        """Opens it. Without the scope for it, the person's own id: Slack accepts that for a post."""
        try:
            answer = await self._retry_after_tracker.call(
                "conversations.open", lambda: self._client.conversations_open(users=person)
            )
        except SlackCallFailed as exc:
            if str(exc) != MISSING_SCOPE:
                raise
            log.warning("conversation_not_opened", problem=str(exc), remedy="add the scope im:write")
            return person
        return str(answer["channel"]["id"])

    async def post(self, due: DueDirectMessage, *, channel: str) -> CardPlace:
        """Posts the message. A lost response raises with `uncertain`."""
        text = waiting_text(due, texts=Texts.of(due.locale or "en"), base=self._workspace_url())
        answer = await self._retry_after_tracker.call(
            "chat.postMessage",
            lambda: self._client.chat_postMessage(
                channel=channel,
                text=text,
                blocks=[section(text)],
                unfurl_links=False,
                unfurl_media=False,
                metadata=self._search.metadata(due.id),
            ),
            channel=channel,
        )
        # A post to a person's id is answered with the conversation's.
        return CardPlace(channel=str(answer.get("channel") or channel), ts=str(answer["ts"]))

    async def find(self, due: DueDirectMessage, *, channel: str) -> str | None:
        """Searches for a post whose response was lost. Raises `SearchUnavailable` without the scope."""
        at = Destination(channel=channel, thread=None)
        return await self._search.find(due.id, at=at, since=due.posting_since or due.written_at)

    async def edit(self, due: DueDirectMessage, *, place: CardPlace) -> None:
        """Says how the gate was decided."""
        text = decided_text(due, texts=Texts.of(due.locale or "en"), base=self._workspace_url())
        await self._retry_after_tracker.call(
            "chat.update",
            lambda: self._client.chat_update(
                channel=place.channel, ts=place.ts, text=text, blocks=[section(text)]
            ),
            channel=place.channel,
        )
