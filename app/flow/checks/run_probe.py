"""Runs a due probe: sends its request to green and stores the result as a check."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final, Protocol

from app.flow.audit_events import SWITCHGATE, Event, Kind
from app.flow.ports.database import Claim, Quarantine
from app.flow.ports.rules import Rules
from app.flow.read_models import GateView
from app.gate.ids import DomainName, GateId
from app.gate.rules.checks import MAX_SUMMARY_CHARS, PROBE, Check, CheckState, Probe
from app.gate.state_machine import Awaiting

EVENTS_WITH_GREEN_UP: Final = ("AfterAllowTestTraffic", "BeforeAllowTraffic", "AfterAllowTraffic")
"""Lifecycle events at which green's tasks run and can be asked."""

MIN_RERUN_INTERVAL: Final = timedelta(seconds=5)
"""Between two runs that people ask for."""


class ProbeOutcome(StrEnum):
    """How a probe's request went; each has its sentence in the catalogs."""

    AS_EXPECTED = "as_expected"
    OTHER_STATUS = "other_status"
    OTHER_VALUE = "other_value"
    NO_JSON = "no_json"
    REDIRECT = "redirect"
    TOO_LARGE = "too_large"
    TOO_SLOW = "too_slow"
    NO_ANSWER = "no_answer"
    NO_SUCH_HOST = "no_such_host"
    FORBIDDEN_ADDRESS = "forbidden_address"


@dataclass(frozen=True, kw_only=True, slots=True)
class ProbeResult:
    """What a probe found. `detail` fills the sentence; nothing of the answer's body is in it."""

    answer: ProbeOutcome
    detail: Mapping[str, object]

    @property
    def passed(self) -> bool:
        return self.answer is ProbeOutcome.AS_EXPECTED


class Prober(Protocol):
    async def probe(self, probe: Probe, *, allowed_hosts: frozenset[str]) -> ProbeResult:
        """Asks once; whatever goes wrong is a `ProbeResult` too."""
        ...


@dataclass(frozen=True, kw_only=True, slots=True)
class DueProbe(Claim):
    """A probe that has not been run since it was asked for."""

    id: int
    name: str
    view: GateView


class ProbeRepository(Protocol):
    async def ask_for(self, gate: GateId, names: Sequence[str], *, now: datetime) -> None:
        """Has these probes run for a gate that has none of them yet; their checks are pending."""
        ...

    async def ask_again(self, gate: GateId, names: Sequence[str], *, now: datetime, before: datetime) -> bool:
        """Has them run once more, unless they were asked for after `before` or are under way."""
        ...

    async def without_runs(
        self, domains: Sequence[DomainName], *, hooks: Sequence[str], limit: int, skip: Sequence[GateId]
    ) -> Sequence[tuple[GateId, DomainName]]: ...

    async def probed(
        self, due: DueProbe, check: Check | None, *, events: Sequence[Event], now: datetime
    ) -> None:
        """Stores the result and ends the run; None: nobody needs it any more."""
        ...


async def plan_probes(
    *, repository: ProbeRepository, rules: Rules, quarantine: Quarantine, now: datetime, limit: int = 50
) -> int:
    """Asks for the probes of gates that opened with green up; gives for how many gates."""
    domains = rules.probing()
    if not domains:
        return 0
    found = await repository.without_runs(
        domains, hooks=EVENTS_WITH_GREEN_UP, limit=limit, skip=quarantine.keys()
    )
    for gate, name in found:
        with quarantine.guard(gate):
            domain = rules.domain(name)
            await repository.ask_for(gate, [probe.name for probe in domain.probes] if domain else [], now=now)
    return len(found)


async def run_probe(
    due: DueProbe,
    *,
    repository: ProbeRepository,
    prober: Prober,
    rules: Rules,
    summarize: Callable[[ProbeResult], str],
    clock: Callable[[], datetime],
) -> None:
    """Sends the request to green once and stores the result. `summarize`: the sentence that people read."""
    domain = rules.domain(due.view.switch.domain) if due.view.switch.domain else None
    probe = next((each for each in domain.probes if each.name == due.name), None) if domain else None
    if probe is None or not isinstance(due.view.gate, Awaiting):
        await repository.probed(due, None, events=[], now=clock())
        return
    result = await prober.probe(probe, allowed_hosts=rules.probe_hosts)
    check = Check(
        name=probe.name,
        state=CheckState.PASSED if result.passed else CheckState.FAILED,
        summary=summarize(result)[:MAX_SUMMARY_CHARS],
        url=None,
        by=PROBE,
        at=clock(),
    )
    await repository.probed(due, check, events=[_event(due, check)], now=check.at)


def _event(due: DueProbe, check: Check) -> Event:
    return Event(
        at=check.at,
        kind=Kind.CHECK_REPORTED,
        switch=due.view.switch.key,
        actor=SWITCHGATE,
        domain=due.view.switch.domain,
        gate=due.view.id,
        detail={"name": check.name, "state": check.state, "summary": check.summary},
    )


async def run_checks_again(
    view: GateView, *, repository: ProbeRepository, rules: Rules, now: datetime
) -> bool:
    """Somebody asks for the probes once more; False: there are none, or they have just been run."""
    domain = rules.domain(view.switch.domain) if view.switch.domain else None
    if domain is None or not domain.probes or not isinstance(view.gate, Awaiting):
        return False
    names = [probe.name for probe in domain.probes]
    return await repository.ask_again(view.id, names, now=now, before=now - MIN_RERUN_INTERVAL)
