"""Saves where a card was seen when somebody acts on it, and has outdated cards published again."""

import re
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, Final, Protocol

from app.flow.read_models import CardPlace
from app.gate.ids import GateId
from app.slack.action_value import ActionValue, InvalidActionValue
from app.slack.background import BackgroundTasks
from app.slack.cards.overflow import MenuChoice
from app.slack.payload import Body, channel_of
from app.slack.publishers.card_search import CARD
from app.workers.wakeups import Wakeups

CARD_BLOCK: Final = re.compile("(card|decide|course)\\.[0-9]+")
"""Block ids of a card's buttons (`card_actions`); the last two were those of earlier releases."""


class CardRepository(Protocol):
    async def redraw(self, gate: GateId, *, now: datetime) -> None:
        """Has the card published again."""

    async def register_location(self, gate: GateId, *, place: CardPlace, now: datetime) -> bool:
        """Saves that a card of this gate is at `place`. False: it is a copy."""


class ShownCards:
    """Saves in background tasks what actions tell of the cards."""

    def __init__(
        self,
        *,
        repository: CardRepository,
        background: BackgroundTasks,
        wakeups: Wakeups,
        clock: Callable[[], datetime],
    ) -> None:
        self._repository = repository
        self._background = background
        self._wakeups = wakeups
        self._clock = clock

    def record_place(self, body: Body, action: Mapping[str, Any]) -> None:
        """Saves the place of the card that the action came from."""
        place = message_place(body)
        try:
            gate = ActionValue.parse(MenuChoice.of(action).value).gate
        except InvalidActionValue:
            return
        if place is not None and _is_card(body, action, gate):
            self._background.run(self._save_place(gate, place), what="card place")

    def redraw(self, gate: GateId) -> None:
        """Has a card published again that may be outdated."""
        self._background.run(self._redraw(gate), what="redraw")

    async def _redraw(self, gate: GateId) -> None:
        await self._repository.redraw(gate, now=self._clock())
        self._wakeups.notify("card_outdated")

    async def _save_place(self, gate: GateId, place: CardPlace) -> None:
        await self._repository.register_location(gate, place=place, now=self._clock())
        self._wakeups.notify("card_place_learned")


def message_place(body: Body) -> CardPlace | None:
    """The place of the message, if it is not ephemeral or a reply."""
    container, channel = body.get("container") or {}, channel_of(body)
    ts = container.get("message_ts")
    is_reply = container.get("thread_ts") not in (None, ts)
    if not channel or not ts or is_reply or container.get("is_ephemeral"):
        return None
    return CardPlace(channel=channel, ts=str(ts))


def _is_card(body: Body, action: Mapping[str, Any], gate: GateId) -> bool:
    """Whether the message is a card, not a list or reply with the same buttons.

    Slack does not guarantee a message's metadata in the payload; the block id of a card's buttons is unique.
    """
    metadata = (body.get("message") or {}).get("metadata")
    if metadata:
        return bool(
            metadata.get("event_type") == CARD
            and (metadata.get("event_payload") or {}).get("gate") == str(gate)
        )
    return CARD_BLOCK.fullmatch(str(action.get("block_id") or "")) is not None
