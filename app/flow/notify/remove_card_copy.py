"""Deletes second copies of a card in Slack, because their buttons would keep working. Never the gate's own card."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Protocol

from app.flow.notify.retry import next_try
from app.flow.notify.slack_errors import SlackCallFailed
from app.flow.ports.database import Claim
from app.flow.read_models import CardPlace
from app.gate.ids import GateId

RETRY_AFTER: Final = timedelta(seconds=1)
MAX_BACKOFF: Final = timedelta(minutes=1)
GIVE_UP_AFTER: Final = timedelta(days=1)


@dataclass(frozen=True, kw_only=True, slots=True)
class DueCopy(Claim):
    """A message that shows a gate whose own card is another message."""

    id: int
    gate: GateId
    place: CardPlace
    found_at: datetime


class CopyRemover(Protocol):
    async def remove(self, place: CardPlace, *, gate: GateId) -> None:
        """Removes the message if it is a card of this gate. Raises `SlackCallFailed`."""
        ...


class CopyRepository(Protocol):
    async def mark_removed(self, due: DueCopy) -> None: ...

    async def retry_later(self, due: DueCopy, *, error: str, due_at: datetime) -> None: ...


async def remove_copy(
    due: DueCopy, *, repository: CopyRepository, remover: CopyRemover, now: datetime
) -> str | None:
    """Removes it; why it is to be tried again, or None."""
    try:
        await remover.remove(due.place, gate=due.gate)
    except SlackCallFailed as exc:
        if now - due.found_at < GIVE_UP_AFTER:
            again = next_try(exc, due.attempts, first=RETRY_AFTER, longest=MAX_BACKOFF, now=now)
            await repository.retry_later(due, error=str(exc), due_at=again)
            return str(exc)
    await repository.mark_removed(due)
    return None
