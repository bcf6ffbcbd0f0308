"""The loops that the rules need: who deployed, what must be announced, probes, and domains that approve themselves."""

from collections.abc import Callable, Coroutine, Sequence
from datetime import datetime
from typing import Any, Final

import structlog

from app.calm import Calm
from app.flow.announce import DueAnnouncement, Herald, announce
from app.flow.approve_by_checks import approve_by_checks
from app.flow.know_deployer import AddressBook, know_deployer
from app.flow.ports import Rules
from app.flow.run_probe import DueProbe, Prober, Sounding, plan_probes, run_probe
from app.flow.turn_rules import turn_rules
from app.i18n.catalog import Texts
from app.loops import Loop
from app.record.announcements import Announcements
from app.record.checks import Checks
from app.record.deployers import Deployers
from app.record.freezes import Freezes
from app.record.gates import Gates
from app.record.probes import Probes

log = structlog.get_logger(__name__)

Clock = Callable[[], datetime]
Pieces = Sequence[Coroutine[Any, Any, None]]

TICK: Final = 0.5
DEPLOYERS_TICK: Final = 2.0
TURN_TICK: Final = 1.0
STRAYS_TICK: Final = 3600.0
DEPLOYERS: Final = 200
"""Looked for a tick; Slack takes some fifty look-ups a minute, and answers are kept."""


class RuleErrands:
    """Builds the loops and knows which one to nudge."""

    def __init__(
        self,
        *,
        announcements: Announcements,
        deployers: Deployers,
        freezes: Freezes,
        checks: Checks,
        probes: Probes,
        gates: Gates,
        herald: Herald,
        prober: Prober,
        book: AddressBook,
        rules: Rules,
        texts: Texts,
        redraw: Callable[[], None],
        decided: Callable[[], None],
        clock: Clock,
        calm: Calm,
    ) -> None:
        """`redraw` nudges the cards' loop, `decided` the reports' too."""
        self._announcements = announcements
        self._deployers = deployers
        self._freezes = freezes
        self._checks = checks
        self._probes = probes
        self._gates = gates
        self._herald = herald
        self._prober = prober
        self._texts = texts
        self._decided = decided
        self._book = book
        self._rules = rules
        self._redraw = redraw
        self._clock = clock
        self.announce = Loop(
            name="announce", step=self._announce_step, room=4, tick=TICK, calm=calm, patience=0.5
        )
        self.deployer = Loop(
            name="deployer", step=self._deployer_step, room=1, tick=DEPLOYERS_TICK, calm=calm, patience=0.5
        )
        self.probe = Loop(name="probe", step=self._probe_step, room=8, tick=TICK, calm=calm, patience=0.5)
        self.approve = Loop(
            name="approve", step=self._approve_step, room=1, tick=TICK, calm=calm, patience=0.5
        )
        self.turn = Loop(name="turn", step=self._turn_step, room=1, tick=TURN_TICK, calm=calm, patience=0.5)
        self.strays = Loop(
            name="strays", step=self._strays_step, room=1, tick=STRAYS_TICK, calm=calm, patience=0.5
        )

    def all(self) -> list[Loop]:
        return [self.announce, self.deployer, self.probe, self.approve, self.turn, self.strays]

    def opened(self) -> None:
        """A gate was opened."""
        for loop in (self.deployer, self.probe, self.approve, self.turn):
            loop.nudge()

    def decided(self) -> None:
        """A gate was decided, or somebody voted."""
        self.announce.nudge()
        self.turn.nudge()

    def told(self) -> None:
        """A check was told."""
        self._redraw()
        self.approve.nudge()

    def frozen(self) -> None:
        """A freeze was declared or lifted."""
        self._redraw()
        self.turn.nudge()

    def asked(self) -> None:
        """Somebody asked for the probes."""
        self._redraw()
        self.probe.nudge()

    async def _announce_step(self, room: int) -> Pieces:
        now = self._clock()
        return [self._announce(due, now) for due in await self._announcements.claim(now=now, limit=room)]

    async def _announce(self, due: DueAnnouncement, claimed: datetime) -> None:
        async with self._announcements.leases.kept(due.id, now=claimed):
            await announce(due, record=self._announcements, herald=self._herald, now=self._clock())

    async def _deployer_step(self, room: int) -> Pieces:
        for unknown in await self._deployers.unknown(logins=self._rules.logins(), limit=DEPLOYERS):
            known = await know_deployer(
                unknown,
                record=self._deployers,
                rules=self._rules,
                book=self._book,
                now=self._clock(),
            )
            if known:
                self._redraw()
        return []

    async def _probe_step(self, room: int) -> Pieces:
        now = self._clock()
        if await plan_probes(record=self._probes, rules=self._rules, now=now):
            self._redraw()
        return [self._probe(due, now) for due in await self._probes.claim(now=now, limit=room)]

    async def _probe(self, due: DueProbe, claimed: datetime) -> None:
        async with self._probes.leases.kept(due.id, now=claimed):
            await run_probe(
                due,
                record=self._probes,
                prober=self._prober,
                rules=self._rules,
                words=self._sounding_words,
                clock=self._clock,
            )
        self.told()

    def _sounding_words(self, sounding: Sounding) -> str:
        return self._texts(f"probe.{sounding.answer}", **sounding.detail)

    async def _approve_step(self, room: int) -> Pieces:
        while await approve_by_checks(
            record=self._gates, ripe=self._checks, rules=self._rules, now=self._clock()
        ):
            self._decided()
            self.turn.nudge()
        return []

    async def _turn_step(self, room: int) -> Pieces:
        if await turn_rules(record=self._freezes, rules=self._rules, now=self._clock()):
            self._redraw()
            self.announce.nudge()
            self.approve.nudge()
        return []

    async def _strays_step(self, room: int) -> Pieces:
        await self._checks.forget_strays(now=self._clock())
        return []
