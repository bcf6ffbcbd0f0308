"""The timeline in a card's thread: a line for each event."""

from collections.abc import Callable, Sequence
from typing import Any, Final

from slack_sdk.web.async_client import AsyncWebClient

from app.flow.notify.post_timeline import Message, PendingPost, TimelineEntry
from app.flow.notify.slack_errors import MessageGone, SearchUnavailable, SlackCallFailed
from app.flow.ports.rules import Rules
from app.flow.read_models import CardPlace, GateView
from app.i18n.catalog import Texts
from app.slack.blocks import cut
from app.slack.client import RetryAfterTracker
from app.slack.publishers.card_search import MAX_CLOCK_SKEW, MAX_PAGES, SEARCH_DENIED_ERRORS
from app.slack.publishers.timeline_text import Timeline

EVENT_TYPE: Final = "switchgate_thread"
MAX_MESSAGE_CHARS: Final = 3000
THREAD_GONE_ERRORS: Final = frozenset({"thread_not_found", "message_not_found", "cannot_reply_to_message"})


class SlackTimelinePublisher:
    """See `app.flow.notify.post_timeline.TimelinePublisher`."""

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
        self._timeline = Timeline(texts=texts, rules=rules, workspace_url=workspace_url)
        self._retry_after_tracker = retry_after_tracker

    def messages(self, view: GateView, entries: Sequence[TimelineEntry]) -> Sequence[Message]:
        """Joins lines into one message: Slack allows about one message a second in a channel."""
        messages: list[Message] = []
        for one in entries:
            message = self._timeline.line(view, one)
            if message is None:
                continue
            before = messages[-1] if messages else None
            if before is not None and before.channel is None and message.channel is None:
                text = cut(f"{before.text}\n{message.text}", MAX_MESSAGE_CHARS)
                messages[-1] = Message(seq=message.seq, text=text)
            else:
                messages.append(message)
        return messages

    async def post(self, message: Message, *, view: GateView, place: CardPlace) -> None:
        """Posts a reply to the card, or a message in another channel."""
        where: dict[str, Any] = (
            {"channel": message.channel}
            if message.channel
            else {"channel": place.channel, "thread_ts": place.ts}
        )
        payload = {"gate": str(view.id), "link": message.seq}
        try:
            await self._retry_after_tracker.call(
                "chat.postMessage",
                lambda: self._client.chat_postMessage(
                    **where,
                    text=message.text,
                    unfurl_links=False,
                    unfurl_media=False,
                    metadata={"event_type": EVENT_TYPE, "event_payload": payload},
                ),
                channel=message.channel or place.channel,
            )
        except SlackCallFailed as exc:
            if str(exc) in THREAD_GONE_ERRORS:
                raise MessageGone(str(exc)) from None
            raise

    async def was_posted(self, tried: PendingPost, *, view: GateView) -> bool:
        """Searches the thread or channel of the attempt for the message's metadata."""
        wanted = {"gate": str(view.id), "link": tried.seq}
        span: dict[str, Any] = {
            "channel": tried.channel,
            "oldest": f"{(tried.since - MAX_CLOCK_SKEW).timestamp():.6f}",
            "include_all_metadata": True,
            "limit": 200,
        }
        for _ in range(MAX_PAGES):
            answer = await self._look(tried, span)
            if any(_payload(reply) == wanted for reply in answer.get("messages") or ()):
                return True
            span["cursor"] = (answer.get("response_metadata") or {}).get("next_cursor") or ""
            if not span["cursor"]:
                break
        return False

    async def _look(self, tried: PendingPost, span: dict[str, Any]) -> Any:
        method = "conversations.replies" if tried.thread else "conversations.history"
        try:
            return await self._retry_after_tracker.call(
                method,
                lambda: (
                    self._client.conversations_replies(ts=tried.thread, **span)
                    if tried.thread
                    else self._client.conversations_history(**span)
                ),
                channel=tried.channel,
            )
        except SlackCallFailed as exc:
            if str(exc) in SEARCH_DENIED_ERRORS | THREAD_GONE_ERRORS:
                raise SearchUnavailable(str(exc)) from None
            raise


def _payload(message: dict[str, Any]) -> dict[str, Any] | None:
    metadata = message.get("metadata") or {}
    if metadata.get("event_type") != EVENT_TYPE:
        return None
    payload: dict[str, Any] | None = metadata.get("event_payload")
    return payload
