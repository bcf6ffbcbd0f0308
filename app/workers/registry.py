"""The workers of one replica: what each claims, and the use case that it then runs."""

from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final, Protocol

import structlog

from app.db.all_repositories import Repositories
from app.db.quarantine import Quarantine
from app.flow.approval.approval_context import with_related_switches
from app.flow.approval.auto_approve_rollback import auto_approve_rollback
from app.flow.evidence.collect_evidence import collect_evidence
from app.flow.lifecycle.expire_gates import expire_gates
from app.flow.lifecycle.poll_deployment import poll_deployment
from app.flow.lifecycle.report_decision import Result, report_decision
from app.flow.notify.post_timeline import DueThread, TimelinePublisher, post_timeline
from app.flow.notify.publish_card import CardPublisher, publish_card
from app.flow.notify.remind import remind
from app.flow.notify.remove_card_copy import CopyRemover, DueCopy, remove_copy
from app.flow.ports.codedeploy import CodeDeployUnavailable, DeploymentControl, Deployments
from app.flow.ports.database import DueCard, DueIntervention, DuePoll, DueReport
from app.flow.ports.evidence import DueEvidence, EvidenceSource
from app.flow.ports.rules import Rules
from app.flow.read_models import GateView
from app.flow.undo.execute_intervention import execute_intervention
from app.gate.evidence.model import Evidence
from app.gate.ids import GateId
from app.observability.metrics import (
    CARD_UPDATES,
    EVIDENCE_MISSING,
    EVIDENCE_READS,
    GATES_WAITING,
    REPORT_OVERDUE_SECONDS,
    REPORT_SECONDS,
    REPORTS,
)
from app.workers.foreground import ForegroundTracker
from app.workers.leased_job import Clock, leased_job
from app.workers.runner import Jobs, Step, Worker
from app.workers.wakeups import Wakeups

log = structlog.get_logger(__name__)

POLL_SECONDS: Final = 0.5
"""With a lease of 3.5 s, another replica takes over the work of a killed one within 5 s."""

GROUPS_POLL_SECONDS: Final = 60.0
REMIND_POLL_SECONDS: Final = 2.0
VERIFY_POLL_SECONDS: Final = 5.0
GAUGES_POLL_SECONDS: Final = 10.0
MAX_PREVIOUS_CARDS: Final = 50


class Workers:
    """Builds the workers, and wakes those that an event gives work to."""

    def __init__(
        self,
        *,
        repositories: Repositories,
        deployments: Deployments,
        deployment_control: DeploymentControl,
        source: EvidenceSource,
        card_publisher: CardPublisher,
        remover: CopyRemover,
        timeline_publisher: TimelinePublisher,
        rules: Rules,
        wakeups: Wakeups,
        clock: Clock,
        foreground: ForegroundTracker,
    ) -> None:
        self._repositories = repositories
        self._quarantines = {name: Quarantine(name) for name in ("remind", "expire", "previous")}
        self._deployments = deployments
        self._interveners = deployment_control
        self._source = source
        self._canvas = card_publisher
        self._remover = remover
        self._storyteller = timeline_publisher
        self._rules = rules
        self._wakeups = wakeups
        self._clock = clock
        self._foreground = foreground
        self.report = self._report_worker()
        cards = _CardsWithRelated(repositories, rules)
        self.card = self._worker(
            "card",
            leased_job(cards, key=_gate_id, work=self._publish_card, then=self._card_published, clock=clock),
            concurrency=8,
            max_yield=0.2,
        )
        self.poll = self._worker(
            "look",
            leased_job(
                repositories.switches, key=_switch_id, work=self._poll, then=self._polled, clock=clock
            ),
            concurrency=50,
            max_yield=0.5,
        )
        self.intervene = self._intervene_worker()
        self.evidence = self._evidence_worker()
        self.timeline = self._worker(
            "thread",
            leased_job(repositories.threads, key=_gate_id, work=self._post_timeline, clock=clock),
            concurrency=4,
            max_yield=0.5,
        )
        self.remove_card_copies = self._remove_worker()
        self.verify_cards = Worker(
            name="verify_cards", step=self._verify_step, concurrency=1, poll_interval=VERIFY_POLL_SECONDS
        )
        self.remind = Worker(
            name="remind", step=self._remind_step, concurrency=1, poll_interval=REMIND_POLL_SECONDS
        )
        self.expire = Worker(name="expire", step=self._expire_step, concurrency=1, poll_interval=POLL_SECONDS)
        self.previous_cards = self._worker("previous", self._previous_step, concurrency=1, max_yield=0.5)
        self.gauges = Worker(
            name="gauges", step=self._gauges_step, concurrency=1, poll_interval=GAUGES_POLL_SECONDS
        )
        self._subscribe(wakeups)

    def _evidence_worker(self) -> Worker:
        return self._worker(
            "evidence",
            leased_job(
                self._repositories.evidence,
                key=_gate_id,
                work=self._collect_evidence,
                then=self._evidence_collected,
                clock=self._clock,
            ),
            concurrency=6,
            max_yield=1.0,
        )

    def _intervene_worker(self) -> Worker:
        step = leased_job(
            self._repositories.interventions,
            key=lambda due: due.intervention.id,
            work=self._intervene,
            then=self._intervened,
            clock=self._clock,
        )
        return Worker(name="intervene", step=step, concurrency=8, poll_interval=POLL_SECONDS)

    def _report_worker(self) -> Worker:
        # A press is answered first. Then its decision is reported at once; in a burst, many decisions together.
        return Worker(
            name="report",
            step=leased_job(
                self._repositories.reports,
                key=_gate_id,
                work=self._report,
                then=self._reported,
                clock=self._clock,
            ),
            concurrency=16,
            poll_interval=POLL_SECONDS,
            foreground=self._foreground,
            max_yield=0.2,
            quiet_period=0.0,
            busy_concurrency=16,
        )

    def _remove_worker(self) -> Worker:
        step = leased_job(
            self._repositories.card_copies, key=_copy_id, work=self._remove_card_copy, clock=self._clock
        )
        return self._worker("remove", step, concurrency=2, max_yield=0.5)

    def _worker(self, name: str, step: Step, *, concurrency: int, max_yield: float) -> Worker:
        """A worker that yields to requests."""
        return Worker(
            name=name,
            step=step,
            concurrency=concurrency,
            poll_interval=POLL_SECONDS,
            foreground=self._foreground,
            max_yield=max_yield,
        )

    def all(self) -> list[Worker]:
        return [
            self.report,
            self.card,
            self.poll,
            self.intervene,
            self.evidence,
            self.timeline,
            self.remove_card_copies,
            self.verify_cards,
            self.remind,
            self.expire,
            self.previous_cards,
            self.gauges,
        ]

    def _subscribe(self, wakeups: Wakeups) -> None:
        wakeups.subscribe(
            [
                "card_outdated",
                "card_place_learned",
                "card_published",
                "check_reported",
                "deployer_resolved",
                "freeze_changed",
                "gate_decided",
                "gate_opened",
                "intervention_executed",
                "intervention_requested",
                "probes_requested",
                "report_sent",
                "rule_status_changed",
                "switch_changed",
            ],
            self.card.wake,
        )
        wakeups.subscribe(
            ["gate_opened", "gate_decided", "switch_changed", "intervention_executed", "aws_recovered"],
            self.report.wake,
        )
        wakeups.subscribe(
            ["gate_opened", "report_sent", "intervention_executed", "poll_requested", "aws_recovered"],
            self.poll.wake,
        )
        wakeups.subscribe(["intervention_requested", "aws_recovered"], self.intervene.wake)
        wakeups.subscribe(["gate_opened", "evidence_requested"], self.evidence.wake)
        wakeups.subscribe(["gate_opened", "switch_changed"], self.previous_cards.wake)
        wakeups.subscribe(["card_published", "card_place_learned"], self.timeline.wake)
        wakeups.subscribe(["card_place_learned"], self.remove_card_copies.wake)

    async def _report(self, due: DueReport) -> Result | CodeDeployUnavailable:
        return await report_decision(
            due, record=self._repositories.reports, deployments=self._deployments, now=self._clock()
        )

    def _reported(self, due: DueReport, result: Result | CodeDeployUnavailable) -> None:
        if isinstance(result, CodeDeployUnavailable):
            REPORTS.labels(outcome="again").inc()
            log.warning("not_reported_yet", gate=str(due.view.id), problem=str(result), attempts=due.attempts)
            self._wakeups.notify("card_outdated")
            return
        REPORTS.labels(outcome=result.outcome).inc()
        if due.view.decided_at is not None:
            REPORT_SECONDS.observe((self._clock() - due.view.decided_at).total_seconds())
        log.info("reported", gate=str(due.view.id), answer=due.answer, outcome=result.outcome)
        self._wakeups.notify("report_sent")

    async def _publish_card(self, due: DueCard) -> str | None:
        return await publish_card(
            due,
            record=self._repositories.cards,
            card_publisher=self._canvas,
            rules=self._rules,
            now=self._clock(),
        )

    def _card_published(self, due: DueCard, problem: str | None) -> None:
        CARD_UPDATES.labels(result="again" if problem else "drawn").inc()
        if problem:
            log.warning("card_not_drawn", gate=str(due.view.id), problem=problem, attempts=due.attempts)
        self._wakeups.notify("card_published")

    async def _remove_card_copy(self, due: DueCopy) -> None:
        problem = await remove_copy(
            due, record=self._repositories.card_copies, remover=self._remover, now=self._clock()
        )
        if problem:
            log.warning("copy_not_removed", gate=str(due.gate), problem=problem, attempts=due.attempts)

    async def _verify_step(self, limit: int) -> Jobs:
        if await self._repositories.cards.verify(now=self._clock()):
            self._wakeups.notify("card_outdated")
        return []

    async def _poll(self, due: DuePoll) -> bool:
        return await poll_deployment(
            due,
            record=self._repositories.switches,
            gates=self._repositories.gates,
            deployments=self._deployments,
            rules=self._rules,
            now=self._clock(),
        )

    def _polled(self, due: DuePoll, news: bool) -> None:
        if news:
            self._wakeups.notify("switch_changed")

    async def _intervene(self, due: DueIntervention) -> None:
        waiting = await execute_intervention(
            due,
            record=self._repositories.interventions,
            deployment_control=self._interveners,
            deployments=self._deployments,
            now=self._clock(),
        )
        for gate in waiting:
            await auto_approve_rollback(gate, record=self._repositories.gates, now=self._clock())

    def _intervened(self, due: DueIntervention, done: None) -> None:
        log.info("carried_out", deed=due.intervention.kind, deployment=due.switch.key.deployment)
        self._wakeups.notify("intervention_executed")

    async def _collect_evidence(self, due: DueEvidence) -> Evidence | None:
        seen = await collect_evidence(
            due, record=self._repositories.evidence, source=self._source, now=self._clock()
        )
        if seen is not None and due.view.hook_name in seen.succeeded_events:
            # Somebody else answered CodeDeploy while the gate waits: polling reads that too and closes the gate.
            await self._repositories.switches.wake(due.view.switch.key, now=self._clock())
            self._wakeups.notify("poll_requested")
        return seen

    def _evidence_collected(self, due: DueEvidence, seen: Evidence | None) -> None:
        EVIDENCE_READS.labels(result="seen" if seen else "again").inc()
        for part, missing in (seen.missing if seen else {}).items():
            EVIDENCE_MISSING.labels(part=part, why=missing.why).inc()
        self._wakeups.notify("card_outdated")

    async def _post_timeline(self, due: DueThread) -> None:
        await post_timeline(
            due, record=self._repositories.threads, timeline_publisher=self._storyteller, now=self._clock()
        )

    async def _remind_step(self, limit: int) -> Jobs:
        reminded = remind(
            record=self._repositories.gates,
            rules=self._rules,
            aside=self._quarantines["remind"],
            now=self._clock(),
        )
        if await reminded:
            self._wakeups.notify("card_outdated")
        return []

    async def _expire_step(self, limit: int) -> Jobs:
        now = self._clock()
        quarantine = self._quarantines["expire"]
        while await expire_gates(record=self._repositories.gates, aside=quarantine, now=now):
            self._wakeups.notify("gate_decided")
        # Deadlines hold to the second: sleep no longer than until the next one.
        following = await self._repositories.gates.next_deadline(skip=quarantine.keys())
        left = (following - self._clock()) if following else timedelta(seconds=POLL_SECONDS)
        self.expire.poll_interval = min(max(left.total_seconds(), 0.02), POLL_SECONDS)
        return []

    async def _previous_step(self, limit: int) -> Jobs:
        quarantine = self._quarantines["previous"]
        for stale in await self._repositories.previous_cards.stale(
            limit=MAX_PREVIOUS_CARDS, skip=quarantine.keys()
        ):
            with quarantine.guard(stale.id):
                await self._repositories.previous_cards.redraw(stale, now=self._clock())
                self._wakeups.notify("card_outdated")
        return []

    async def _gauges_step(self, limit: int) -> Jobs:
        waiting, overdue = await self._repositories.queries.load(now=self._clock())
        GATES_WAITING.set(waiting)
        REPORT_OVERDUE_SECONDS.set(overdue.total_seconds())
        return []


class _CardsWithRelated:
    """Due cards, each with the switches of other domains that its exclusivity rules depend on."""

    def __init__(self, repositories: Repositories, rules: Rules) -> None:
        self._repositories = repositories
        self._rules = rules
        self.leases = repositories.cards.leases

    async def claim(self, *, now: datetime, limit: int) -> Sequence[DueCard]:
        claimed = await self._repositories.cards.claim(now=now, limit=limit)
        views = [due.view for due in claimed]
        beside = await with_related_switches(views, record=self._repositories.gates, rules=self._rules)
        return [replace(due, view=view) for due, view in zip(claimed, beside, strict=True)]


class _HasGate(Protocol):
    @property
    def view(self) -> GateView: ...


def _gate_id(due: _HasGate) -> GateId:
    return due.view.id


def _copy_id(due: DueCopy) -> int:
    return due.id


def _switch_id(due: DuePoll) -> int:
    return due.switch.id


def groups_worker(
    refresh: Callable[[Iterable[str]], Awaitable[bool]], groups: Callable[[], frozenset[str]]
) -> Worker:
    """Refreshes the members of the user groups that the configuration names."""

    async def step(limit: int) -> Jobs:
        # usergroups.users.list allows some twenty calls a minute: many groups are read less often.
        worker.poll_interval = max(GROUPS_POLL_SECONDS, 6.0 * len(groups()))
        if not await refresh(groups()):
            worker.poll_interval = 5.0
        return []

    worker = Worker(name="groups", step=step, concurrency=1, poll_interval=GROUPS_POLL_SECONDS)
    return worker
