"""Freezes in the database: what is stored of them, under which lock they change, and their audit events."""

from collections.abc import Iterator, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Protocol

from app.flow.audit_events import Actor, Detail, Event, Kind
from app.flow.freezes.freeze_acts import FreezeAct
from app.flow.ports.rules import Rules
from app.gate.ids import DeploymentId, DomainName, SwitchKey
from app.gate.people import AccountStatus, Person
from app.gate.rules.denials import Denial, NotAMember, NotAnAdmin
from app.gate.rules.freeze import Freeze

NO_DEPLOYMENT: Final = SwitchKey(account="", region="", deployment=DeploymentId(""))
"""Stands in the audit trail for what belongs to no deployment."""

ALL_DOMAINS: Final = "all"
"""What the audit trail says instead of domains where a freeze is of all of them."""


class InvalidFreeze(Denial):
    """The freeze cannot be declared. The subclass says why."""

    code = "invalid_freeze"


class UnknownDomains(InvalidFreeze):
    """No such domain is configured."""

    code = "unknown_domains"

    def __init__(self, names: Sequence[str]) -> None:
        super().__init__(", ".join(names))
        self.names = tuple(names)


@dataclass(frozen=True, kw_only=True, slots=True)
class Declaration:
    """A freeze to be. `domains` None: of all. `by`: a user's id, or `api:NAME`."""

    domains: tuple[DomainName, ...] | None
    start: datetime
    end: datetime
    reason: str
    by: str


@dataclass(frozen=True, kw_only=True, slots=True)
class ActiveFreeze:
    """A freeze in the record that is not over. `domains` None: of all."""

    freeze: Freeze
    domains: tuple[DomainName, ...] | None


class HeldFreezes(Protocol):
    """The record's freezes under their lock."""

    @property
    def active(self) -> Sequence[ActiveFreeze]: ...

    @property
    def is_replay(self) -> bool:
        """The request that they are held for has taken effect before."""
        ...

    async def declare(self, declaration: Declaration, *, event: Event, now: datetime) -> int:
        """Gives its number. The waiting gates that it is about are locked, and their cards redrawn."""
        ...

    async def lift(
        self, freeze: int, *, domains: Sequence[DomainName] | None, event: Event, now: datetime
    ) -> None:
        """Ends it; for `domains` alone where it is of others too."""
        ...

    async def announce(self, act: FreezeAct, *, channels: Sequence[str], now: datetime) -> None:
        """Requests one message about the act in each channel."""
        ...


class FreezeRepository(Protocol):
    def hold_freezes(self, *, request: str | None = None) -> AbstractAsyncContextManager[HeldFreezes]: ...


def check_may_freeze(person: Person, *, rules: Rules) -> None:
    """Raises the `Denial` of somebody who is no admin."""
    if person.account_status is not AccountStatus.MEMBER:
        raise NotAMember(person.account_status)
    if not rules.roster().includes(person.user, approvers=rules.admins):
        raise NotAnAdmin


def check_domains_exist(domains: Sequence[DomainName] | None, rules: Rules) -> None:
    unknown = [name for name in domains or () if rules.domain(name) is None]
    if unknown:
        raise UnknownDomains(unknown)


def configured_freezes(
    domains: Sequence[DomainName] | None, rules: Rules, *moments: datetime
) -> Iterator[ActiveFreeze]:
    """The configuration's freezes that are in force at one of the moments, each with those of these domains (None:
    all) that it is about."""
    of: dict[Freeze, list[DomainName]] = {}
    for name in _names(domains, rules):
        for freeze in rules.freezes(name):
            if any(freeze.around(moment) is not None for moment in moments):
                of.setdefault(freeze, []).append(name)
    for freeze, names in of.items():
        everywhere = len(names) == len(rules.domain_names())
        yield ActiveFreeze(freeze=freeze, domains=None if everywhere else tuple(names))


def _names(domains: Sequence[DomainName] | None, rules: Rules) -> Sequence[DomainName]:
    return rules.domain_names() if domains is None else domains


def freeze_event(
    domains: Sequence[DomainName] | None, kind: Kind, *, by: Actor, now: datetime, **detail: Detail
) -> Event:
    """The audit event of a freeze of these domains (None: of all). An event has one domain; `detail` has all."""
    return Event(
        at=now,
        kind=kind,
        switch=NO_DEPLOYMENT,
        actor=by,
        domain=domains[0] if domains is not None and len(domains) == 1 else None,
        detail={"domains": " ".join(domains if domains is not None else (ALL_DOMAINS,)), **detail},
    )
