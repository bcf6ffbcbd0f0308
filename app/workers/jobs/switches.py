"""Polls deployments, executes interventions, collects evidence."""

from typing import Final

import structlog

from app.db.quarantine import Quarantine
from app.flow.approval.auto_approve_rollback import auto_approve_rollback
from app.flow.evidence.collect_evidence import collect_evidence
from app.flow.evidence.watch_health import watch_health
from app.flow.lifecycle.poll_deployment import poll_deployment
from app.flow.ports.evidence import DueEvidence
from app.flow.ports.switches import DuePoll
from app.flow.switch_progress import is_watched
from app.flow.undo.execute_intervention import DueIntervention, execute_intervention
from app.gate.evidence.model import Evidence, GreenHealth
from app.gate.state_machine import Awaiting
from app.observability.metrics import EVIDENCE_MISSING, EVIDENCE_READS
from app.workers.dependencies import Dependencies
from app.workers.leased_job import leased_job
from app.workers.log_context import about_gate, about_switch
from app.workers.runner import Jobs, Step

log = structlog.get_logger(__name__)

MAX_STALE: Final = 50
"""For each step."""


def poll_deployments(deps: Dependencies) -> Step:
    """Switches that are due to be polled."""
    switches = deps.repositories.switches

    async def poll(due: DuePoll) -> bool:
        return await poll_deployment(
            due,
            repository=switches,
            gates=deps.repositories.gates,
            deployments=deps.deployments,
            rules=deps.rules,
            now=deps.clock(),
        )

    def polled(due: DuePoll, changed: bool) -> None:
        if changed:
            deps.wakeups.notify("switch_changed")

    return leased_job(
        switches,
        key=lambda due: due.switch.id,
        about=lambda due: about_switch(due.switch),
        work=poll,
        then=polled,
        clock=deps.clock,
    )


def mark_stale_traffic(deps: Dependencies) -> Step:
    """Switches whose share of traffic was not read again in time."""
    traffic = deps.repositories.stale_traffic
    quarantine = Quarantine("stale_traffic")

    async def step(limit: int) -> Jobs:
        for switch in await traffic.stale(now=deps.clock(), limit=MAX_STALE, skip=quarantine.keys()):
            with quarantine.guard(switch):
                await traffic.mark_unknown(switch, now=deps.clock())
                deps.wakeups.notify("card_outdated")
        return []

    return step


def execute_interventions(deps: Dependencies) -> Step:
    """Interventions that CodeDeploy was not asked for yet. The gates of a redeployment are approved at once."""
    interventions = deps.repositories.interventions

    async def execute(due: DueIntervention) -> None:
        waiting = await execute_intervention(
            due,
            repository=interventions,
            deployment_control=deps.deployment_control,
            deployments=deps.deployments,
            now=deps.clock(),
        )
        for gate in waiting:
            await auto_approve_rollback(gate, repository=deps.repositories.gates, now=deps.clock())

    def executed(due: DueIntervention, done: None) -> None:
        log.info("intervention_executed", kind=due.intervention.kind)
        deps.wakeups.notify("intervention_executed")

    return leased_job(
        interventions,
        key=lambda due: due.intervention.id,
        about=lambda due: about_switch(due.switch),
        work=execute,
        then=executed,
        clock=deps.clock,
    )


def collect_due_evidence(deps: Dependencies) -> Step:
    """Waiting gates whose evidence is due to be read, and switches whose green is watched after the decision."""
    evidence = deps.repositories.evidence

    async def collect(due: DueEvidence) -> Evidence | GreenHealth | None:
        if not isinstance(due.view.gate, Awaiting):
            return await watch(due)
        found = await collect_evidence(
            due, repository=evidence, source=deps.evidence_source, now=deps.clock()
        )
        if found is not None and due.view.hook_name in found.succeeded_events:
            # Somebody else answered CodeDeploy while the gate waits: polling reads that too and closes the gate.
            await deps.repositories.switches.wake(due.view.switch.key, now=deps.clock())
            deps.wakeups.notify("poll_requested")
        return found

    async def watch(due: DueEvidence) -> GreenHealth | None:
        health = await watch_health(due, repository=evidence, source=deps.evidence_source, now=deps.clock())
        if health is None and is_watched(due.view):
            # Green is gone: polling reads whether the deployment has ended.
            await deps.repositories.switches.wake(due.view.switch.key, now=deps.clock())
            deps.wakeups.notify("poll_requested")
        return health

    def collected(due: DueEvidence, found: Evidence | GreenHealth | None) -> None:
        EVIDENCE_READS.labels(result="read" if found else "retried").inc()
        for part, missing in (found.missing if isinstance(found, Evidence) else {}).items():
            EVIDENCE_MISSING.labels(part=part, reason=missing.reason).inc()
        deps.wakeups.notify("card_outdated")

    return leased_job(
        evidence,
        key=lambda due: due.view.id,
        about=lambda due: about_gate(due.view),
        work=collect,
        then=collected,
        clock=deps.clock,
    )
