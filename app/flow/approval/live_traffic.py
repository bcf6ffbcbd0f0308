"""Reads live traffic before an approval that would be accepted on stale evidence.

All gates share one evidence read a second, so with 300 waiting gates the reads of one gate are five minutes apart.
That keeps far below AWS's call limits but leaves the traffic guard out of date. Reading the listener and green's
target health at the approval costs a handful of calls for each decision instead of for each waiting gate. It happens
between two transactions: the first finds that the approval would count and releases its locks, the second evaluates it
again with what was read. What cannot be read within `READ_TIMEOUT_SECONDS` blocks nothing.
"""

import asyncio
from collections.abc import Awaitable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final, Protocol, TypeVar

from app.flow.evidence.read_blue_green import target_group_arn
from app.flow.evidence.read_evidence import with_rules
from app.flow.evidence.timeboxed_reader import TimeboxedReader
from app.flow.ports.database import HeldGate
from app.flow.ports.evidence import EvidenceSource
from app.flow.read_models import GateView
from app.gate.evidence.model import Evidence, Listener, Missing, MissingReason, Targets
from app.gate.ids import GateId
from app.gate.rules.traffic_guard import TrafficGuard, blockers_in
from app.gate.state_machine import Awaiting

READ_TIMEOUT_SECONDS: Final = 1.0
"""For all of it, so that a press is still acknowledged within Slack's three seconds."""

T = TypeVar("T")


class StaleEvidence(Exception):
    """An approval would count, by evidence that is too old to hold it."""


class EvidenceLookup(Protocol):
    async def get(self, gate: GateId) -> GateView | None:
        """The gate with what was seen of it."""
        ...


@dataclass(frozen=True, kw_only=True, slots=True)
class LiveTraffic:
    """Reads what the traffic guard depends on, now."""

    repository: EvidenceLookup
    source: EvidenceSource

    async def read(self, gate: GateId, *, now: datetime) -> "LiveReading":
        """Reads the listeners and the health of green where the evidence shows them; see `LiveReading`."""
        view = await self.repository.get(gate)
        known = view.evidence if view is not None else None
        if view is None or known is None:
            return NOT_READ
        region, reader = view.switch.key.region, TimeboxedReader(self.source, seconds=READ_TIMEOUT_SECONDS)
        listeners, health = await asyncio.gather(
            _in_time(_listeners(known, region=region, reader=reader)),
            _in_time(_health(known, region=region, reader=reader)),
        )
        seen = replace(known, listeners=listeners, green=replace(known.green, health=health))
        blockers = blockers_in(seen, before_traffic=view.before_traffic)
        return LiveReading(guard=TrafficGuard(blockers=blockers, seen_at=now))


@dataclass(frozen=True, kw_only=True, slots=True)
class LiveReading:
    """What was read for this approval; `guard` is None where nothing could be."""

    guard: TrafficGuard | None

    async def put_into(self, held: HeldGate, *, now: datetime) -> None:
        """Under the lock. Where the evidence was looked at meanwhile, that counts; else it is looked at next, for the
        card and for whoever approves after."""
        if not is_stale(held.view, now=now):
            return
        await held.refresh_evidence(now=now)
        if self.guard is not None:
            held.use_guard(self.guard)


NOT_READ: Final = LiveReading(guard=None)
"""There is nothing to read: the evidence is used as it is."""


def is_stale(view: GateView, *, now: datetime) -> bool:
    """Whether what was seen of a waiting gate is too old to hold an approval."""
    return isinstance(view.gate, Awaiting) and view.guard is not None and view.guard.is_stale(now)


async def _in_time(part: Awaitable[T | Missing]) -> T | Missing:
    try:
        async with asyncio.timeout(READ_TIMEOUT_SECONDS):
            return await part
    except TimeoutError:
        return Missing(reason=MissingReason.SILENT)


async def _listeners(
    known: Evidence, *, region: str, reader: TimeboxedReader
) -> tuple[Listener, ...] | Missing:
    if isinstance(known.listeners, Missing):
        return known.listeners
    arns = [listener.arn for listener in known.listeners if listener.arn]
    if not arns:
        return Missing(reason=MissingReason.ABSENT)
    listeners = await reader.read(reader.source.listeners(region, arns))
    if isinstance(listeners, Missing):
        return listeners
    pair = {name for name in (known.blue.target_group, known.green.target_group) if name}
    return tuple(await asyncio.gather(*(with_rules(one, pair, region, reader) for one in listeners)))


async def _health(known: Evidence, *, region: str, reader: TimeboxedReader) -> tuple[Targets, ...] | Missing:
    name = known.green.target_group
    if name is None:
        return Missing(reason=MissingReason.ABSENT)
    arn = await target_group_arn(name, region=region, reader=reader)
    return arn if isinstance(arn, Missing) else await reader.read(reader.source.health(region, arn))
