"""Updates the gauges of /metrics that are read from the database, and gives counters their series."""

import asyncio
from collections.abc import AsyncIterator, Collection, Iterable, Sequence
from datetime import datetime
from typing import Final, get_args

from app.db.leases import Work
from app.db.queries.load import Load, OpenGates
from app.gate.decision import Verdict
from app.gate.state_machine import Outcome, Phase
from app.observability.metrics import (
    BREAK_GLASS,
    DECISIONS,
    GATES,
    NEXT_DEADLINE,
    OLDEST_DUE_WORK_SECONDS,
    OLDEST_WAITING_GATE_SECONDS,
    REPORT_OVERDUE_SECONDS,
    REPORTS,
    ROWS_SET_ASIDE,
    UNAPPROVABLE_GATES,
    UNKNOWN_DOMAIN,
)
from app.workers.dependencies import Dependencies
from app.workers.runner import Jobs, Step

DOMAINS_PER_TURN: Final = 50
"""Set before the event loop serves others."""

OPEN_PHASES: Final = tuple(phase for phase in Phase if phase is not Phase.CLOSED)


def update_gauges(deps: Dependencies) -> Step:
    """Open gates by domain, and how late the oldest work of each kind is."""
    gates = _GateGauges()
    _start_counters()

    async def step(limit: int) -> Jobs:
        load = await deps.repositories.queries.load()
        await gates.update(load.open_gates, domains=deps.rules.domain_names(), now=deps.clock())
        _set_ages(load, now=deps.clock())
        return []

    return step


class _GateGauges:
    """Every configured domain has a value for each phase, and no other one has: labels come from the configuration."""

    def __init__(self) -> None:
        self._known = {UNKNOWN_DOMAIN}

    async def update(self, found: Collection[OpenGates], *, domains: Sequence[str], now: datetime) -> None:
        """Lets presses be served in between: there may be a thousand domains."""
        by_domain: dict[str, list[OpenGates]] = {domain: [] for domain in (*domains, UNKNOWN_DOMAIN)}
        for each in found:
            by_domain.get(each.domain or UNKNOWN_DOMAIN, by_domain[UNKNOWN_DOMAIN]).append(each)
        async for domain in _in_turns(by_domain):
            if domain not in self._known:
                _start_counters_of(domain)
                self._known.add(domain)
            _set_gates_of(domain, by_domain[domain], now=now)
        # Alone, so that a scrape in between finds every series of the domains that stay.
        async for domain in _in_turns(self._known - by_domain.keys()):
            _remove_gauges_of(domain)
            self._known.remove(domain)


async def _in_turns(domains: Iterable[str]) -> AsyncIterator[str]:
    for number, domain in enumerate(domains):
        if number % DOMAINS_PER_TURN == 0:
            await asyncio.sleep(0)
        yield domain


def _remove_gauges_of(domain: str) -> None:
    for phase in OPEN_PHASES:
        GATES.remove(phase.value, domain)
    OLDEST_WAITING_GATE_SECONDS.remove(domain)
    NEXT_DEADLINE.remove(domain)


def _start_counters_of(domain: str) -> None:
    """Gives counters their series before the first event: Prometheus sees no increase in a series that begins at 1."""
    BREAK_GLASS.labels(domain=domain)
    UNAPPROVABLE_GATES.labels(domain=domain)
    for verdict in Verdict:
        DECISIONS.labels(verdict=verdict.value, domain=domain)


def _start_counters() -> None:
    """Of the counters without a domain."""
    for outcome in Outcome:
        REPORTS.labels(outcome=outcome.value)
    for work in get_args(Work):
        ROWS_SET_ASIDE.labels(work=work)


def _set_gates_of(domain: str, own: Sequence[OpenGates], *, now: datetime) -> None:
    for phase in OPEN_PHASES:
        GATES.labels(domain=domain, phase=phase.value).set(
            sum(each.count for each in own if each.phase == phase)
        )
    waiting = [each for each in own if each.phase == Phase.AWAITING]
    oldest = max((_age(each.oldest_opened_at, now) for each in waiting), default=0.0)
    OLDEST_WAITING_GATE_SECONDS.labels(domain=domain).set(oldest)
    if waiting:
        NEXT_DEADLINE.labels(domain=domain).set(min(each.next_deadline_at for each in waiting).timestamp())
    else:
        NEXT_DEADLINE.remove(domain)


def _set_ages(load: Load, *, now: datetime) -> None:
    REPORT_OVERDUE_SECONDS.set(_age(load.unreported_since, now))
    for work in get_args(Work):
        OLDEST_DUE_WORK_SECONDS.labels(work=work).set(_age(load.oldest_due.get(work), now))


def _age(since: datetime | None, now: datetime) -> float:
    return max(0.0, (now - since).total_seconds()) if since else 0.0
