"""A card differs from what it should show: draw it. One writer a card, held by its lease."""

from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Protocol

from app.flow.backoff import backoff
from app.flow.record_ports import DueCard
from app.flow.rules_port import Rules
from app.flow.views import CardPlace, GateView
from app.gate.ids import GateId
from app.gate.states import Awaiting

RETRY: Final = timedelta(milliseconds=500)
LONGEST: Final = timedelta(seconds=30)

UNSEEN: Final = timedelta(minutes=2)
"""Where Slack does not let us look for a card whose post was not answered, it counts as standing for so long."""

GIVEN_UP: Final = timedelta(days=1)
"""A card that nobody waits for any more is not tried for ever."""


class CardNotDrawn(Exception):
    """Slack did not take the card, or nobody knows whether it did (`uncertain`).

    `retry_after` is Slack's own word, when it gave one. `refused`: Slack said no, and will say it again.
    """

    def __init__(
        self,
        reason: str,
        *,
        retry_after: timedelta | None = None,
        uncertain: bool = False,
        refused: bool = False,
    ) -> None:
        super().__init__(reason)
        self.retry_after = retry_after
        self.uncertain = uncertain
        self.refused = refused


class CardVanished(Exception):
    """The message that we would edit is no longer there."""


class CannotLook(Exception):
    """Slack does not let us search the channel, and asking again will not change that."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Drawing:
    """A gate drawn for Slack. The fingerprint changes when what is shown changes."""

    fingerprint: str
    content: object


class Canvas(Protocol):
    """Slack, as far as cards go. Every method but `draw` raises `CardNotDrawn`."""

    def draw(self, view: GateView) -> Drawing: ...

    async def post(self, drawing: Drawing, *, channel: str, view: GateView) -> CardPlace: ...

    async def find(self, view: GateView, *, channel: str, since: datetime) -> CardPlace | None:
        """Raises `CannotLook`."""
        ...

    async def edit(self, drawing: Drawing, *, place: CardPlace) -> None:
        """Raises `CardVanished`."""
        ...

    async def remove(self, place: CardPlace) -> None: ...


class CardRecord(Protocol):
    async def card_posting(self, due: DueCard, *, now: datetime) -> bool:
        """Writes down the intent to post, before Slack is asked. False: the lease is lost."""
        ...

    async def card_drawn(self, due: DueCard, *, place: CardPlace, fingerprint: str, now: datetime) -> bool:
        """False: the lease is lost."""
        ...

    async def met(self, gate: GateId, *, place: CardPlace, now: datetime) -> bool:
        """A card of this gate was seen at `place`; False: the gate's own card stands elsewhere."""
        ...

    async def card_again(self, due: DueCard, *, error: str, uncertain: bool, due_at: datetime | None) -> None:
        """`uncertain`: a post may have arrived, so the next try looks for it first. `due_at` None: given up."""
        ...


async def refresh_card(
    due: DueCard, *, record: CardRecord, canvas: Canvas, rules: Rules, now: datetime
) -> str | None:
    """Posts, edits or moves the card so that it shows the gate as it was claimed; why it is to be tried again."""
    channel = _channel(due.view, rules=rules)
    drawing = canvas.draw(due.view)
    try:
        place = await _place(due, drawing, channel, record=record, canvas=canvas, now=now)
    except CardNotDrawn as trouble:
        again = _again(due, trouble, now=now)
        await record.card_again(due, error=str(trouble), uncertain=trouble.uncertain, due_at=again)
        return str(trouble)
    if place is None or await record.card_drawn(due, place=place, fingerprint=drawing.fingerprint, now=now):
        return None
    if place != due.place and not await record.met(due.view.id, place=place, now=now):
        with suppress(CardNotDrawn):  # whoever presses it has it taken away
            await canvas.remove(place)  # another was found, or posted, while ours was on its way
    return None


async def _place(
    due: DueCard, drawing: Drawing, channel: str, *, record: CardRecord, canvas: Canvas, now: datetime
) -> CardPlace | None:
    """Where the up-to-date card stands; None when the lease was lost on the way."""
    standing = await _edited(due, drawing, channel, canvas=canvas, now=now)
    if standing is not None:
        return standing
    if not await record.card_posting(due, now=now):
        return None
    return await canvas.post(drawing, channel=channel, view=due.view)


async def _edited(
    due: DueCard, drawing: Drawing, channel: str, *, canvas: Canvas, now: datetime
) -> CardPlace | None:
    """The card where it stands already, brought up to date; None when one must be posted."""
    place = due.place
    if place is not None and place.channel != channel:
        await canvas.remove(place)
        return None
    if place is None and due.posting_since is not None:
        place = await _found(due, channel, since=due.posting_since, canvas=canvas, now=now)
    if place is None or (place == due.place and due.fingerprint == drawing.fingerprint):
        return place
    try:
        await canvas.edit(drawing, place=place)
    except CardVanished:
        return None  # somebody deleted it: the question still needs a card
    except CardNotDrawn as trouble:
        raise trouble if place == due.place else _unsure(trouble) from None
    return place


async def _found(
    due: DueCard, channel: str, *, since: datetime, canvas: Canvas, now: datetime
) -> CardPlace | None:
    """An earlier post was not answered: the card may stand there already. None: it does not."""
    try:
        return await canvas.find(due.view, channel=channel, since=since)
    except CardNotDrawn as trouble:
        raise _unsure(trouble) from None
    except CannotLook as trouble:
        left = since + UNSEEN - now
        if left > timedelta(0):
            raise CardNotDrawn(str(trouble), retry_after=left, uncertain=True) from None
        return None


def _unsure(trouble: CardNotDrawn) -> CardNotDrawn:
    """The record does not know yet where the card stands: were that forgotten, a second one would be posted."""
    return CardNotDrawn(str(trouble), retry_after=trouble.retry_after, uncertain=True)


def _again(due: DueCard, trouble: CardNotDrawn, *, now: datetime) -> datetime | None:
    view = due.view
    over = not isinstance(view.gate, Awaiting) and now - (view.decided_at or view.opened_at) > GIVEN_UP
    if over:
        return None
    return now + (trouble.retry_after or backoff(due.attempts, first=RETRY, longest=LONGEST))


def _channel(view: GateView, *, rules: Rules) -> str:
    domain = rules.domain(view.switch.domain) if view.switch.domain else None
    return domain.channel if domain else rules.default_channel
