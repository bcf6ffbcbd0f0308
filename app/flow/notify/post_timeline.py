"""Posts audit events of a switch, in order and each once, into its card's thread: the timeline."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Final, Protocol

from app.flow.audit_events import Event
from app.flow.notify.retry import next_try
from app.flow.notify.slack_errors import MessageGone, SearchUnavailable, SlackCallFailed, as_uncertain
from app.flow.ports.database import Claim
from app.flow.read_models import CardPlace, GateView
from app.gate.state_machine import Awaiting

RETRY_AFTER: Final = timedelta(seconds=1)
MAX_BACKOFF: Final = timedelta(seconds=60)
GIVE_UP_AFTER: Final = timedelta(days=1)


@dataclass(frozen=True, kw_only=True, slots=True)
class TimelineEntry:
    """One event and its sequence number in the deployment's audit trail."""

    seq: int
    event: Event


@dataclass(frozen=True, kw_only=True, slots=True)
class PendingPost:
    """A post that was not answered: the last event that it contains, when and where it was tried. `thread`: as a
    reply."""

    seq: int
    since: datetime
    channel: str
    thread: str | None


@dataclass(frozen=True, kw_only=True, slots=True)
class DueThread(Claim):
    """The events that are not in the thread yet. `id_changes`: channel ids that Slack has replaced, old to new."""

    view: GateView
    place: CardPlace
    entries: Sequence[TimelineEntry]
    tried: PendingPost | None
    due_at: datetime
    id_changes: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True, slots=True)
class Message:
    """One message with everything up to `seq`. `channel`: posted elsewhere than in the card's thread."""

    seq: int
    text: str
    channel: str | None = None


class TimelinePublisher(Protocol):
    """Slack, as far as threads go."""

    def messages(self, view: GateView, entries: Sequence[TimelineEntry]) -> Sequence[Message]:
        """What is to be said of it, in order; nothing where it is not for people."""
        ...

    async def post(self, message: Message, *, view: GateView, place: CardPlace) -> None:
        """Raises `SlackCallFailed`, or `MessageGone` where the card has gone."""
        ...

    async def was_posted(self, tried: PendingPost, *, view: GateView) -> bool:
        """Raises `SlackCallFailed` or `SearchUnavailable`."""
        ...


class ThreadRepository(Protocol):
    async def mark_posting(self, due: DueThread, *, tried: PendingPost) -> bool:
        """Writes down the intent, before Slack is asked. False: the lease is lost."""
        ...

    async def mark_skipped(
        self, due: DueThread, *, seq: int, channel: str, problem: str, now: datetime
    ) -> None:
        """Slack takes no message in this channel: what was to be said there is passed over, and the card says so."""
        ...

    async def mark_posted(self, due: DueThread, *, seq: int) -> None: ...

    async def retry_later(self, due: DueThread, *, error: str, uncertain: bool, due_at: datetime) -> None: ...

    async def mark_caught_up(self, due: DueThread, *, seq: int) -> None: ...


async def post_timeline(
    due: DueThread, *, repository: ThreadRepository, timeline_publisher: TimelinePublisher, now: datetime
) -> bool:
    """Posts the events that the thread lacks; False: to be tried again."""
    latest = max((one.seq for one in due.entries), default=0)
    try:
        posted = await _posted_before(due, repository=repository, timeline_publisher=timeline_publisher)
        unposted = [one for one in due.entries if one.seq > posted]
        for message in timeline_publisher.messages(due.view, unposted):
            if not await _post(
                due, message, repository=repository, timeline_publisher=timeline_publisher, now=now
            ):
                return True  # another replica posts it
    except (SlackCallFailed, MessageGone) as exc:
        failure = exc if isinstance(exc, SlackCallFailed) else SlackCallFailed(str(exc))
        if not _is_given_up(due, exc, now=now):
            again = next_try(failure, due.attempts, first=RETRY_AFTER, longest=MAX_BACKOFF, now=now)
            await repository.retry_later(due, error=str(exc), uncertain=failure.uncertain, due_at=again)
            return False
    await repository.mark_caught_up(due, seq=latest)
    return True


async def _posted_before(
    due: DueThread, *, repository: ThreadRepository, timeline_publisher: TimelinePublisher
) -> int:
    """Up to which event an earlier post, whose response was lost, did arrive.

    The search is for the post as it was tried, without later events. A search that fails proves nothing.
    """
    if due.tried is None:
        return 0
    try:
        if not await timeline_publisher.was_posted(due.tried, view=due.view):
            return 0
    except SearchUnavailable:
        return 0  # twice is better than never
    except SlackCallFailed as exc:
        raise as_uncertain(exc) from None
    await repository.mark_posted(due, seq=due.tried.seq)
    return due.tried.seq


async def _post(
    due: DueThread,
    message: Message,
    *,
    repository: ThreadRepository,
    timeline_publisher: TimelinePublisher,
    now: datetime,
) -> bool:
    """False: the lease is lost."""
    elsewhere = due.id_changes.get(message.channel, message.channel) if message.channel else None
    place = due.place
    tried = PendingPost(
        seq=message.seq,
        since=now,
        channel=elsewhere or place.channel,
        thread=None if elsewhere else place.ts,
    )
    if not await repository.mark_posting(due, tried=tried):
        return False
    try:
        await timeline_publisher.post(replace(message, channel=elsewhere), view=due.view, place=place)
    except SlackCallFailed as exc:
        if elsewhere is None or not exc.closed:
            raise
        await repository.mark_skipped(due, seq=message.seq, channel=elsewhere, problem=str(exc), now=now)
    else:
        await repository.mark_posted(due, seq=message.seq)
    return True


def _is_given_up(due: DueThread, exc: SlackCallFailed | MessageGone, *, now: datetime) -> bool:
    """The audit trail still has every event. After a card is deleted, only a waiting gate's is posted again."""
    view = due.view
    if isinstance(view.gate, Awaiting):
        return False
    return isinstance(exc, MessageGone) or now - (view.decided_at or view.opened_at) > GIVE_UP_AFTER
