"""Posts an announcement once: a reply in the card's thread that Slack shows in the channel too.

Where something went wrong and `escalate_to` is another channel, a message is posted there as well.
"""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final, Protocol

from app.flow.notify.announcement import Destination, DueAnnouncement
from app.flow.notify.announcement_kinds import PROBLEMS
from app.flow.notify.announcement_status import is_over, waits_until
from app.flow.notify.people_to_call import escalation_channel
from app.flow.notify.post_once import post_once
from app.flow.notify.retry import next_try
from app.flow.notify.slack_errors import MessageGone, SlackCallFailed
from app.flow.ports.rules import Rules

RETRY_AFTER: Final = timedelta(milliseconds=500)
MAX_BACKOFF: Final = timedelta(seconds=30)
NO_CARD: Final = "no card yet"
ROLLBACK_PENDING: Final = "the rollback is under way"


class Announcer(Protocol):
    """Slack, as far as announcements go. Both methods raise `SlackCallFailed` and `MessageGone`."""

    async def post(self, due: DueAnnouncement, *, to: Destination) -> str:
        """Gives the message's ts."""
        ...

    async def find(self, due: DueAnnouncement, *, to: Destination) -> str | None: ...


class AnnouncementRepository(Protocol):
    async def mark_posting(self, due: DueAnnouncement, *, to: Destination, now: datetime) -> bool:
        """Stores the intent and the destination, before Slack is asked. False: the lease is lost."""
        ...

    async def mark_announced(self, due: DueAnnouncement, *, ts: str) -> None: ...

    async def mark_dismissed(self, due: DueAnnouncement) -> None:
        """It is not posted: it is outdated."""
        ...

    async def request_elsewhere(self, due: DueAnnouncement, *, channel: str, now: datetime) -> None:
        """Requests the same announcement in another channel. Idempotent."""
        ...

    async def retry_later(
        self, due: DueAnnouncement, *, error: str, uncertain: bool, due_at: datetime
    ) -> None:
        """`uncertain`: the post may have arrived, so the next try searches for it first."""
        ...


async def announce(
    due: DueAnnouncement,
    *,
    repository: AnnouncementRepository,
    announcer: Announcer,
    rules: Rules,
    now: datetime,
) -> bool:
    """Posts it, once; False: to be tried again. It waits for its card, in whose thread it is posted."""
    if is_over(due, now=now):
        await repository.mark_dismissed(due)
        return True
    again = waits_until(due, now=now) if due.posting_since is None else None
    if again is not None:
        await repository.retry_later(due, error=ROLLBACK_PENDING, uncertain=False, due_at=again)
        return False
    await _request_escalation(due, repository=repository, rules=rules, now=now)
    try:
        ts = await _post(due, repository=repository, announcer=announcer, now=now)
    except (SlackCallFailed, MessageGone) as exc:
        failure = exc if isinstance(exc, SlackCallFailed) else SlackCallFailed(str(exc))
        again = next_try(failure, due.attempts, first=RETRY_AFTER, longest=MAX_BACKOFF, now=now)
        await repository.retry_later(due, error=str(exc), uncertain=failure.uncertain, due_at=again)
        return False
    if ts is not None:
        await repository.mark_announced(due, ts=ts)
    return True


async def _request_escalation(
    due: DueAnnouncement, *, repository: AnnouncementRepository, rules: Rules, now: datetime
) -> None:
    """Before the post, so that a card's channel that takes no messages does not silence the escalation."""
    channel = escalation_channel(due.view, rules=rules)
    if due.kind in PROBLEMS and due.channel is None and channel is not None:
        await repository.request_elsewhere(due, channel=channel, now=now)


async def _post(
    due: DueAnnouncement, *, repository: AnnouncementRepository, announcer: Announcer, now: datetime
) -> str | None:
    """The message's ts; None when the lease was lost on the way."""
    to = _destination(due)
    try:
        return await _post_to(due, to, repository=repository, announcer=announcer, now=now)
    except MessageGone:
        if to.thread is None or due.kind not in PROBLEMS:
            raise
    # Somebody deleted the card of an ended switch, and it is not posted again.
    beside = Destination(channel=to.channel, thread=None)
    fresh = replace(due, posting_since=None)
    return await _post_to(fresh, beside, repository=repository, announcer=announcer, now=now)


def _destination(due: DueAnnouncement) -> Destination:
    if due.channel is not None:
        return Destination(channel=due.channel, thread=None)
    if due.place is None:
        raise SlackCallFailed(NO_CARD, uncertain=due.posting_since is not None)
    return Destination(channel=due.place.channel, thread=due.place.ts)


async def _post_to(
    due: DueAnnouncement,
    to: Destination,
    *,
    repository: AnnouncementRepository,
    announcer: Announcer,
    now: datetime,
) -> str | None:
    return await post_once(
        uncertain=due.posting_since is not None,
        # The card may have vanished since and have been posted again.
        find=lambda: announcer.find(due, to=due.tried or to),
        mark_posting=lambda: repository.mark_posting(due, to=to, now=now),
        post=lambda: announcer.post(due, to=to),
    )
