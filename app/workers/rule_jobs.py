"""The loops that the rules need: who deployed, what must be announced, probes, and domains that approve themselves."""

from collections.abc import Awaitable, Callable
from typing import Final, Protocol

from app.db.all_repositories import Repositories
from app.db.quarantine import Quarantine
from app.flow.approval.approve_by_checks import approve_by_checks
from app.flow.approval.approve_by_earlier_votes import approve_by_earlier_votes
from app.flow.approval.live_traffic import LiveTraffic
from app.flow.checks.run_probe import DueProbe, Prober, ProbeResult, plan_probes, run_probe
from app.flow.evidence.resolve_deployer import EmailLookup, UnknownDeployer, resolve_unknown_deployer
from app.flow.notify.announce import Announcer, DueAnnouncement, announce
from app.flow.notify.refresh_rule_status import refresh_rule_status
from app.flow.ports.evidence import EvidenceSource
from app.flow.ports.rules import Rules
from app.i18n.catalog import Texts
from app.workers.foreground import Calm
from app.workers.leased_job import Clock, Pieces, errand
from app.workers.runner import Loop, Step

TICK: Final = 0.5
DEPLOYERS_TICK: Final = 2.0
TURN_TICK: Final = 1.0
STRAYS_TICK: Final = 3600.0
PATIENCE: Final = 0.5
DEPLOYERS: Final = 100
"""The newest so many are looked at in each tick, and so many of the others in turn."""


class RuleErrands:
    """Builds the loops and knows which one to nudge."""

    def __init__(
        self,
        *,
        repositories: Repositories,
        herald: Announcer,
        prober: Prober,
        source: EvidenceSource,
        book: EmailLookup,
        rules: Rules,
        texts: Texts,
        redraw: Callable[[], None],
        decided: Callable[[], None],
        read_facts: Callable[[], Awaitable[None]],
        clock: Clock,
        calm: Calm,
    ) -> None:
        """`redraw` nudges the cards' loop, `decided` the reports' too. `read_facts` reads from the record what the
        rules look at besides."""
        self._read_facts = read_facts
        self._repositories = repositories
        self._aside = {name: Quarantine(name) for name in ("deployers", "probes", "approve", "turn")}
        self._herald = herald
        self._prober = prober
        self._traffic = LiveTraffic(record=repositories.evidence, source=source)
        self._texts = texts
        self._decided = decided
        self._book = book
        self._rules = rules
        self._redraw = redraw
        self._clock = clock
        self._calm = calm
        self._deployers_after = 0
        announcing = errand(repositories.announcements, key=_of_row, work=self._announce, clock=clock)
        self.announce = self._loop("announce", announcing, room=4)
        self._probing = errand(
            repositories.probes,
            key=_of_row,
            work=self._probe,
            then=lambda due, done: self.told(),
            clock=clock,
        )
        self.probe = self._loop("probe", self._probe_step, room=8)
        self.deployer = self._loop("deployer", self._deployer_step, tick=DEPLOYERS_TICK)
        self.approve = self._loop("approve", self._approve_step)
        self.turn = self._loop("turn", self._turn_step, tick=TURN_TICK)
        self.strays = self._loop("strays", self._strays_step, tick=STRAYS_TICK)

    def _loop(self, name: str, step: Step, *, room: int = 1, tick: float = TICK) -> Loop:
        return Loop(name=name, step=step, room=room, tick=tick, calm=self._calm, patience=PATIENCE)

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

    async def _announce(self, due: DueAnnouncement) -> None:
        await announce(due, record=self._repositories.announcements, herald=self._herald, now=self._clock())

    async def _deployer_step(self, room: int) -> Pieces:
        found = await self._repositories.deployers.unknown(after=self._deployers_after, limit=DEPLOYERS)
        others = [one.switch.id for one in found if one.switch.id > self._deployers_after][:DEPLOYERS]
        self._deployers_after = others[-1] if len(others) == DEPLOYERS else 0
        aside = self._aside["deployers"]
        passed_over = aside.keys()
        for unknown in found:
            if unknown.switch.id not in passed_over:
                with aside.guard(unknown.switch.id):
                    await self._find_deployer(unknown)
        return []

    async def _find_deployer(self, unknown: UnknownDeployer) -> None:
        known = await resolve_unknown_deployer(
            unknown,
            record=self._repositories.deployers,
            rules=self._rules,
            book=self._book,
            now=self._clock(),
        )
        if known:
            self._redraw()
            self.approve.nudge()

    async def _probe_step(self, room: int) -> Pieces:
        planned = plan_probes(
            record=self._repositories.probes,
            rules=self._rules,
            aside=self._aside["probes"],
            now=self._clock(),
        )
        if await planned:
            self._redraw()
        return await self._probing(room)

    async def _probe(self, due: DueProbe) -> None:
        await run_probe(
            due,
            record=self._repositories.probes,
            prober=self._prober,
            rules=self._rules,
            words=self._sounding_words,
            clock=self._clock,
        )

    def _sounding_words(self, sounding: ProbeResult) -> str:
        return self._texts(f"probe.{sounding.answer}", **sounding.detail)

    async def _approve_step(self, room: int) -> Pieces:
        while await approve_by_checks(
            record=self._repositories.gates,
            ripe=self._repositories.checks,
            rules=self._rules,
            aside=self._aside["approve"],
            traffic=self._traffic,
            now=self._clock(),
        ):
            self._decided()
            self.turn.nudge()
        if await approve_by_earlier_votes(
            record=self._repositories.gates,
            votes=self._repositories.deployers,
            rules=self._rules,
            aside=self._aside["approve"],
            now=self._clock(),
        ):
            self._decided()
            self.turn.nudge()
        return []

    async def _turn_step(self, room: int) -> Pieces:
        await self._read_facts()
        turned = refresh_rule_status(
            record=self._repositories.freezes, rules=self._rules, aside=self._aside["turn"], now=self._clock()
        )
        if await turned:
            self._redraw()
            self.announce.nudge()
            self.approve.nudge()
        return []

    async def _strays_step(self, room: int) -> Pieces:
        await self._repositories.checks.forget_strays(now=self._clock())
        return []


class _Row(Protocol):
    @property
    def id(self) -> int: ...


def _of_row(due: _Row) -> int:
    return due.id
