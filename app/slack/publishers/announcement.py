"""Announcements on Slack: a reply in the card's thread that is shown in the channel too."""

from typing import Any, Final, assert_never

import structlog
from slack_sdk.web.async_client import AsyncWebClient

from app.flow.notify.announce import AnnouncementKind, DueAnnouncement
from app.flow.notify.slack_errors import SlackCallFailed
from app.flow.ports.rules import Rules
from app.flow.read_models import CardPlace, GateView
from app.i18n.catalog import Texts
from app.slack.blocks import Block, mention, section
from app.slack.client import RetryAfterTracker
from app.slack.publishers.card_search import MAX_CLOCK_SKEW, SEARCH_DENIED_ERRORS
from app.slack.publishers.timeline import THREAD_GONE_ERRORS
from app.slack.text.escape import escaped, inline, quoted
from app.slack.text.switch import domain_name
from app.slack.text.violations import mentions, rule_lines

log = structlog.get_logger(__name__)

EVENT_TYPE: Final = "switchgate_announcement"
"""Message metadata by which a post whose response was lost is found."""


class SlackAnnouncer:
    """See `app.flow.notify.announce.Announcer`."""

    def __init__(
        self, client: AsyncWebClient, *, texts: Texts, rules: Rules, retry_after_tracker: RetryAfterTracker
    ) -> None:
        self._client = client
        self._texts = texts
        self._rules = rules
        self._retry_after_tracker = retry_after_tracker

    async def post(self, due: DueAnnouncement, *, place: CardPlace) -> str:
        """Posts the reply. A lost response raises with `uncertain`."""
        text, blocks = self._words(due)
        answer = await self._retry_after_tracker.call(
            "chat.postMessage",
            lambda: self._client.chat_postMessage(
                channel=place.channel,
                thread_ts=place.ts,
                reply_broadcast=True,
                text=text,
                blocks=blocks,
                unfurl_links=False,
                unfurl_media=False,
                metadata={"event_type": EVENT_TYPE, "event_payload": {"announcement": str(due.id)}},
            ),
            channel=place.channel,
        )
        return str(answer["ts"])

    async def find(self, due: DueAnnouncement, *, place: CardPlace) -> str | None:
        """Searches for a post whose response was lost. Without the scope, it counts as not posted."""
        oldest = ((due.posting_since or due.view.opened_at) - MAX_CLOCK_SKEW).timestamp()
        try:
            answer = await self._retry_after_tracker.call(
                "conversations.replies",
                lambda: self._client.conversations_replies(
                    channel=place.channel,
                    ts=place.ts,
                    oldest=f"{oldest:.6f}",
                    include_all_metadata=True,
                    limit=200,
                ),
                channel=place.channel,
            )
        except SlackCallFailed as exc:
            if str(exc) not in SEARCH_DENIED_ERRORS | THREAD_GONE_ERRORS:
                raise
            log.warning("announcement_not_searchable", problem=str(exc), channel=place.channel)
            return None
        for message in answer.get("messages", []):
            if _id_of(message) == str(due.id):
                return str(message["ts"])
        return None

    def _words(self, due: DueAnnouncement) -> tuple[str, list[Block]]:
        texts, view = self._texts, due.view
        domain = escaped(domain_name(view, texts))
        deployment = inline(view.switch.key.deployment)
        match due.kind:
            case AnnouncementKind.BREAK_GLASS:
                who = mention(view.decided_by or "")
                said = texts("announce.break_glass", domain=domain, deployment=deployment, who=who)
                lines = rule_lines(view.overridden_rules, texts=texts, tense="broken")
                return said, [section(said), section(lines), section(quoted(view.reason or "—"))]
            case AnnouncementKind.FREEZE_ENDED:
                said = texts(
                    "announce.freeze_over", domain=domain, deployment=deployment, who=self._voters(view)
                )
                return said, [section(said)]
            case AnnouncementKind.EXCLUSIVITY_FREE:
                said = texts(
                    "announce.turn_free", domain=domain, deployment=deployment, who=self._voters(view)
                )
                return said, [section(said)]
            case _:
                assert_never(due.kind)

    def _voters(self, view: GateView) -> str:
        found = self._rules.domain(view.switch.domain) if view.switch.domain else None
        return mentions(found.policy.voters) if found else "—"


def _id_of(message: dict[str, Any]) -> str | None:
    metadata = message.get("metadata") or {}
    if metadata.get("event_type") != EVENT_TYPE:
        return None
    found: str | None = (metadata.get("event_payload") or {}).get("announcement")
    return found
