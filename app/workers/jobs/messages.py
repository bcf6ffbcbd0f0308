"""Publishes cards, timelines, announcements and App Home."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Final

import structlog

from app.db.quarantine import Quarantine
from app.flow.approval.approval_context import with_related_switches
from app.flow.notify.announce import announce
from app.flow.notify.announce_in_channel import DueChannelAnnouncement, announce_in_channel
from app.flow.notify.announcement import DueAnnouncement
from app.flow.notify.post_timeline import DueThread, post_timeline
from app.flow.notify.publish_card import DueCard, publish_card
from app.flow.notify.remove_card_copy import DueCopy, remove_copy
from app.flow.notify.send_direct_message import DueDirectMessage, send_direct_message
from app.flow.notify.subscriptions import request_direct_messages
from app.observability.metrics import CARD_UPDATES, HOOK_TO_CARD_SECONDS
from app.workers.dependencies import Dependencies
from app.workers.leased_job import leased_job
from app.workers.log_context import about_gate
from app.workers.runner import Jobs, Step

log = structlog.get_logger(__name__)

MAX_PREVIOUS_CARDS: Final = 50
"""For each step."""


def publish_cards(deps: Dependencies) -> Step:
    """Cards that differ from what they should show."""

    async def publish(due: DueCard) -> str | None:
        return await publish_card(
            due,
            repository=deps.repositories.cards,
            card_publisher=deps.cards,
            rules=deps.rules,
            now=deps.clock(),
        )

    def published(due: DueCard, problem: str | None) -> None:
        CARD_UPDATES.labels(result="retried" if problem else "published").inc()
        if not problem and due.place is None and due.view.shown_by is None:
            HOOK_TO_CARD_SECONDS.observe((deps.clock() - due.view.opened_at).total_seconds())
        if problem:
            log.warning("card_not_published", problem=problem, attempts=due.attempts)
        deps.wakeups.notify("card_published")

    return leased_job(
        _CardsWithRelatedSwitches(deps),
        key=lambda due: due.view.id,
        about=lambda due: about_gate(due.view),
        work=publish,
        then=published,
        clock=deps.clock,
    )


class _CardsWithRelatedSwitches:
    """Due cards, each with the switches of other domains that its exclusivity rules depend on."""

    def __init__(self, deps: Dependencies) -> None:
        self._repositories = deps.repositories
        self._rules = deps.rules
        self.leases = deps.repositories.cards.leases

    async def claim(self, *, now: datetime, limit: int) -> Sequence[DueCard]:
        claimed = await self._repositories.cards.claim(now=now, limit=limit)
        views = await with_related_switches(
            [due.view for due in claimed], repository=self._repositories.gates, rules=self._rules
        )
        return [replace(due, view=view) for due, view in zip(claimed, views, strict=True)]


def republish_cards(deps: Dependencies) -> Step:
    """Makes cards due again that somebody may have deleted in Slack."""

    async def step(limit: int) -> Jobs:
        if await deps.repositories.cards.republish_oldest(now=deps.clock()):
            deps.wakeups.notify("card_outdated")
        return []

    return step


def redraw_previous_cards(deps: Dependencies) -> Step:
    """Cards of a domain's previous switch, which show that a newer one has come."""
    previous = deps.repositories.previous_cards
    quarantine = Quarantine("previous")

    async def step(limit: int) -> Jobs:
        for stale in await previous.stale(limit=MAX_PREVIOUS_CARDS, skip=quarantine.keys()):
            with quarantine.guard(stale.id):
                await previous.redraw(stale, now=deps.clock())
                deps.wakeups.notify("card_outdated")
                deps.wakeups.notify("poll_requested")
        return []

    return step


def remove_card_copies(deps: Dependencies) -> Step:
    """Second copies of a card."""
    copies = deps.repositories.card_copies

    async def remove(due: DueCopy) -> None:
        problem = await remove_copy(due, repository=copies, remover=deps.card_copies, now=deps.clock())
        if problem:
            log.warning("copy_not_removed", problem=problem, attempts=due.attempts)

    return leased_job(
        copies,
        key=lambda due: due.id,
        about=lambda due: {"gate": str(due.gate)},
        work=remove,
        clock=deps.clock,
    )


def post_timelines(deps: Dependencies) -> Step:
    """Threads that lack audit events."""
    threads = deps.repositories.threads

    async def post(due: DueThread) -> None:
        await post_timeline(due, repository=threads, timeline_publisher=deps.timelines, now=deps.clock())

    return leased_job(
        threads,
        key=lambda due: due.view.id,
        about=lambda due: about_gate(due.view),
        work=post,
        clock=deps.clock,
    )


def post_announcements(deps: Dependencies) -> Step:
    """Announcements that are not posted."""
    announcements = deps.repositories.announcements

    async def post(due: DueAnnouncement) -> None:
        await announce(
            due,
            repository=announcements,
            announcer=deps.announcer,
            rules=deps.rules,
            now=deps.clock(),
        )

    return leased_job(
        announcements,
        key=lambda due: due.id,
        about=lambda due: about_gate(due.view),
        work=post,
        clock=deps.clock,
    )


def post_channel_announcements(deps: Dependencies) -> Step:
    """Messages for channels that are not posted."""
    announcements = deps.repositories.channel_announcements

    async def post(due: DueChannelAnnouncement) -> None:
        await announce_in_channel(
            due, repository=announcements, announcer=deps.channel_announcer, now=deps.clock()
        )

    return leased_job(
        announcements,
        key=lambda due: due.id,
        about=lambda due: {"channel": due.channel},
        work=post,
        clock=deps.clock,
    )


def request_messages(deps: Dependencies) -> Step:
    """Direct messages about gates that wait, and those whose gate was decided."""

    async def step(limit: int) -> Jobs:
        requested = await request_direct_messages(
            repository=deps.repositories.direct_messages, rules=deps.rules, now=deps.clock()
        )
        if requested:
            deps.wakeups.notify("direct_message_requested")
        return []

    return step


def send_direct_messages(deps: Dependencies) -> Step:
    """Direct messages to post or to edit."""
    direct_messages = deps.repositories.direct_messages

    async def send(due: DueDirectMessage) -> None:
        await send_direct_message(due, repository=direct_messages, messenger=deps.messenger, now=deps.clock())

    return leased_job(
        direct_messages,
        key=lambda due: due.id,
        about=lambda due: about_gate(due.view),
        work=send,
        clock=deps.clock,
    )


def publish_homes(deps: Dependencies) -> Step:
    """Open App Homes that differ from what they should show."""
    return deps.publish_homes
