"""Posts a direct message about a waiting gate, once a gate and person, and edits it when the gate is decided."""

from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Literal, Protocol

from app.flow.notify.retry import next_try
from app.flow.notify.slack_errors import MessageGone, SearchUnavailable, SlackCallFailed, as_uncertain
from app.flow.ports.database import Claim
from app.flow.read_models import CardPlace, GateView
from app.gate.ids import UserId
from app.gate.state_machine import Awaiting

RETRY_AFTER: Final = timedelta(milliseconds=500)
MAX_BACKOFF: Final = timedelta(seconds=30)
GIVE_UP_AFTER: Final = timedelta(days=1)
NO_CARD: Final = "no card yet"


@dataclass(frozen=True, kw_only=True, slots=True)
class DueDirectMessage(Claim):
    """One that is not posted, or that does not say yet how its gate was decided.

    `card`: where the gate's card is. `place`: where the message is. `posting_since`, `tried`: posted perhaps, into
    this conversation, but the answer was lost. `locale`: the person's language; None: they want no messages any more.
    """

    id: int
    person: UserId
    view: GateView
    card: CardPlace | None
    place: CardPlace | None
    written_at: datetime
    posting_since: datetime | None
    tried: str | None = None
    locale: Literal["en", "ko"] | None = None


class Messenger(Protocol):
    """Slack. Every method raises `SlackCallFailed`."""

    async def conversation(self, person: UserId) -> str:
        """The id of the conversation with this person."""
        ...

    async def post(self, due: DueDirectMessage, *, channel: str) -> CardPlace:
        """Where the message is."""
        ...

    async def find(self, due: DueDirectMessage, *, channel: str) -> str | None:
        """Raises `SearchUnavailable`."""
        ...

    async def edit(self, due: DueDirectMessage, *, place: CardPlace) -> None:
        """Raises `MessageGone`."""
        ...


class DirectMessageRepository(Protocol):
    async def mark_posting(self, due: DueDirectMessage, *, channel: str, now: datetime) -> bool:
        """Stores the intent and the conversation, before Slack is asked. False: the lease is lost."""
        ...

    async def mark_posted(self, due: DueDirectMessage, *, place: CardPlace) -> None: ...

    async def mark_closed(self, due: DueDirectMessage, *, now: datetime) -> None:
        """Nothing is posted or edited any more."""
        ...

    async def retry_later(
        self, due: DueDirectMessage, *, error: str, uncertain: bool, due_at: datetime
    ) -> None:
        """`uncertain`: the post may have arrived, so the next try searches for it first."""
        ...


async def send_direct_message(
    due: DueDirectMessage, *, repository: DirectMessageRepository, messenger: Messenger, now: datetime
) -> None:
    """Posts or edits it. What Slack refuses is not tried again: the card asks for the decision anyway."""
    try:
        if due.place is None:
            await _post(due, repository=repository, messenger=messenger, now=now)
        else:
            await _edit(due, due.place, repository=repository, messenger=messenger, now=now)
    except SlackCallFailed as exc:
        if exc.refused or now - due.written_at > GIVE_UP_AFTER:
            await repository.mark_closed(due, now=now)
            return
        again = next_try(exc, due.attempts, first=RETRY_AFTER, longest=MAX_BACKOFF, now=now)
        await repository.retry_later(due, error=str(exc), uncertain=exc.uncertain, due_at=again)


async def _post(
    due: DueDirectMessage, *, repository: DirectMessageRepository, messenger: Messenger, now: datetime
) -> None:
    uncertain = due.posting_since is not None
    if not uncertain and not _is_wanted(due):
        await repository.mark_closed(due, now=now)
        return
    if due.card is None:
        raise SlackCallFailed(NO_CARD, uncertain=uncertain)
    channel = due.tried or await messenger.conversation(due.person)
    try:
        found = await _found(due, channel, messenger=messenger)
    except SearchUnavailable:
        await repository.mark_closed(due, now=now)  # never twice: it may have arrived
        return
    if found is None:
        if not await repository.mark_posting(due, channel=channel, now=now):
            return
        found = await messenger.post(due, channel=channel)
    await repository.mark_posted(due, place=found)


async def _found(due: DueDirectMessage, channel: str, *, messenger: Messenger) -> CardPlace | None:
    """The message, where an earlier post was not answered and has arrived."""
    if due.posting_since is None:
        return None
    try:
        ts = await messenger.find(due, channel=channel)
    except SlackCallFailed as exc:
        raise as_uncertain(exc) from None  # a search that fails proves nothing
    return CardPlace(channel=channel, ts=ts) if ts is not None else None


def _is_wanted(due: DueDirectMessage) -> bool:
    """Whether the gate still waits, and the person has not turned messages off or voted meanwhile."""
    voters = {vote.voter for vote in due.view.votes}
    return isinstance(due.view.gate, Awaiting) and due.locale is not None and due.person not in voters


async def _edit(
    due: DueDirectMessage,
    place: CardPlace,
    *,
    repository: DirectMessageRepository,
    messenger: Messenger,
    now: datetime,
) -> None:
    with suppress(MessageGone):  # it was deleted, or Slack edits it no more
        await messenger.edit(due, place=place)
    await repository.mark_closed(due, now=now)
