"""A card's thread is the switch's timeline: what the record tells and the thread does not is posted, in order."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Protocol

from app.flow.backoff import backoff
from app.flow.events import Event
from app.flow.record_ports import Claim
from app.flow.refresh_card import CannotLook, CardNotDrawn, CardVanished
from app.flow.views import CardPlace, GateView

RETRY: Final = timedelta(seconds=1)
LONGEST: Final = timedelta(seconds=60)


@dataclass(frozen=True, kw_only=True, slots=True)
class Happened:
    """One event and its place in the deployment's chain."""

    link: int
    event: Event


@dataclass(frozen=True, kw_only=True, slots=True)
class DueThread(Claim):
    """What happened since the thread last told. `telling`: up to where an unanswered post went."""

    view: GateView
    place: CardPlace
    happened: Sequence[Happened]
    telling: int | None
    due_at: datetime


@dataclass(frozen=True, kw_only=True, slots=True)
class Message:
    """One message, that tells everything up to `link`. `channel`: elsewhere than in the card's thread."""

    link: int
    text: str
    channel: str | None = None


class Storyteller(Protocol):
    """Slack, as far as threads go."""

    def messages(self, view: GateView, happened: Sequence[Happened]) -> Sequence[Message]:
        """What is to be said of it, in order; nothing where it is not for people."""
        ...

    async def say(self, message: Message, *, view: GateView, place: CardPlace) -> None:
        """Raises `CardNotDrawn`, or `CardVanished` where the card has gone."""
        ...

    async def was_said(self, message: Message, *, view: GateView, place: CardPlace) -> bool:
        """Raises `CardNotDrawn` or `CannotLook`."""
        ...


class ThreadRecord(Protocol):
    async def telling(self, due: DueThread, *, link: int, now: datetime) -> bool:
        """Writes down the intent, before Slack is asked. False: the lease is lost."""
        ...

    async def told(self, due: DueThread, *, link: int) -> None: ...

    async def tell_again(self, due: DueThread, *, error: str, uncertain: bool, due_at: datetime) -> None: ...

    async def all_told(self, due: DueThread, *, link: int) -> None: ...


async def tell_thread(
    due: DueThread, *, record: ThreadRecord, storyteller: Storyteller, now: datetime
) -> bool:
    """Posts what the thread has not told; False: to be tried again."""
    latest = max((one.link for one in due.happened), default=0)
    try:
        for message in storyteller.messages(due.view, due.happened):
            if not await _said_before(due, message, storyteller=storyteller):
                if not await record.telling(due, link=message.link, now=now):
                    return True  # somebody else tells
                await storyteller.say(message, view=due.view, place=due.place)
            await record.told(due, link=message.link)
    except CardNotDrawn as trouble:
        wait = trouble.retry_after or backoff(due.attempts, first=RETRY, longest=LONGEST)
        await record.tell_again(due, error=str(trouble), uncertain=trouble.uncertain, due_at=now + wait)
        return False
    except CardVanished:
        pass  # no card, no thread: the record still has it all
    await record.all_told(due, link=latest)
    return True


async def _said_before(due: DueThread, message: Message, *, storyteller: Storyteller) -> bool:
    """Whether an earlier post, whose answer was lost, has arrived."""
    if due.telling != message.link:
        return False
    try:
        return await storyteller.was_said(message, view=due.view, place=due.place)
    except CannotLook:
        return False  # twice is better than never
