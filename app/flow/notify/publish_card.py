"""Publishes a card that differs from what it should show. Its lease allows one writer at a time."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final, Protocol

from app.flow.notify.retry import next_try
from app.flow.notify.slack_errors import MessageGone, SearchUnavailable, SlackCallFailed, as_uncertain
from app.flow.ports.database import Claim
from app.flow.ports.rules import Rules
from app.flow.read_models import CardPlace, GateView
from app.gate.ids import GateId
from app.gate.state_machine import Awaiting

RETRY_AFTER: Final = timedelta(milliseconds=500)
MAX_BACKOFF: Final = timedelta(seconds=30)

ASSUME_POSTED_FOR: Final = timedelta(minutes=2)
"""If Slack does not let us search for a card whose post was not answered, it counts as posted for this long."""

GIVE_UP_AFTER: Final = timedelta(days=1)
"""A card that nobody waits for any more is not tried for ever."""


@dataclass(frozen=True, kw_only=True, slots=True)
class DueCard(Claim):
    """A card that differs from what it should show. `posting_since`, `posting_channel`: a post without an answer.

    `id_changes`: channel ids that Slack has replaced, old to new. `closed_channels`: channels in which Slack refuses
    messages, with its reason.
    """

    view: GateView
    place: CardPlace | None
    fingerprint: str | None
    posting_since: datetime | None
    posting_channel: str | None = None
    id_changes: Mapping[str, str] = field(default_factory=dict)
    closed_channels: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True, slots=True)
class RenderedCard:
    """A gate drawn for Slack. The fingerprint changes when what is shown changes."""

    fingerprint: str
    content: object


class CardPublisher(Protocol):
    """Slack, as far as cards go. Every method but `draw` raises `SlackCallFailed`."""

    def draw(self, view: GateView, *, closed_channels: Mapping[str, str]) -> RenderedCard:
        """`closed_channels`: those that take no messages, with Slack's reason."""
        ...

    async def post(self, rendered: RenderedCard, *, channel: str, view: GateView) -> CardPlace: ...

    async def find(self, view: GateView, *, channel: str, since: datetime) -> Sequence[CardPlace]:
        """Every card of this gate in the channel, newest first. Raises `SearchUnavailable`."""
        ...

    async def edit(self, rendered: RenderedCard, *, place: CardPlace) -> None:
        """Raises `MessageGone`."""
        ...


class CardRepository(Protocol):
    async def mark_posting(self, due: DueCard, *, now: datetime, channel: str, vanished: bool) -> bool:
        """Writes down the intent to post and where, before Slack is asked. False: the lease is lost.

        `vanished`: the message where the card was is gone.
        """
        ...

    async def mark_published(
        self, due: DueCard, *, place: CardPlace, fingerprint: str, now: datetime
    ) -> bool:
        """False: the lease is lost."""
        ...

    async def register_location(self, gate: GateId, *, place: CardPlace, now: datetime) -> bool:
        """Saves that a card of this gate is at `place`. False: the gate's own card is elsewhere, and this is a copy.

        A copy is then due to be removed.
        """
        ...

    async def channel_closed(self, channel: str, *, problem: str, now: datetime) -> None:
        """Slack refuses messages in this channel until somebody changes that."""
        ...

    async def redraw_showing(self, gate: GateId, *, now: datetime) -> None:
        """Has this gate's card updated, because it shows another one that has changed."""
        ...

    async def mark_shown(self, due: DueCard, *, now: datetime) -> None:
        """Another gate's card shows it, so it needs none."""
        ...

    async def retry_later(
        self, due: DueCard, *, error: str, uncertain: bool, due_at: datetime | None
    ) -> None:
        """`uncertain`: a post may have arrived, so the next try looks for it first. `due_at` None: given up."""
        ...


async def publish_card(
    due: DueCard, *, repository: CardRepository, card_publisher: CardPublisher, rules: Rules, now: datetime
) -> str | None:
    """Posts, edits or moves the card so that it shows the gate as it was claimed; why it is to be tried again.

    A gate that another one's card shows has that card updated. It keeps a card that it was given before that was known.
    """
    if due.view.shown_by is not None:
        await repository.redraw_showing(due.view.shown_by, now=now)
    channel = _channel(due, rules=rules)
    rendered = card_publisher.draw(due.view, closed_channels=due.closed_channels)
    try:
        found = await _found(due, channel, card_publisher=card_publisher, now=now)
        place = await _place(
            due, found, rendered, channel, repository=repository, card_publisher=card_publisher, now=now
        )
    except SlackCallFailed as exc:
        if exc.closed:
            await repository.channel_closed(channel, problem=str(exc), now=now)
        again = _again(due, exc, now=now)
        await repository.retry_later(due, error=str(exc), uncertain=exc.uncertain, due_at=again)
        return str(exc)
    if place is None:
        return None
    drawn = await repository.mark_published(due, place=place, fingerprint=rendered.fingerprint, now=now)
    # A post that was slow may have arrived beside another one; and the lease may have been lost on the way.
    others = [one for one in found if one.ts != place.ts]
    for seen in others if drawn else [*others, place]:
        await repository.register_location(due.view.id, place=seen, now=now)
    return None


async def _place(
    due: DueCard,
    found: Sequence[CardPlace],
    rendered: RenderedCard,
    channel: str,
    *,
    repository: CardRepository,
    card_publisher: CardPublisher,
    now: datetime,
) -> CardPlace | None:
    """Where the up-to-date card stands; None if another gate's card shows it, or the lease was lost on the way."""
    place, vanished = (found[0] if found else due.place), False
    if place is not None:
        try:
            standing = await _edited(due, place, rendered, channel, card_publisher=card_publisher)
        except MessageGone:
            standing, vanished = None, place.channel == channel  # the question still needs a card
        if standing is not None:
            return standing
    if due.view.shown_by is not None:
        await repository.mark_shown(due, now=now)
        return None
    if not await repository.mark_posting(due, now=now, channel=channel, vanished=vanished):
        return None
    return await card_publisher.post(rendered, channel=channel, view=due.view)


async def _edited(
    due: DueCard, place: CardPlace, rendered: RenderedCard, channel: str, *, card_publisher: CardPublisher
) -> CardPlace | None:
    """The card at `place`, brought up to date; None: it must be posted elsewhere. Raises `MessageGone`."""
    # A channel whose id has changed keeps its messages: the same ts under the new id is the same card.
    target = CardPlace(channel=channel, ts=place.ts)
    if target == due.place and due.fingerprint == rendered.fingerprint:
        return target
    try:
        await card_publisher.edit(rendered, place=target)
    except SlackCallFailed as exc:
        if target != place and exc.refused:
            return None
        raise exc if place == due.place and due.posting_since is None else as_uncertain(exc) from None
    return target


async def _found(
    due: DueCard, channel: str, *, card_publisher: CardPublisher, now: datetime
) -> Sequence[CardPlace]:
    """An earlier post was not answered: where the card stands already, if anywhere."""
    if due.posting_since is None:
        return ()
    try:
        tried = due.posting_channel or channel
        return await card_publisher.find(due.view, channel=tried, since=due.posting_since)
    except SlackCallFailed as exc:
        raise as_uncertain(exc) from None
    except SearchUnavailable as exc:
        left = due.posting_since + ASSUME_POSTED_FOR - now
        if left > timedelta(0):
            raise SlackCallFailed(str(exc), retry_after=left, uncertain=True) from None
        return ()


def _again(due: DueCard, exc: SlackCallFailed, *, now: datetime) -> datetime | None:
    view = due.view
    over = not isinstance(view.gate, Awaiting) and now - (view.decided_at or view.opened_at) > GIVE_UP_AFTER
    return None if over else next_try(exc, due.attempts, first=RETRY_AFTER, longest=MAX_BACKOFF, now=now)


def _channel(due: DueCard, *, rules: Rules) -> str:
    """The channel of the gate's domain, under the id that it has now."""
    view = due.view
    domain = rules.domain(view.switch.domain) if view.switch.domain else None
    named = domain.channel if domain else rules.default_channel
    return due.id_changes.get(named, named)
