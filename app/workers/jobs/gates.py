"""Steps for waiting gates: expiry, reminders, rule status, automatic approval."""

import asyncio
from typing import Final

import structlog

from app.db.quarantine import Quarantine
from app.flow.approval.approve_by_checks import approve_by_checks
from app.flow.approval.approve_by_earlier_votes import approve_by_earlier_votes
from app.flow.approval.approve_observed import approve_observed
from app.flow.approval.live_traffic import LiveTraffic
from app.flow.lifecycle.expire_gates import expire_gates
from app.flow.notify.refresh_rule_status import refresh_rule_status
from app.flow.notify.remind import remind
from app.workers.dependencies import Dependencies
from app.workers.runner import Jobs, Step

log = structlog.get_logger(__name__)

MAX_TIMER_SECONDS: Final = 1.0
"""Polls find deadlines that are further away than this. It must be longer than the worker's poll interval."""

MIN_TIMER_SECONDS: Final = 0.02
"""So long after a deadline passed whose gate somebody else holds, it is tried again."""


def expire_due_gates(deps: Dependencies) -> Step:
    """Waiting gates whose deadline has passed. Between polls a timer keeps the next deadline."""
    gates = deps.repositories.gates
    quarantine = Quarantine("expire")

    async def step(limit: int) -> Jobs:
        now = deps.clock()
        while await expire_gates(repository=gates, quarantine=quarantine, now=now):
            deps.wakeups.notify("gate_decided")
        following = await gates.next_deadline(skip=quarantine.keys())
        if following is not None:
            left = (following - deps.clock()).total_seconds()
            if left < MAX_TIMER_SECONDS:
                loop = asyncio.get_running_loop()
                loop.call_later(max(left, MIN_TIMER_SECONDS), deps.wakeups.notify, "deadline_reached")
        return []

    return step


def send_reminders(deps: Dependencies) -> Step:
    """Waiting gates whose reminder is due."""
    quarantine = Quarantine("remind")

    async def step(limit: int) -> Jobs:
        reminded = remind(
            repository=deps.repositories.gates, rules=deps.rules, quarantine=quarantine, now=deps.clock()
        )
        for event in await reminded:
            # Alarms count it: see infra/.
            log.warning(
                "gate_reminded",
                gate=str(event.gate),
                deployment=event.switch.deployment,
                domain=event.domain,
                **event.detail,
            )
            deps.wakeups.notify("card_outdated")
        return []

    return step


def auto_approve(deps: Dependencies) -> Step:
    """Waiting gates in observe mode, approved by their checks, or by votes that were not enough when they were cast."""
    repositories = deps.repositories
    quarantine = Quarantine("approve")
    traffic = LiveTraffic(repository=repositories.evidence, source=deps.evidence_source)

    async def step(limit: int) -> Jobs:
        while await approve_by_checks(
            repository=repositories.gates,
            gates=repositories.checks,
            rules=deps.rules,
            quarantine=quarantine,
            traffic=traffic,
            now=deps.clock(),
        ):
            deps.wakeups.notify("gate_decided")
        if await approve_observed(
            repository=repositories.gates,
            gates=repositories.gates,
            rules=deps.rules,
            quarantine=quarantine,
            now=deps.clock(),
        ):
            deps.wakeups.notify("gate_decided")
        if await approve_by_earlier_votes(
            repository=repositories.gates,
            votes=repositories.deployers,
            rules=deps.rules,
            quarantine=quarantine,
            now=deps.clock(),
        ):
            deps.wakeups.notify("gate_decided")
        return []

    return step


def refresh_rule_statuses(deps: Dependencies) -> Step:
    """Waiting gates whose rules say something else than before: with the clock, or by the people in the groups."""
    quarantine = Quarantine("rule_status")

    async def step(limit: int) -> Jobs:
        await _sync_members(deps)
        changed = refresh_rule_status(
            repository=deps.repositories.freezes, rules=deps.rules, quarantine=quarantine, now=deps.clock()
        )
        if await changed:
            deps.wakeups.notify("rule_status_changed")
        return []

    return step


async def _sync_members(deps: Dependencies) -> None:
    if deps.members.is_stale():
        deps.wakeups.notify("memberships_outdated")
    if await deps.members.sync():
        await deps.repositories.cards.redraw_waiting(now=deps.clock())
        deps.wakeups.notify("card_outdated")
