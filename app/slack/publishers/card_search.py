"""Finds cards in Slack by their message metadata, where the response to a post was lost."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

import structlog
from slack_sdk.web.async_client import AsyncWebClient

from app.flow.notify.slack_errors import SearchUnavailable, SlackCallFailed
from app.flow.read_models import CardPlace
from app.gate.ids import GateId
from app.slack.client import RetryAfterTracker

log = structlog.get_logger(__name__)

CARD: Final = "switchgate_gate"
"""Message metadata by which a card whose response was lost is found."""

MAX_CLOCK_SKEW: Final = timedelta(minutes=5)
"""Allowed difference of Slack's clock and ours when a card is searched by time."""

MAX_PAGES: Final = 5
SEARCH_DENIED_ERRORS: Final = frozenset(
    {
        "missing_scope",
        "not_in_channel",
        "channel_not_found",
        "no_permission",
        "not_allowed_token_type",
        "unknown_method",
        "method_not_supported_for_channel_type",
    }
)


class CardSearch:
    """Reads channels. Without the scope for it every search raises `SearchUnavailable`."""

    def __init__(self, client: AsyncWebClient, *, retry_after_tracker: RetryAfterTracker) -> None:
        self._client = client
        self._retry_after_tracker = retry_after_tracker

    async def cards_of(self, gate: GateId, *, channel: str, since: datetime) -> Sequence[CardPlace]:
        """Searches for cards whose response was lost, newest first. Raises `SearchUnavailable` without the scope."""
        oldest = (since - MAX_CLOCK_SKEW).timestamp()
        found: list[CardPlace] = []
        cursor = ""
        for _ in range(MAX_PAGES):
            answer = await self._history(channel, oldest=f"{oldest:.6f}", cursor=cursor)
            found += [
                CardPlace(channel=channel, ts=str(message["ts"]))
                for message in answer.get("messages") or ()
                if gate_of_card(message) == str(gate)
            ]
            cursor = (answer.get("response_metadata") or {}).get("next_cursor") or ""
            if not cursor:
                break
        return found

    async def is_card_of(self, gate: GateId, place: CardPlace) -> bool:
        """Whether the message carries our metadata with this gate. Without the scope, True:
        a listed copy was posted by us, or an action came from its buttons."""
        try:
            answer = await self._history(
                place.channel, latest=place.ts, oldest=place.ts, inclusive=True, limit=1
            )
        except SearchUnavailable:
            return True
        return any(
            message.get("ts") == place.ts and gate_of_card(message) == str(gate)
            for message in answer.get("messages") or ()
        )

    async def _history(self, channel: str, **span: Any) -> Any:
        try:
            return await self._retry_after_tracker.call(
                "conversations.history",
                lambda: self._client.conversations_history(
                    channel=channel, include_all_metadata=True, **{"limit": 200, **span}
                ),
                channel=channel,
            )
        except SlackCallFailed as exc:
            if str(exc) not in SEARCH_DENIED_ERRORS:
                raise
            log.warning("card_not_searchable", problem=str(exc), channel=channel)
            raise SearchUnavailable(str(exc)) from None


def card_metadata(gate: GateId) -> dict[str, Any]:
    """The metadata of a gate's card."""
    return {"event_type": CARD, "event_payload": {"gate": str(gate)}}


def gate_of_card(message: Mapping[str, Any]) -> str | None:
    """The gate that a message is the card of; None: it is no card of ours."""
    metadata = message.get("metadata") or {}
    if metadata.get("event_type") != CARD:
        return None
    gate: str | None = (metadata.get("event_payload") or {}).get("gate")
    return gate
