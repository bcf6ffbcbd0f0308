"""Posts a message into a channel, once, beside the cards: what was done to freezes."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Protocol

from app.flow.freezes.freeze_acts import FreezeAct
from app.flow.notify.post_once import post_once
from app.flow.notify.retry import next_try
from app.flow.notify.slack_errors import MessageGone, SlackCallFailed
from app.flow.ports.database import Claim
from app.flow.read_models import CardPlace, GateView

RETRY_AFTER: Final = timedelta(milliseconds=500)
MAX_BACKOFF: Final = timedelta(seconds=30)
GIVE_UP_AFTER: Final = timedelta(days=1)


@dataclass(frozen=True, kw_only=True, slots=True)
class WaitingGate:
    """A gate that waits for votes, and where its card is."""

    view: GateView
    place: CardPlace | None


@dataclass(frozen=True, kw_only=True, slots=True)
class DueChannelAnnouncement(Claim):
    """One that is not posted. `waiting`: the gates of the act's domains that wait; empty for a new freeze.

    `posting_since`: posted perhaps, but the answer was lost.
    """

    id: int
    channel: str
    act: FreezeAct
    waiting: tuple[WaitingGate, ...]
    written_at: datetime
    posting_since: datetime | None


class ChannelAnnouncer(Protocol):
    """Slack. Both methods raise `SlackCallFailed`."""

    async def post(self, due: DueChannelAnnouncement) -> str:
        """Gives the message's ts."""
        ...

    async def find(self, due: DueChannelAnnouncement) -> str | None: ...


class ChannelAnnouncementRepository(Protocol):
    async def mark_posting(self, due: DueChannelAnnouncement, *, now: datetime) -> bool:
        """Stores the intent, before Slack is asked. False: the lease is lost."""
        ...

    async def mark_announced(self, due: DueChannelAnnouncement, *, ts: str) -> None: ...

    async def mark_dismissed(self, due: DueChannelAnnouncement) -> None: ...

    async def retry_later(
        self, due: DueChannelAnnouncement, *, error: str, uncertain: bool, due_at: datetime
    ) -> None:
        """`uncertain`: the post may have arrived, so the next try searches for it first."""
        ...


async def announce_in_channel(
    due: DueChannelAnnouncement,
    *,
    repository: ChannelAnnouncementRepository,
    announcer: ChannelAnnouncer,
    now: datetime,
) -> None:
    """Posts it, or reschedules it. After a day it is given up."""
    if now - due.written_at > GIVE_UP_AFTER:
        await repository.mark_dismissed(due)
        return
    try:
        ts = await post_once(
            uncertain=due.posting_since is not None,
            find=lambda: announcer.find(due),
            mark_posting=lambda: repository.mark_posting(due, now=now),
            post=lambda: announcer.post(due),
        )
    except (SlackCallFailed, MessageGone) as exc:
        failure = exc if isinstance(exc, SlackCallFailed) else SlackCallFailed(str(exc))
        again = next_try(failure, due.attempts, first=RETRY_AFTER, longest=MAX_BACKOFF, now=now)
        await repository.retry_later(due, error=str(exc), uncertain=failure.uncertain, due_at=again)
        return
    if ts is not None:
        await repository.mark_announced(due, ts=ts)
