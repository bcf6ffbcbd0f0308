"""The loops of one replica: what each claims, and the step of the flow that it then takes."""

from collections.abc import Awaitable, Callable, Coroutine, Iterable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, Final

import structlog

from app.calm import Calm
from app.flow.beside import with_neighbours
from app.flow.carry_out import carry_out
from app.flow.evidence_ports import DueEvidence, EvidenceSource
from app.flow.expire_gates import expire_gates
from app.flow.free_passage import pass_freely
from app.flow.gather_evidence import gather_evidence
from app.flow.ports import (
    Deployments,
    DueCard,
    DueIntervention,
    DueLook,
    DueReport,
    Interveners,
    Rules,
)
from app.flow.refresh_card import Canvas, refresh_card
from app.flow.remind import remind
from app.flow.report_decision import report_decision
from app.flow.tell_thread import DueThread, Storyteller, tell_thread
from app.flow.watch_switch import watch_switch
from app.loops import Loop
from app.metrics import CARDS, EVIDENCE, EVIDENCE_MISSING, OLDEST_REPORT, REPORT_SECONDS, REPORTS, WAITING
from app.record.cards import Cards
from app.record.evidence import EvidenceRows
from app.record.gates import Gates
from app.record.interventions import Interventions
from app.record.questions import Questions
from app.record.reports import Reports
from app.record.switches import Switches
from app.record.threads import Threads

log = structlog.get_logger(__name__)

Clock = Callable[[], datetime]
Pieces = Sequence[Coroutine[Any, Any, None]]

TICK: Final = 0.5
"""Seconds. With a lease of 3.5 s, a killed replica's work is under way again within 5 s."""

GROUPS_TICK: Final = 60.0
REMIND_TICK: Final = 2.0
GAUGES_TICK: Final = 10.0


class Errands:
    """Builds the loops and knows which one to nudge."""

    def __init__(
        self,
        *,
        gates: Gates,
        reports: Reports,
        switches: Switches,
        cards: Cards,
        interventions: Interventions,
        questions: Questions,
        deployments: Deployments,
        interveners: Interveners,
        evidence: EvidenceRows,
        source: EvidenceSource,
        canvas: Canvas,
        threads: Threads,
        storyteller: Storyteller,
        rules: Rules,
        clock: Clock,
        calm: Calm,
    ) -> None:
        self._gates = gates
        self._reports = reports
        self._switches = switches
        self._cards = cards
        self._interventions = interventions
        self._interveners = interveners
        self._evidence = evidence
        self._source = source
        self._questions = questions
        self._deployments = deployments
        self._canvas = canvas
        self._threads = threads
        self._storyteller = storyteller
        self._rules = rules
        self._clock = clock
        # Whoever presses is let go first, and then CodeDeploy is told at once: in a rush, of many together.
        self.report = Loop(
            name="report",
            step=self._report_step,
            room=16,
            tick=TICK,
            calm=calm,
            patience=0.2,
            quiet=0.0,
            crowded=16,
        )
        self.card = Loop(name="card", step=self._card_step, room=8, tick=TICK, calm=calm, patience=0.2)
        self.look = Loop(name="look", step=self._look_step, room=50, tick=TICK, calm=calm, patience=0.5)
        self.intervene = Loop(name="intervene", step=self._intervene_step, room=8, tick=TICK)
        self.evidence = Loop(
            name="evidence", step=self._evidence_step, room=6, tick=TICK, calm=calm, patience=1.0
        )
        self.thread = Loop(name="thread", step=self._thread_step, room=4, tick=TICK, calm=calm, patience=0.5)
        self.remind = Loop(name="remind", step=self._remind_step, room=1, tick=REMIND_TICK)
        self.expire = Loop(name="expire", step=self._expire_step, room=1, tick=TICK)
        self.gauges = Loop(name="gauges", step=self._gauges_step, room=1, tick=GAUGES_TICK)

    def all(self) -> list[Loop]:
        return [
            self.report,
            self.card,
            self.look,
            self.intervene,
            self.evidence,
            self.thread,
            self.remind,
            self.expire,
            self.gauges,
        ]

    def opened(self) -> None:
        """A gate was opened."""
        for loop in (self.card, self.look, self.report, self.evidence):
            loop.nudge()

    def asked(self) -> None:
        """Somebody asked for an undo, or for blue to end."""
        for loop in (self.intervene, self.card):
            loop.nudge()

    def decided(self) -> None:
        """A vote was committed; perhaps a decision."""
        self.report.nudge()
        self.card.nudge()

    async def _report_step(self, room: int) -> Pieces:
        now = self._clock()
        return [self._report(due, now) for due in await self._reports.claim(now=now, limit=room)]

    async def _report(self, due: DueReport, claimed: datetime) -> None:
        async with self._reports.leases.kept(due.view.id, now=claimed):
            result = await report_decision(
                due, record=self._reports, deployments=self._deployments, now=self._clock()
            )
        if result is None:
            REPORTS.labels(outcome="again").inc()
            return
        REPORTS.labels(outcome=result.outcome).inc()
        if due.view.decided_at is not None:
            REPORT_SECONDS.observe((self._clock() - due.view.decided_at).total_seconds())
        log.info("reported", gate=str(due.view.id), answer=due.answer, outcome=result.outcome)
        self.card.nudge()
        self.look.nudge()

    async def _card_step(self, room: int) -> Pieces:
        now = self._clock()
        claimed = await self._cards.claim(now=now, limit=room)
        views = await with_neighbours([due.view for due in claimed], record=self._gates, rules=self._rules)
        seen = [replace(due, view=view) for due, view in zip(claimed, views, strict=True)]
        return [self._card(due, now) for due in seen]

    async def _card(self, due: DueCard, claimed: datetime) -> None:
        async with self._cards.leases.kept(due.view.id, now=claimed):
            drawn = await refresh_card(
                due, record=self._cards, canvas=self._canvas, rules=self._rules, now=self._clock()
            )
        CARDS.labels(result="drawn" if drawn else "again").inc()
        self.card.nudge()
        self.thread.nudge()

    async def _look_step(self, room: int) -> Pieces:
        now = self._clock()
        return [self._look(due, now) for due in await self._switches.claim(now=now, limit=room)]

    async def _look(self, due: DueLook, claimed: datetime) -> None:
        async with self._switches.leases.kept(due.switch.id, now=claimed):
            news = await watch_switch(
                due,
                record=self._switches,
                gates=self._gates,
                deployments=self._deployments,
                rules=self._rules,
                now=self._clock(),
            )
        if news:
            self.decided()

    async def _intervene_step(self, room: int) -> Pieces:
        now = self._clock()
        return [self._intervene(due, now) for due in await self._interventions.claim(now=now, limit=room)]

    async def _intervene(self, due: DueIntervention, claimed: datetime) -> None:
        async with self._interventions.leases.kept(due.intervention.id, now=claimed):
            waiting = await carry_out(
                due,
                record=self._interventions,
                interveners=self._interveners,
                deployments=self._deployments,
                now=self._clock(),
            )
        for gate in waiting:
            await pass_freely(gate, record=self._gates, now=self._clock())
        log.info("carried_out", deed=due.intervention.deed, deployment=due.switch.key.deployment)
        self.look.nudge()
        self.decided()

    async def _evidence_step(self, room: int) -> Pieces:
        now = self._clock()
        return [self._gather(due, now) for due in await self._evidence.claim(now=now, limit=room)]

    async def _gather(self, due: DueEvidence, claimed: datetime) -> None:
        async with self._evidence.leases.kept(due.view.id, now=claimed):
            seen = await gather_evidence(due, record=self._evidence, source=self._source, now=self._clock())
        EVIDENCE.labels(result="seen" if seen else "again").inc()
        for part, missing in (seen.missing if seen else {}).items():
            EVIDENCE_MISSING.labels(part=part, why=missing.why).inc()
        self.card.nudge()

    async def _thread_step(self, room: int) -> Pieces:
        now = self._clock()
        return [self._thread(due, now) for due in await self._threads.claim(now=now, limit=room)]

    async def _thread(self, due: DueThread, claimed: datetime) -> None:
        async with self._threads.leases.kept(due.view.id, now=claimed):
            await tell_thread(due, record=self._threads, storyteller=self._storyteller, now=self._clock())

    async def _remind_step(self, room: int) -> Pieces:
        if await remind(record=self._gates, rules=self._rules, now=self._clock()):
            self.card.nudge()
        return []

    async def _expire_step(self, room: int) -> Pieces:
        now = self._clock()
        while await expire_gates(record=self._gates, now=now):
            self.decided()
        # To the second: sleep no longer than until the next deadline.
        following = await self._gates.next_deadline()
        left = (following - self._clock()) if following else timedelta(seconds=TICK)
        self.expire.tick = min(max(left.total_seconds(), 0.02), TICK)
        return []

    async def _gauges_step(self, room: int) -> Pieces:
        waiting, overdue = await self._questions.load(now=self._clock())
        WAITING.set(waiting)
        OLDEST_REPORT.set(overdue.total_seconds())
        return []


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
