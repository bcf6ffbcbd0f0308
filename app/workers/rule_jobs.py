"""Workers that the rules need: deployers, announcements, probes, automatic approval, rule changes."""

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
from app.workers.foreground import ForegroundTracker
from app.workers.leased_job import Clock, leased_job
from app.workers.runner import Jobs, Step, Worker
from app.workers.wakeups import Wakeups

POLL_SECONDS: Final = 0.5
DEPLOYERS_POLL_SECONDS: Final = 2.0
RULE_STATUS_POLL_SECONDS: Final = 1.0
STRAY_CHECKS_POLL_SECONDS: Final = 3600.0
MAX_YIELD_SECONDS: Final = 0.5
DEPLOYERS_PER_POLL: Final = 100
"""Each poll looks at the newest so many switches, and at so many of the others, round robin."""


class RuleWorkers:
    """Builds the workers, and wakes those that an event gives work to."""

    def __init__(
        self,
        *,
        repositories: Repositories,
        announcer: Announcer,
        prober: Prober,
        source: EvidenceSource,
        book: EmailLookup,
        rules: Rules,
        texts: Texts,
        wakeups: Wakeups,
        read_facts: Callable[[], Awaitable[None]],
        clock: Clock,
        foreground: ForegroundTracker,
    ) -> None:
        """`read_facts` reads what else the rules depend on from the database."""
        self._read_facts = read_facts
        self._repositories = repositories
        self._quarantines = {name: Quarantine(name) for name in ("deployers", "probes", "approve", "turn")}
        self._herald = announcer
        self._prober = prober
        self._traffic = LiveTraffic(record=repositories.evidence, source=source)
        self._texts = texts
        self._book = book
        self._rules = rules
        self._wakeups = wakeups
        self._clock = clock
        self._foreground = foreground
        self._deployers_after = 0
        announce_step = leased_job(repositories.announcements, key=_row_id, work=self._announce, clock=clock)
        self.announce = self._worker("announce", announce_step, concurrency=4)
        self._claim_probes = leased_job(
            repositories.probes,
            key=_row_id,
            work=self._probe,
            then=lambda due, done: wakeups.notify("check_reported"),
            clock=clock,
        )
        self.probe = self._worker("probe", self._probe_step, concurrency=8)
        self.deployer = self._worker("deployer", self._deployer_step, poll_interval=DEPLOYERS_POLL_SECONDS)
        self.approve = self._worker("approve", self._approve_step)
        self.rule_status = self._worker(
            "turn", self._rule_status_step, poll_interval=RULE_STATUS_POLL_SECONDS
        )
        self.stray_checks = self._worker(
            "strays", self._stray_checks_step, poll_interval=STRAY_CHECKS_POLL_SECONDS
        )
        self._subscribe(wakeups)

    def _worker(
        self, name: str, step: Step, *, concurrency: int = 1, poll_interval: float = POLL_SECONDS
    ) -> Worker:
        return Worker(
            name=name,
            step=step,
            concurrency=concurrency,
            poll_interval=poll_interval,
            foreground=self._foreground,
            max_yield=MAX_YIELD_SECONDS,
        )

    def all(self) -> list[Worker]:
        return [self.announce, self.deployer, self.probe, self.approve, self.rule_status, self.stray_checks]

    def _subscribe(self, wakeups: Wakeups) -> None:
        wakeups.subscribe(["gate_decided", "rule_status_changed"], self.announce.wake)
        wakeups.subscribe(["gate_opened", "probes_requested"], self.probe.wake)
        wakeups.subscribe(["gate_opened"], self.deployer.wake)
        wakeups.subscribe(
            ["gate_opened", "check_reported", "deployer_resolved", "rule_status_changed"], self.approve.wake
        )
        wakeups.subscribe(["gate_opened", "gate_decided", "freeze_changed"], self.rule_status.wake)

    async def _announce(self, due: DueAnnouncement) -> None:
        await announce(
            due, record=self._repositories.announcements, announcer=self._herald, now=self._clock()
        )

    async def _deployer_step(self, limit: int) -> Jobs:
        found = await self._repositories.deployers.unknown(
            after=self._deployers_after, limit=DEPLOYERS_PER_POLL
        )
        others = [one.switch.id for one in found if one.switch.id > self._deployers_after][
            :DEPLOYERS_PER_POLL
        ]
        self._deployers_after = others[-1] if len(others) == DEPLOYERS_PER_POLL else 0
        quarantine = self._quarantines["deployers"]
        passed_over = quarantine.keys()
        for unknown in found:
            if unknown.switch.id not in passed_over:
                with quarantine.guard(unknown.switch.id):
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
            self._wakeups.notify("deployer_resolved")

    async def _probe_step(self, limit: int) -> Jobs:
        planned = plan_probes(
            record=self._repositories.probes,
            rules=self._rules,
            aside=self._quarantines["probes"],
            now=self._clock(),
        )
        if await planned:
            self._wakeups.notify("card_outdated")
        return await self._claim_probes(limit)

    async def _probe(self, due: DueProbe) -> None:
        await run_probe(
            due,
            record=self._repositories.probes,
            prober=self._prober,
            rules=self._rules,
            words=self._probe_summary,
            clock=self._clock,
        )

    def _probe_summary(self, result: ProbeResult) -> str:
        return self._texts(f"probe.{result.answer}", **result.detail)

    async def _approve_step(self, limit: int) -> Jobs:
        while await approve_by_checks(
            record=self._repositories.gates,
            gates=self._repositories.checks,
            rules=self._rules,
            aside=self._quarantines["approve"],
            traffic=self._traffic,
            now=self._clock(),
        ):
            self._wakeups.notify("gate_decided")
        if await approve_by_earlier_votes(
            record=self._repositories.gates,
            votes=self._repositories.deployers,
            rules=self._rules,
            aside=self._quarantines["approve"],
            now=self._clock(),
        ):
            self._wakeups.notify("gate_decided")
        return []

    async def _rule_status_step(self, limit: int) -> Jobs:
        await self._read_facts()
        changed = refresh_rule_status(
            record=self._repositories.freezes,
            rules=self._rules,
            aside=self._quarantines["turn"],
            now=self._clock(),
        )
        if await changed:
            self._wakeups.notify("rule_status_changed")
        return []

    async def _stray_checks_step(self, limit: int) -> Jobs:
        await self._repositories.checks.forget_strays(now=self._clock())
        return []


class _HasId(Protocol):
    @property
    def id(self) -> int: ...


def _row_id(due: _HasId) -> int:
    return due.id
