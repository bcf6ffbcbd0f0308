"""Runs one kind of leased work: claims due rows, renews the lease while the work runs, then handles the result."""

from collections.abc import Awaitable, Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from datetime import datetime
from typing import Final, Protocol, TypeVar
from uuid import UUID

from structlog.contextvars import bound_contextvars

from app.db.leases import Leases, Work
from app.flow.ports.database import DatabaseUnavailable
from app.observability.tracing import span
from app.workers.log_context import LogContext
from app.workers.runner import Jobs, Step

Due = TypeVar("Due")
Result = TypeVar("Result")
Claimed = TypeVar("Claimed", covariant=True)
Clock = Callable[[], datetime]


class LeasedQueue(Protocol[Claimed]):
    """A repository whose rows become due."""

    @property
    def leases(self) -> Leases: ...

    async def claim(self, *, now: datetime, limit: int) -> Sequence[Claimed]: ...


REPEATED: Final[frozenset[Work]] = frozenset({"switches", "evidence"})
"""Work that is done every few seconds as long as a deployment lives. Its spans would hide the others."""


def leased_job(
    queue: LeasedQueue[Due],
    *,
    key: Callable[[Due], UUID | int],
    about: Callable[[Due], LogContext],
    work: Callable[[Due], Awaitable[Result]],
    then: Callable[[Due, Result], None] | None = None,
    clock: Clock,
) -> Step:
    """The step of a worker: claims due rows and returns a job for each.

    `key` is the leased row's id, `about` what the job's log lines carry. `then` runs after the lease was released, so
    that a worker it wakes may claim the row again. If the work fails for another reason than the database, the row is
    set aside instead of retried at once.
    """

    async def job(due: Due, claimed_at: datetime) -> None:
        context = about(due)
        with bound_contextvars(**context), _span(queue.leases.work, context):
            await run(due, claimed_at)

    async def run(due: Due, claimed_at: datetime) -> None:
        row = key(due)
        try:
            async with queue.leases.renewed(row, now=claimed_at):
                result = await work(due)
        except DatabaseUnavailable:
            raise
        except Exception as exc:
            await queue.leases.set_aside(row, problem=type(exc).__name__, exc=exc)
            return
        if then is not None:
            then(due, result)

    async def step(limit: int) -> Jobs:
        now = clock()
        return [job(due, now) for due in await queue.claim(now=now, limit=limit)]

    return step


def _span(work: Work, context: LogContext) -> AbstractContextManager[None]:
    if work in REPEATED:
        return nullcontext()
    return span(work, gate=context.get("gate"), deployment=context.get("deployment"))
