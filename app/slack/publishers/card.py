"""Cards on Slack: posted, found again, edited, removed. The only writer of them."""

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from typing import Any

import structlog
from slack_sdk.web.async_client import AsyncWebClient

from app.flow.approval.rule_status import RuleStatus, rule_status_of
from app.flow.notify.publish_card import RenderedCard
from app.flow.notify.slack_errors import MessageGone, SlackCallFailed
from app.flow.ports.rules import Rules
from app.flow.read_models import CardPlace, GateView
from app.gate.ids import GateId
from app.gate.rules.violations import rule_key
from app.i18n.catalog import Texts
from app.observability.metrics import UNAPPROVABLE_GATES
from app.slack.blocks import section
from app.slack.cards.card import Card, render_card
from app.slack.client import RetryAfterTracker
from app.slack.publishers.card_search import CardSearch, card_metadata

log = structlog.get_logger(__name__)


class SlackCardPublisher:
    """See `app.flow.notify.publish_card.CardPublisher`."""

    def __init__(
        self,
        client: AsyncWebClient,
        *,
        texts: Texts,
        rules: Rules,
        retry_after_tracker: RetryAfterTracker,
        clock: Callable[[], datetime],
    ) -> None:
        self._client = client
        self._texts = texts
        self._rules = rules
        self._clock = clock
        self._retry_after_tracker = retry_after_tracker
        self._search = CardSearch(client, retry_after_tracker=retry_after_tracker)
        self._unapprovable: set[GateId] = set()

    def draw(self, view: GateView, *, closed_channels: Mapping[str, str]) -> RenderedCard:
        """The gate as a card."""
        domain = self._rules.domain(view.switch.domain) if view.switch.domain else None
        rule_status = rule_status_of(view, rules=self._rules, now=self._clock())
        self._report_unapprovable(view, rule_status)
        card = render_card(
            view,
            texts=self._texts,
            domain=domain,
            rule_status=rule_status,
            closed_channels=closed_channels,
        )
        shown = json.dumps([card.text, card.blocks], sort_keys=True)
        return RenderedCard(fingerprint=hashlib.sha256(shown.encode()).hexdigest()[:24], content=card)

    def _report_unapprovable(self, view: GateView, rule_status: RuleStatus | None) -> None:
        """Logs once that nobody can approve the gate, until somebody can again."""
        if rule_status is None or not rule_status.unreachable_approvals:
            self._unapprovable.discard(view.id)
        elif view.id not in self._unapprovable:
            self._unapprovable.add(view.id)
            rules = ", ".join(rule_key(rule) for rule in rule_status.unreachable_approvals)
            log.warning("nobody_can_approve", gate=str(view.id), domain=view.switch.domain, missing=rules)
            UNAPPROVABLE_GATES.labels(domain=view.switch.domain or "").inc()

    async def post(self, rendered: RenderedCard, *, channel: str, view: GateView) -> CardPlace:
        """Posts a new card. A lost response raises with `uncertain`."""
        answer = await self._retry_after_tracker.call(
            "chat.postMessage",
            lambda: self._client.chat_postMessage(
                channel=channel,
                **self._shown(rendered),
                unfurl_links=False,
                unfurl_media=False,
                metadata=card_metadata(view.id),
            ),
            channel=channel,
        )
        ts = answer.get("ts")
        if not ts:
            raise SlackCallFailed("no_ts", uncertain=True)
        return CardPlace(channel=channel, ts=str(ts))

    async def find(self, view: GateView, *, channel: str, since: datetime) -> Sequence[CardPlace]:
        """Searches for cards whose response was lost, newest first. Raises `SearchUnavailable` without the scope."""
        return await self._search.cards_of(view.id, channel=channel, since=since)

    async def edit(self, rendered: RenderedCard, *, place: CardPlace) -> None:
        """Sends text and blocks together: text alone would delete the blocks."""
        await self._retry_after_tracker.call(
            "chat.update",
            lambda: self._client.chat_update(channel=place.channel, ts=place.ts, **self._shown(rendered)),
            channel=place.channel,
        )

    async def remove(self, place: CardPlace, *, gate: GateId) -> None:
        """Removes a second copy of a gate's card, and nothing else. Where Slack lets us read the channel, the message
        itself says what it is; where Slack does not delete it, its buttons go."""
        if not await self._search.is_card_of(gate, place):
            log.warning("not_a_copy_of_a_card", channel=place.channel, ts=place.ts)
            return
        try:
            await self._retry_after_tracker.call(
                "chat.delete",
                lambda: self._client.chat_delete(channel=place.channel, ts=place.ts),
                channel=place.channel,
            )
        except MessageGone:
            return
        except SlackCallFailed as exc:
            if not exc.refused or exc.closed:
                raise
            log.warning("copy_not_deleted", problem=str(exc), channel=place.channel)
            await self._strip(place)

    async def _strip(self, place: CardPlace) -> None:
        text = self._texts("card.second_copy")
        with suppress(MessageGone):
            await self._retry_after_tracker.call(
                "chat.update",
                lambda: self._client.chat_update(
                    channel=place.channel, ts=place.ts, text=text, blocks=[section(text)]
                ),
                channel=place.channel,
            )

    def _shown(self, rendered: RenderedCard) -> dict[str, Any]:
        card = rendered.content
        if not isinstance(card, Card):
            raise TypeError("this rendered is not a Slack card")
        return {"text": card.text, "blocks": card.blocks}
