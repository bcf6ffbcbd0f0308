"""Collects the evidence of a waiting gate when it is due, stores it, and says when it is due again.

The gate and its card do not wait for it. After the decision the last evidence stays unchanged.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Final

from app.flow.audit_events import SWITCHGATE, Detail, Event, Kind
from app.flow.backoff import backoff
from app.flow.evidence.read_evidence import read_evidence
from app.flow.evidence.timeboxed_reader import TimeboxedReader
from app.flow.ports.evidence import DueEvidence, EvidenceRepository, EvidenceSource
from app.gate.evidence.health import EvidenceUnread, health_of_green
from app.gate.evidence.model import Evidence, Missing
from app.gate.rules.traffic_guard import GuardRule, blockers_in
from app.gate.rules.violations import rule_key

FIRST_READ_TIMEOUT_SECONDS: Final = 0.8
"""Seconds that a part may take at the first look: people are reading the card already."""

READ_TIMEOUT_SECONDS: Final = 4.0
RETRY_AFTER: Final = timedelta(seconds=1)
SHORT_INTERVAL: Final = timedelta(seconds=10)
LONG_INTERVAL: Final = timedelta(seconds=30)
SHORT_INTERVAL_FOR: Final = timedelta(minutes=5)
INTERVAL_PER_GATE: Final = timedelta(seconds=1)
"""All gates share one read a second, one after the other, so that waiting gates stay cheap."""


async def collect_evidence(
    due: DueEvidence, *, repository: EvidenceRepository, source: EvidenceSource, now: datetime
) -> Evidence | None:
    """Looks once; None when nothing could be looked for, or the gate was decided meanwhile."""
    if not due.view.switch.verified:
        again = now + backoff(due.attempts, first=RETRY_AFTER, longest=SHORT_INTERVAL)
        await repository.retry_later(due, error="not verified", due_at=again)
        return None
    reader = TimeboxedReader(
        source,
        seconds=FIRST_READ_TIMEOUT_SECONDS
        if due.known is None and due.attempts == 1
        else READ_TIMEOUT_SECONDS,
    )
    seen = await read_evidence(due.view.switch, reader=reader, known=due.known, now=now)
    settled = not any(missing.passes for missing in _parts(seen))
    blockers = _blockers(due, seen)
    kept = await repository.seen(
        due,
        seen,
        blockers=blockers,
        events=list(_events(due, seen, now)),
        settled=settled,
        due_at=now + poll_interval(due, now=now, settled=settled, blocked=bool(blockers)),
        now=now,
    )
    return seen if kept else None


def poll_interval(due: DueEvidence, *, now: datetime, settled: bool, blocked: bool = False) -> timedelta:
    """Until the next look: soon where something may still come by itself; else the longer, the longer this gate
    has waited and the more gates wait. While it holds an approval it is looked at often, however many wait."""
    young = now - due.view.opened_at < SHORT_INTERVAL_FOR
    calm = (
        SHORT_INTERVAL
        if blocked
        else max(SHORT_INTERVAL if young else LONG_INTERVAL, INTERVAL_PER_GATE * due.waiting_gates)
    )
    return backoff(1 if settled else due.attempts, first=calm if settled else RETRY_AFTER, longest=calm)


def _parts(seen: Evidence) -> list[Missing]:
    blue_green = [
        part for side in (seen.blue, seen.green) for part in (side.revision, side.tasks, side.health)
    ]
    return [*seen.missing.values(), *(part for part in blue_green if isinstance(part, Missing))]


def _events(due: DueEvidence, seen: Evidence, now: datetime) -> Iterator[Event]:
    """The first evidence of a gate, and every change of green's health."""
    summary = _summary(due, seen)
    if due.known is not None and _summary(due, due.known) == summary:
        return
    yield Event(
        at=now,
        kind=Kind.EVIDENCE_COLLECTED,
        switch=due.view.switch.key,
        actor=SWITCHGATE,
        domain=due.view.switch.domain,
        gate=due.view.id,
        detail=summary,
    )


def _blockers(due: DueEvidence, seen: Evidence) -> tuple[GuardRule, ...]:
    return blockers_in(seen, before_traffic=due.view.before_traffic)


def _summary(due: DueEvidence, seen: Evidence) -> dict[str, Detail]:
    found = health_of_green(seen)
    names = [
        f"{finding.part} {finding.missing.reason}" if isinstance(finding, EvidenceUnread) else finding.name
        for finding in found.findings
    ]
    changes = seen.differences
    return {
        "healthy": found.healthy,
        "findings": ", ".join(names),
        "blockers": "; ".join(rule_key(rule) for rule in _blockers(due, seen)),
        "changes": None if isinstance(changes, Missing) else len(changes),
        "blue": seen.blue.task_definition,
        "green": seen.green.task_definition,
    }
