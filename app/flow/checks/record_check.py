"""Stores a reported check, publishes the card again and has the rules evaluated."""

from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from app.flow.audit_events import Actor, ActorKind, Event, Kind
from app.flow.ports.rules import Rules
from app.gate.ids import DeploymentId, DomainName, SwitchKey
from app.gate.rules.checks import MAX_CHECKS, PROBE, Check, CheckState


class AmbiguousDeployment(Exception):
    """More than one switch has this deployment id: the account or the region has to be named."""


class TooManyChecks(Exception):
    """The switch has as many checks as a card can name."""


class ReservedForProbe(Exception):
    """The check is the result of a probe; nobody else may report it."""


@dataclass(frozen=True, kw_only=True, slots=True)
class CheckReport:
    """A check as it was reported. `account` and `region` narrow down which deployment is meant."""

    deployment: DeploymentId
    account: str | None
    region: str
    name: str
    state: CheckState
    summary: str
    url: str | None
    by: str


class HeldChecks(Protocol):
    """The checks of one deployment under their lock. `domain` is None while no switch is known."""

    @property
    def key(self) -> SwitchKey: ...

    @property
    def domain(self) -> DomainName | None: ...

    @property
    def checks(self) -> Sequence[Check]: ...

    async def keep(self, check: Check, *, events: Sequence[Event], now: datetime) -> None:
        """Stores it; presses that wait for the gate's lock are judged by it."""
        ...


class CheckRepository(Protocol):
    def hold_checks(
        self, *, deployment: DeploymentId, account: str | None, region: str
    ) -> AbstractAsyncContextManager[HeldChecks]:
        """Raises `AmbiguousDeployment`."""
        ...


@dataclass(frozen=True, kw_only=True, slots=True)
class RecordedCheck:
    """The check as it stands. `is_new`: no check of this name had been reported."""

    key: SwitchKey
    domain: DomainName | None
    check: Check
    is_new: bool


async def record_check(
    report: CheckReport, *, repository: CheckRepository, rules: Rules, now: datetime
) -> RecordedCheck:
    """Stores the check in one transaction, also before the hook has come. The same report again changes nothing.

    Raises `AmbiguousDeployment`, `TooManyChecks` and `ReservedForProbe`.
    """
    check = Check(
        name=report.name,
        state=report.state,
        summary=report.summary,
        url=report.url,
        by=f"api:{report.by}",
        at=now,
    )
    async with repository.hold_checks(
        deployment=report.deployment, account=report.account, region=report.region
    ) as held:
        before = {each.name: each for each in held.checks}
        _refuse(report, held, before=before, rules=rules)
        known = before.get(report.name)
        if known is not None and _says_the_same(known, check):
            return RecordedCheck(key=held.key, domain=held.domain, check=known, is_new=False)
        await held.keep(check, events=[_event(held, check, report.by)], now=now)
        return RecordedCheck(key=held.key, domain=held.domain, check=check, is_new=known is None)


def _refuse(report: CheckReport, held: HeldChecks, *, before: dict[str, Check], rules: Rules) -> None:
    domain = rules.domain(held.domain) if held.domain else None
    if domain is not None and any(probe.name == report.name for probe in domain.probes):
        raise ReservedForProbe
    known = before.get(report.name)
    if known is not None and known.by == PROBE:
        raise ReservedForProbe
    if known is None and len(before) >= MAX_CHECKS:
        raise TooManyChecks


def _says_the_same(one: Check, other: Check) -> bool:
    return (one.state, one.summary, one.url, one.by) == (other.state, other.summary, other.url, other.by)


def _event(held: HeldChecks, check: Check, teller: str) -> Event:
    return Event(
        at=check.at,
        kind=Kind.CHECK_REPORTED,
        switch=held.key,
        actor=Actor(kind=ActorKind.API, id=teller),
        domain=held.domain,
        detail={"name": check.name, "state": check.state, "summary": check.summary},
    )
