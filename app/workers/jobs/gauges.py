"""Updates the gauges of /metrics that are read from the database, and gives counters their series."""

from collections.abc import Collection
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

OPEN_PHASES: Final = tuple(phase for phase in Phase if phase is not Phase.CLOSED)


def update_gauges(deps: Dependencies) -> Step:
    """Open gates by domain, and how late the oldest work of each kind is."""

    async def step(limit: int) -> Jobs:
        _start_counters(deps.rules.domain_names())
        load = await deps.repositories.queries.load()
        _set_gates(load.open_gates, domains=deps.rules.domain_names(), now=deps.clock())
        _set_ages(load, now=deps.clock())
        return []

    return step


def _start_counters(domains: Collection[str]) -> None:
    """Gives counters their series before the first event: Prometheus sees no increase in a series that begins at 1."""
    for domain in domains:
        BREAK_GLASS.labels(domain=domain)
        UNAPPROVABLE_GATES.labels(domain=domain)
        for verdict in Verdict:
            DECISIONS.labels(verdict=verdict.value, domain=domain)
    for outcome in Outcome:
        REPORTS.labels(outcome=outcome.value)
    for work in get_args(Work):
        ROWS_SET_ASIDE.labels(work=work)


def _set_gates(found: Collection[OpenGates], *, domains: Collection[str], now: datetime) -> None:
    """Every configured domain has a value for each phase, and no other one has: labels come from the configuration."""
    for gauge in (GATES, OLDEST_WAITING_GATE_SECONDS, NEXT_DEADLINE):
        gauge.clear()
    for domain in (*domains, UNKNOWN_DOMAIN):
        own = [each for each in found if _label(each.domain, domains) == domain]
        for phase in OPEN_PHASES:
            count = sum(each.count for each in own if each.phase == phase)
            GATES.labels(domain=domain, phase=phase.value).set(count)
        waiting = [each for each in own if each.phase == Phase.AWAITING]
        oldest = max((_age(each.oldest_opened_at, now) for each in waiting), default=0.0)
        OLDEST_WAITING_GATE_SECONDS.labels(domain=domain).set(oldest)
        if waiting:
            next_deadline = min(each.next_deadline_at for each in waiting)
            NEXT_DEADLINE.labels(domain=domain).set(next_deadline.timestamp())


def _set_ages(load: Load, *, now: datetime) -> None:
    REPORT_OVERDUE_SECONDS.set(_age(load.unreported_since, now))
    for work in get_args(Work):
        OLDEST_DUE_WORK_SECONDS.labels(work=work).set(_age(load.oldest_due.get(work), now))


def _label(domain: str | None, domains: Collection[str]) -> str:
    return domain if domain in domains and domain is not None else UNKNOWN_DOMAIN


def _age(since: datetime | None, now: datetime) -> float:
    return max(0.0, (now - since).total_seconds()) if since else 0.0
