"""Handles changes of channels."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, Protocol

from app.slack.payload import Ack
from app.workers.wakeups import Wakeups


class ChannelRecord(Protocol):
    async def id_changed(self, *, old: str, new: str, now: datetime) -> None:
        """Saves a channel's new id."""


class ChannelsHandler:
    """Cards and threads move with their channel when it gets another id."""

    def __init__(self, *, repository: ChannelRecord, wakeups: Wakeups, clock: Callable[[], datetime]) -> None:
        self._repository = repository
        self._wakeups = wakeups
        self._clock = clock

    async def id_changed(self, ack: Ack, event: Mapping[str, Any]) -> None:
        """`channel_id_changed`: commits, then acks."""
        old, new = event.get("old_channel_id"), event.get("new_channel_id")
        if old and new:
            await self._repository.id_changed(old=str(old), new=str(new), now=self._clock())
            self._wakeups.notify("card_place_learned")
        await ack()
