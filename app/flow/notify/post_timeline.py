"""A card's thread is the switch's timeline: what the record tells and the thread does not is posted, in order."""

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
    """One event and its place in the deployment's chain."""

    link: int
    event: Event


@dataclass(frozen=True, kw_only=True, slots=True)
class PendingPost:
    """A post that was not answered: up to which link it tells, when and where it was tried. `thread`: as a reply."""

    link: int
    since: datetime
    channel: str
    thread: str | None


@dataclass(frozen=True, kw_only=True, slots=True)
class DueThread(Claim):
    """What happened since the thread last told. `id_changes`: channel ids that Slack has replaced, old to new."""

    view: GateView
    place: CardPlace
    happened: Sequence[TimelineEntry]
    tried: PendingPost | None
    due_at: datetime
    id_changes: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True, slots=True)
class Message:
    """One message, that tells everything up to `link`. `channel`: elsewhere than in the card's thread."""

    link: int
    text: str
    channel: str | None = None


class TimelinePublisher(Protocol):
    """Slack, as far as threads go."""

    def messages(self, view: GateView, happened: Sequence[TimelineEntry]) -> Sequence[Message]:
        """What is to be said of it, in order; nothing where it is not for people."""
        ...

    async def say(self, message: Message, *, view: GateView, place: CardPlace) -> None:
        """Raises `SlackCallFailed`, or `MessageGone` where the card has gone."""
        ...

    async def was_said(self, tried: PendingPost, *, view: GateView) -> bool:
        """Raises `SlackCallFailed` or `SearchUnavailable`."""
        ...


class ThreadRecord(Protocol):
    async def telling(self, due: DueThread, *, tried: PendingPost) -> bool:
        """Writes down the intent, before Slack is asked. False: the lease is lost."""
        ...

    async def skipped(self, due: DueThread, *, link: int, channel: str, problem: str, now: datetime) -> None:
        """Slack takes no message in this channel: what was to be said there is passed over, and the card says so."""
        ...

    async def told(self, due: DueThread, *, link: int) -> None: ...

    async def tell_again(self, due: DueThread, *, error: str, uncertain: bool, due_at: datetime) -> None: ...

    async def all_told(self, due: DueThread, *, link: int) -> None: ...


async def post_timeline(
    due: DueThread, *, record: ThreadRecord, storyteller: TimelinePublisher, now: datetime
) -> bool:
    """Posts what the thread has not told; False: to be tried again."""
    latest = max((one.link for one in due.happened), default=0)
    try:
        told = await _told_before(due, record=record, storyteller=storyteller)
        untold = [one for one in due.happened if one.link > told]
        for message in storyteller.messages(due.view, untold):
            if not await _say(due, message, record=record, storyteller=storyteller, now=now):
                return True  # somebody else tells
    except (SlackCallFailed, MessageGone) as exc:
        trouble = exc if isinstance(exc, SlackCallFailed) else SlackCallFailed(str(exc))
        if not _is_given_up(due, exc, now=now):
            again = next_try(trouble, due.attempts, first=RETRY_AFTER, longest=MAX_BACKOFF, now=now)
            await record.tell_again(due, error=str(exc), uncertain=trouble.uncertain, due_at=again)
            return False
    await record.all_told(due, link=latest)
    return True


async def _told_before(due: DueThread, *, record: ThreadRecord, storyteller: TimelinePublisher) -> int:
    """Up to which link an earlier post, whose answer was lost, has told after all.

    It is looked for as it was tried: what has happened since is no part of it. A search that fails proves nothing.
    """
    if due.tried is None:
        return 0
    try:
        if not await storyteller.was_said(due.tried, view=due.view):
            return 0
    except SearchUnavailable:
        return 0  # twice is better than never
    except SlackCallFailed as exc:
        raise as_uncertain(exc) from None
    await record.told(due, link=due.tried.link)
    return due.tried.link


async def _say(
    due: DueThread, message: Message, *, record: ThreadRecord, storyteller: TimelinePublisher, now: datetime
) -> bool:
    """False: the lease is lost."""
    elsewhere = due.id_changes.get(message.channel, message.channel) if message.channel else None
    place = due.place
    tried = PendingPost(
        link=message.link,
        since=now,
        channel=elsewhere or place.channel,
        thread=None if elsewhere else place.ts,
    )
    if not await record.telling(due, tried=tried):
        return False
    try:
        await storyteller.say(replace(message, channel=elsewhere), view=due.view, place=place)
    except SlackCallFailed as exc:
        if elsewhere is None or not exc.closed:
            raise
        await record.skipped(due, link=message.link, channel=elsewhere, problem=str(exc), now=now)
    else:
        await record.told(due, link=message.link)
    return True


def _is_given_up(due: DueThread, exc: SlackCallFailed | MessageGone, *, now: datetime) -> bool:
    """The record still has it all. Only the card of a waiting gate comes back when somebody has deleted it."""
    view = due.view
    if isinstance(view.gate, Awaiting):
        return False
    return isinstance(exc, MessageGone) or now - (view.decided_at or view.opened_at) > GIVE_UP_AFTER
