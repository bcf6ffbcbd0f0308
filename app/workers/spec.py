"""The specification of a worker: one row of the registry."""

from collections.abc import Callable
from dataclasses import dataclass

from app.workers.dependencies import Dependencies
from app.workers.foreground import QUIET_PERIOD_SECONDS
from app.workers.runner import Step, Worker
from app.workers.wakeups import Topic


@dataclass(frozen=True, kw_only=True, slots=True)
class WorkerSpec:
    """Times are in seconds.

    `source`: the table, and the rows in it that are the worker's work. `wakes_on`: what makes it look before its next
    poll. `max_yield`: how long a step waits for requests to end, see `Worker`; 0: it does not wait. It is short where
    somebody waits for the result, and long where the work takes much of the processor, as reading evidence does.
    `min_interval`: between the starts of two steps, for one that reads all waiting gates whatever woke it.
    """

    name: str
    source: str
    does: str
    step: Callable[[Dependencies], Step]
    concurrency: int
    poll_interval: float
    wakes_on: tuple[Topic, ...] = ()
    max_yield: float = 0.0
    quiet_period: float = QUIET_PERIOD_SECONDS
    busy_concurrency: int = 1
    min_interval: float = 0.0

    def build(self, deps: Dependencies) -> Worker:
        return Worker(
            name=self.name,
            step=self.step(deps),
            concurrency=self.concurrency,
            poll_interval=self.poll_interval,
            foreground=deps.foreground if self.max_yield else None,
            max_yield=self.max_yield,
            quiet_period=self.quiet_period,
            busy_concurrency=self.busy_concurrency,
            min_interval=self.min_interval,
        )
