"""One kind of outgoing work: claimed under a lease, done while the lease is kept, and what follows from it."""

from collections.abc import Awaitable, Callable, Coroutine, Sequence
from datetime import datetime
from typing import Any, Protocol, TypeVar
from uuid import UUID

from app.db.leases import Leases
from app.flow.ports.database import DatabaseUnavailable
from app.workers.runner import Step

Due = TypeVar("Due")
Done = TypeVar("Done")
Claimed = TypeVar("Claimed", covariant=True)
Clock = Callable[[], datetime]
Pieces = Sequence[Coroutine[Any, Any, None]]


class Claims(Protocol[Claimed]):
    """A room of the record with work that is due."""

    @property
    def leases(self) -> Leases: ...

    async def claim(self, *, now: datetime, limit: int) -> Sequence[Claimed]: ...


def errand(
    claims: Claims[Due],
    *,
    key: Callable[[Due], UUID | int],
    work: Callable[[Due], Awaitable[Done]],
    then: Callable[[Due, Done], None] | None = None,
    clock: Clock,
) -> Step:
    """The step of a loop: claims what is due and gives the pieces.

    `key` names the leased row. `then` comes after the lease was let go: a loop that it nudges may claim the row anew.
    What fails for another reason than the database is set aside, so that it is not tried again at once.
    """

    async def piece(due: Due, claimed: datetime) -> None:
        row = key(due)
        try:
            async with claims.leases.kept(row, now=claimed):
                done = await work(due)
        except DatabaseUnavailable:
            raise
        except Exception as trouble:
            await claims.leases.set_aside(row, problem=type(trouble).__name__, exc=trouble)
            return
        if then is not None:
            then(due, done)

    async def step(room: int) -> Pieces:
        now = clock()
        return [piece(due, now) for due in await claims.claim(now=now, limit=room)]

    return step
