"""Posts an announcement: a reply in the card's thread that Slack shows in the channel too."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final, Protocol

from app.flow.notify.retry import next_try
from app.flow.notify.slack_errors import MessageGone, SlackCallFailed, as_uncertain
from app.flow.ports.database import Claim
from app.flow.read_models import CardPlace, GateView
from app.gate.state_machine import Awaiting

RETRY_AFTER: Final = timedelta(milliseconds=500)
MAX_BACKOFF: Final = timedelta(seconds=30)
NO_CARD: Final = "no card yet"
GIVE_UP_AFTER: Final = timedelta(days=1)


class AnnouncementKind(StrEnum):
    """What there is to be announced."""

    BREAK_GLASS = "break_glass"
    FREEZE_ENDED = "freeze_ended"
    EXCLUSIVITY_FREE = "exclusivity_free"


CALLS_APPROVERS: Final = frozenset({AnnouncementKind.FREEZE_ENDED, AnnouncementKind.EXCLUSIVITY_FREE})
"""What calls whoever may decide to a gate that waits."""


@dataclass(frozen=True, kw_only=True, slots=True)
class DueAnnouncement(Claim):
    """One that has not been said. `posting_since`: said perhaps, in the thread of `tried`, but the answer was lost."""

    id: int
    kind: AnnouncementKind
    view: GateView
    place: CardPlace | None
    posting_since: datetime | None
    tried: CardPlace | None = None


class Announcer(Protocol):
    """Slack, as far as announcements go. Both methods raise `SlackCallFailed` and `MessageGone`."""

    async def post(self, due: DueAnnouncement, *, place: CardPlace) -> str:
        """Gives the message's ts."""
        ...

    async def find(self, due: DueAnnouncement, *, place: CardPlace) -> str | None: ...


class AnnouncementRepository(Protocol):
    async def mark_posting(self, due: DueAnnouncement, *, place: CardPlace, now: datetime) -> bool:
        """Writes down the intent and the thread, before Slack is asked. False: the lease is lost."""
        ...

    async def mark_announced(self, due: DueAnnouncement, *, ts: str) -> None: ...

    async def mark_dismissed(self, due: DueAnnouncement) -> None:
        """There is nothing to be said any more."""
        ...

    async def retry_later(
        self, due: DueAnnouncement, *, error: str, uncertain: bool, due_at: datetime
    ) -> None:
        """`uncertain`: the post may have arrived, so the next try searches for it first."""
        ...


async def announce(
    due: DueAnnouncement, *, repository: AnnouncementRepository, announcer: Announcer, now: datetime
) -> bool:
    """Says it, once; False: to be tried again. It waits for its card, whose thread it stands in.

    Nobody is called to a gate that has been answered meanwhile.
    """
    if _is_over(due, now=now):
        await repository.mark_dismissed(due)
        return True
    try:
        if due.place is None:
            raise SlackCallFailed(NO_CARD, uncertain=due.posting_since is not None)
        ts = await _posted(due, due.place, repository=repository, announcer=announcer, now=now)
    except (SlackCallFailed, MessageGone) as exc:
        failure = exc if isinstance(exc, SlackCallFailed) else SlackCallFailed(str(exc))
        again = next_try(failure, due.attempts, first=RETRY_AFTER, longest=MAX_BACKOFF, now=now)
        await repository.retry_later(due, error=str(exc), uncertain=failure.uncertain, due_at=again)
        return False
    if ts is not None:
        await repository.mark_announced(due, ts=ts)
    return True


def _is_over(due: DueAnnouncement, *, now: datetime) -> bool:
    """Whether it is outdated: the gate that it calls people to is decided, or its decision is long ago."""
    if isinstance(due.view.gate, Awaiting):
        return False
    return due.kind in CALLS_APPROVERS or now - (due.view.decided_at or due.view.opened_at) > GIVE_UP_AFTER


async def _posted(
    due: DueAnnouncement,
    place: CardPlace,
    *,
    repository: AnnouncementRepository,
    announcer: Announcer,
    now: datetime,
) -> str | None:
    """The message's ts; None when the lease was lost on the way."""
    if due.posting_since is not None:
        try:
            # The card may have vanished since and have been posted anew.
            found = await announcer.find(due, place=due.tried or place)
        except SlackCallFailed as exc:
            raise as_uncertain(exc) from None  # a search that fails proves nothing
        if found is not None:
            return found
    if not await repository.mark_posting(due, place=place, now=now):
        return None
    return await announcer.post(due, place=place)
