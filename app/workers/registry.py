"""The loops of one replica: what each claims, and the step of the flow that it then takes."""

from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final, Protocol

import structlog

from app.db.all_repositories import Repositories
from app.db.quarantine import Quarantine
from app.flow.approval.auto_approve_rollback import auto_approve_rollback
from app.flow.approval.related_switches import with_related_switches
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
    CARDS,
    EVIDENCE,
    EVIDENCE_MISSING,
    OLDEST_REPORT,
    REPORT_SECONDS,
    REPORTS,
    WAITING,
)
from app.workers.foreground import Calm
from app.workers.leased_job import Clock, Pieces, errand
from app.workers.runner import Loop, Step

log = structlog.get_logger(__name__)

TICK: Final = 0.5
"""Seconds. With a lease of 3.5 s, a killed replica's work is under way again within 5 s."""

GROUPS_TICK: Final = 60.0
REMIND_TICK: Final = 2.0
VERIFY_TICK: Final = 5.0
GAUGES_TICK: Final = 10.0
PREVIOUS_AT_ONCE: Final = 50


class Errands:
    """Builds the loops and knows which one to nudge."""

    def __init__(
        self,
        *,
        repositories: Repositories,
        deployments: Deployments,
        interveners: DeploymentControl,
        source: EvidenceSource,
        canvas: CardPublisher,
        remover: CopyRemover,
        storyteller: TimelinePublisher,
        rules: Rules,
        clock: Clock,
        calm: Calm,
    ) -> None:
        self._repositories = repositories
        self._aside = {name: Quarantine(name) for name in ("remind", "expire", "previous")}
        self._deployments = deployments
        self._interveners = interveners
        self._source = source
        self._canvas = canvas
        self._remover = remover
        self._storyteller = storyteller
        self._rules = rules
        self._clock = clock
        self._calm = calm
        self.report = self._report_loop()
        cards = _Beside(repositories, rules)
        self.card = self._loop(
            "card",
            errand(cards, key=_of_gate, work=self._draw, then=self._drawn, clock=clock),
            room=8,
            patience=0.2,
        )
        self.look = self._loop(
            "look",
            errand(repositories.switches, key=_of_switch, work=self._look, then=self._looked, clock=clock),
            room=50,
            patience=0.5,
        )
        self.intervene = self._intervene_loop()
        self.evidence = self._loop(
            "evidence",
            errand(repositories.evidence, key=_of_gate, work=self._gather, then=self._gathered, clock=clock),
            room=6,
            patience=1.0,
        )
        self.thread = self._loop(
            "thread",
            errand(repositories.threads, key=_of_gate, work=self._tell, clock=clock),
            room=4,
            patience=0.5,
        )
        self.remove = self._remove_loop()
        self.verify = Loop(name="verify_cards", step=self._verify_step, room=1, tick=VERIFY_TICK)
        self.remind = Loop(name="remind", step=self._remind_step, room=1, tick=REMIND_TICK)
        self.expire = Loop(name="expire", step=self._expire_step, room=1, tick=TICK)
        self.previous = self._loop("previous", self._previous_step, room=1, patience=0.5)
        self.gauges = Loop(name="gauges", step=self._gauges_step, room=1, tick=GAUGES_TICK)

    def _intervene_loop(self) -> Loop:
        step = errand(
            self._repositories.interventions,
            key=lambda due: due.intervention.id,
            work=self._intervene,
            then=self._intervened,
            clock=self._clock,
        )
        return Loop(name="intervene", step=step, room=8, tick=TICK)

    def _report_loop(self) -> Loop:
        # Whoever presses is let go first, and then CodeDeploy is told at once: in a rush, of many together.
        return Loop(
            name="report",
            step=errand(
                self._repositories.reports,
                key=_of_gate,
                work=self._report,
                then=self._reported,
                clock=self._clock,
            ),
            room=16,
            tick=TICK,
            calm=self._calm,
            patience=0.2,
            quiet=0.0,
            crowded=16,
        )

    def _remove_loop(self) -> Loop:
        step = errand(self._repositories.card_copies, key=_of_copy, work=self._remove, clock=self._clock)
        return self._loop("remove", step, room=2, patience=0.5)

    def _loop(self, name: str, step: Step, *, room: int, patience: float) -> Loop:
        """What lets whoever stands at a door go first."""
        return Loop(name=name, step=step, room=room, tick=TICK, calm=self._calm, patience=patience)

    def all(self) -> list[Loop]:
        return [
            self.report,
            self.card,
            self.look,
            self.intervene,
            self.evidence,
            self.thread,
            self.remove,
            self.verify,
            self.remind,
            self.expire,
            self.previous,
            self.gauges,
        ]

    def opened(self) -> None:
        """A gate was opened."""
        for loop in (self.card, self.look, self.report, self.evidence, self.previous):
            loop.nudge()

    def seen_elsewhere(self) -> None:
        """A card was seen where the record did not know it."""
        for loop in (self.card, self.remove, self.thread):
            loop.nudge()

    def asked(self) -> None:
        """Somebody asked for an undo, or for blue to end."""
        for loop in (self.intervene, self.card):
            loop.nudge()

    def decided(self) -> None:
        """A vote was committed; perhaps a decision."""
        self.report.nudge()
        self.card.nudge()

    async def _report(self, due: DueReport) -> Result | CodeDeployUnavailable:
        return await report_decision(
            due, record=self._repositories.reports, deployments=self._deployments, now=self._clock()
        )

    def _reported(self, due: DueReport, result: Result | CodeDeployUnavailable) -> None:
        if isinstance(result, CodeDeployUnavailable):
            REPORTS.labels(outcome="again").inc()
            log.warning("not_reported_yet", gate=str(due.view.id), problem=str(result), attempts=due.attempts)
            self.card.nudge()
            return
        REPORTS.labels(outcome=result.outcome).inc()
        if due.view.decided_at is not None:
            REPORT_SECONDS.observe((self._clock() - due.view.decided_at).total_seconds())
        log.info("reported", gate=str(due.view.id), answer=due.answer, outcome=result.outcome)
        self.card.nudge()
        self.look.nudge()

    async def _draw(self, due: DueCard) -> str | None:
        return await publish_card(
            due, record=self._repositories.cards, canvas=self._canvas, rules=self._rules, now=self._clock()
        )

    def _drawn(self, due: DueCard, problem: str | None) -> None:
        CARDS.labels(result="again" if problem else "drawn").inc()
        if problem:
            log.warning("card_not_drawn", gate=str(due.view.id), problem=problem, attempts=due.attempts)
        self.card.nudge()
        self.thread.nudge()

    async def _remove(self, due: DueCopy) -> None:
        problem = await remove_copy(
            due, record=self._repositories.card_copies, remover=self._remover, now=self._clock()
        )
        if problem:
            log.warning("copy_not_removed", gate=str(due.gate), problem=problem, attempts=due.attempts)

    async def _verify_step(self, room: int) -> Pieces:
        if await self._repositories.cards.verify(now=self._clock()):
            self.card.nudge()
        return []

    async def _look(self, due: DuePoll) -> bool:
        return await poll_deployment(
            due,
            record=self._repositories.switches,
            gates=self._repositories.gates,
            deployments=self._deployments,
            rules=self._rules,
            now=self._clock(),
        )

    def _looked(self, due: DuePoll, news: bool) -> None:
        if news:
            self.decided()
            self.previous.nudge()

    async def _intervene(self, due: DueIntervention) -> None:
        waiting = await execute_intervention(
            due,
            record=self._repositories.interventions,
            interveners=self._interveners,
            deployments=self._deployments,
            now=self._clock(),
        )
        for gate in waiting:
            await auto_approve_rollback(gate, record=self._repositories.gates, now=self._clock())

    def _intervened(self, due: DueIntervention, done: None) -> None:
        log.info("carried_out", deed=due.intervention.deed, deployment=due.switch.key.deployment)
        self.look.nudge()
        self.decided()

    async def _gather(self, due: DueEvidence) -> Evidence | None:
        seen = await collect_evidence(
            due, record=self._repositories.evidence, source=self._source, now=self._clock()
        )
        if seen is not None and due.view.hook_name in seen.succeeded_events:
            # Somebody answered past us while the gate waits: the watcher reads it itself and closes the gate.
            await self._repositories.switches.wake(due.view.switch.key, now=self._clock())
            self.look.nudge()
        return seen

    def _gathered(self, due: DueEvidence, seen: Evidence | None) -> None:
        EVIDENCE.labels(result="seen" if seen else "again").inc()
        for part, missing in (seen.missing if seen else {}).items():
            EVIDENCE_MISSING.labels(part=part, why=missing.why).inc()
        self.card.nudge()

    async def _tell(self, due: DueThread) -> None:
        await post_timeline(
            due, record=self._repositories.threads, storyteller=self._storyteller, now=self._clock()
        )

    async def _remind_step(self, room: int) -> Pieces:
        reminded = remind(
            record=self._repositories.gates, rules=self._rules, aside=self._aside["remind"], now=self._clock()
        )
        if await reminded:
            self.card.nudge()
        return []

    async def _expire_step(self, room: int) -> Pieces:
        now = self._clock()
        aside = self._aside["expire"]
        while await expire_gates(record=self._repositories.gates, aside=aside, now=now):
            self.decided()
        # To the second: sleep no longer than until the next deadline.
        following = await self._repositories.gates.next_deadline(skip=aside.keys())
        left = (following - self._clock()) if following else timedelta(seconds=TICK)
        self.expire.tick = min(max(left.total_seconds(), 0.02), TICK)
        return []

    async def _previous_step(self, room: int) -> Pieces:
        aside = self._aside["previous"]
        for stale in await self._repositories.previous_cards.stale(limit=PREVIOUS_AT_ONCE, skip=aside.keys()):
            with aside.guard(stale.id):
                await self._repositories.previous_cards.redraw(stale, now=self._clock())
                self.card.nudge()
        return []

    async def _gauges_step(self, room: int) -> Pieces:
        waiting, overdue = await self._repositories.queries.load(now=self._clock())
        WAITING.set(waiting)
        OLDEST_REPORT.set(overdue.total_seconds())
        return []


class _Beside:
    """Due cards, each with the switches of other domains that its gate's turn depends on."""

    def __init__(self, repositories: Repositories, rules: Rules) -> None:
        self._repositories = repositories
        self._rules = rules
        self.leases = repositories.cards.leases

    async def claim(self, *, now: datetime, limit: int) -> Sequence[DueCard]:
        claimed = await self._repositories.cards.claim(now=now, limit=limit)
        views = [due.view for due in claimed]
        beside = await with_related_switches(views, record=self._repositories.gates, rules=self._rules)
        return [replace(due, view=view) for due, view in zip(claimed, beside, strict=True)]


class _AboutGate(Protocol):
    @property
    def view(self) -> GateView: ...


def _of_gate(due: _AboutGate) -> GateId:
    return due.view.id


def _of_copy(due: DueCopy) -> int:
    return due.id


def _of_switch(due: DuePoll) -> int:
    return due.switch.id


def groups_loop(
    refresh: Callable[[Iterable[str]], Awaitable[bool]], groups: Callable[[], frozenset[str]]
) -> Loop:
    """Keeps the members of the named user groups at hand."""

    async def step(room: int) -> Pieces:
        # usergroups.users.list allows some twenty calls a minute; a large configuration is asked less often.
        loop.tick = max(GROUPS_TICK, 6.0 * len(groups()))
        if not await refresh(groups()):
            loop.tick = 5.0
        return []

    loop = Loop(name="groups", step=step, room=1, tick=GROUPS_TICK)
    return loop
