"""A freeze is declared, or lifted before its end: waiting gates are told in the same transaction."""

from collections.abc import Iterator, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Protocol

from app.flow.audit_events import Actor, ActorKind, Detail, Event, Kind
from app.flow.free_text import has_content
from app.flow.ports.rules import Rules
from app.flow.replayed_requests import refuse_replay
from app.gate.ids import DeploymentId, DomainName, SwitchKey
from app.gate.people import AccountStatus, Person
from app.gate.rules.denials import Denial, NotAMember, NotAnAdmin
from app.gate.rules.freeze import Freeze, Span

NO_DEPLOYMENT: Final = SwitchKey(account="", region="", deployment=DeploymentId(""))
"""Stands in the audit trail for what belongs to no deployment."""

ALL: Final = "all"
"""What the audit trail says instead of domains where a freeze is of all of them."""

MAX_DURATION: Final = timedelta(days=366)
MAX_REASON_CHARS: Final = 300


class NotAFreeze(Denial):
    """The freeze cannot be declared. The subclass says why."""


class EndsBeforeStart(NotAFreeze):
    """Its end is not after its start."""


class EndsInThePast(NotAFreeze):
    """It would be over already."""


class TooLong(NotAFreeze):
    """It would last for more than a year."""


class FreezeSaysNothing(NotAFreeze):
    """A freeze says why."""


class UnknownDomains(NotAFreeze):
    """No such domain is configured."""

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


class FreezeRecord(Protocol):
    def hold_freezes(self, *, request: str | None = None) -> AbstractAsyncContextManager[HeldFreezes]: ...


@dataclass(frozen=True, kw_only=True, slots=True)
class Declared:
    """The freeze stands. `overlapping` are others that are in force for the same domains within its time."""

    id: int
    declaration: Declaration
    overlapping: tuple[ActiveFreeze, ...]


def may_freeze(person: Person, *, rules: Rules) -> None:
    """Raises the `Denial` of somebody who is no admin."""
    if person.account_status is not AccountStatus.MEMBER:
        raise NotAMember(person.account_status)
    if not rules.roster().holds(person.user, approvers=rules.admins):
        raise NotAnAdmin


async def declare_freeze(
    declaration: Declaration,
    *,
    who: Actor,
    record: FreezeRecord,
    rules: Rules,
    now: datetime,
    request: str | None = None,
) -> Declared:
    """Declares it in one transaction. Overlapping ones all stand; the last end counts.

    `request`: a key by which it takes effect once. Raises `NotAFreeze` and `AlreadyHandled`.
    """
    _refuse(declaration, rules=rules, now=now)
    async with record.hold_freezes(request=request) as held:
        refuse_replay(held.is_replay)
        overlapping = [each for each in held.active if _meet(each, declaration)]
        id_ = await held.declare(declaration, event=_declared(declaration, who, now), now=now)
    configured = configured_freezes(declaration.domains, rules, declaration.start, declaration.end)
    return Declared(id=id_, declaration=declaration, overlapping=(*overlapping, *configured))


@dataclass(frozen=True, kw_only=True, slots=True)
class LiftedFreeze:
    """A freeze that was lifted for `domains` (None: all); for the `others` it stands as before."""

    freeze: Freeze
    domains: Sequence[DomainName] | None
    others: Sequence[DomainName]


@dataclass(frozen=True, kw_only=True, slots=True)
class Lifted:
    """What was lifted, and what stands: freezes of all domains, planned ones too, and those of the configuration."""

    lifted: tuple[LiftedFreeze, ...]
    active: tuple[ActiveFreeze, ...]


async def lift_freezes(
    domains: Sequence[DomainName] | None,
    *,
    who: Actor,
    record: FreezeRecord,
    rules: Rules,
    now: datetime,
    request: str | None = None,
) -> Lifted:
    """Lifts the record's freezes of these domains; None: every one. Raises `UnknownDomains` and `AlreadyHandled`."""
    _must_know(domains, rules)
    lifted, active = [], []
    async with record.hold_freezes(request=request) as held:
        refuse_replay(held.is_replay)
        for each in held.active:
            if domains is not None and each.domains is None:
                active.append(each)
            elif domains is None or set(domains) & set(each.domains or ()):
                lifted.append(await _lift(held, each, domains, who=who, now=now))
    return Lifted(lifted=tuple(lifted), active=(*active, *configured_freezes(domains, rules, now)))


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


async def lift_freeze(freeze: int, *, who: Actor, record: FreezeRecord, now: datetime) -> bool:
    """Lifts one by its number; False where none such stands."""
    async with record.hold_freezes() as held:
        found = next((each for each in held.active if each.freeze.id == freeze), None)
        if found is not None:
            await _lift(held, found, None, who=who, now=now)
    return found is not None


async def _lift(
    held: HeldFreezes,
    each: ActiveFreeze,
    domains: Sequence[DomainName] | None,
    *,
    who: Actor,
    now: datetime,
) -> LiftedFreeze:
    # Whoever lifts several freezes may name domains of which this one never was.
    about = each.domains if domains is None else [name for name in domains if name in (each.domains or ())]
    event = freeze_event(about, Kind.FREEZE_LIFTED, by=who, now=now, freeze=each.freeze.id or 0)
    await held.lift(each.freeze.id or 0, domains=about, event=event, now=now)
    others = [name for name in each.domains or () if name not in (about or ())]
    return LiftedFreeze(freeze=each.freeze, domains=about, others=others)


def _refuse(declaration: Declaration, *, rules: Rules, now: datetime) -> None:
    _must_know(declaration.domains, rules)
    if not has_content(declaration.reason):
        raise FreezeSaysNothing
    # First, since whoever names no beginning would not know which one it ends before.
    if declaration.end <= now:
        raise EndsInThePast
    if declaration.end <= declaration.start:
        raise EndsBeforeStart
    if declaration.end - declaration.start > MAX_DURATION:
        raise TooLong


def _must_know(domains: Sequence[DomainName] | None, rules: Rules) -> None:
    unknown = [name for name in domains or () if rules.domain(name) is None]
    if unknown:
        raise UnknownDomains(unknown)


def _names(domains: Sequence[DomainName] | None, rules: Rules) -> Sequence[DomainName]:
    return rules.domain_names() if domains is None else domains


def _meet(each: ActiveFreeze, declaration: Declaration) -> bool:
    span = each.freeze.when
    if not isinstance(span, Span) or span.start >= declaration.end or declaration.start >= span.end:
        return False
    mine, others = declaration.domains, each.domains
    return mine is None or others is None or bool(set(mine) & set(others))


def _declared(declaration: Declaration, who: Actor, now: datetime) -> Event:
    return freeze_event(
        declaration.domains,
        Kind.FREEZE_DECLARED,
        by=who,
        now=now,
        starts_at=declaration.start.isoformat(),
        ends_at=declaration.end.isoformat(),
        reason=declaration.reason,
    )


def freeze_event(
    domains: Sequence[DomainName] | None, kind: Kind, *, by: Actor, now: datetime, **detail: Detail
) -> Event:
    """What is told of a freeze of these domains (None: of all). An event has room for one domain, `detail` for all."""
    return Event(
        at=now,
        kind=kind,
        switch=NO_DEPLOYMENT,
        actor=by,
        domain=domains[0] if domains is not None and len(domains) == 1 else None,
        detail={"domains": " ".join(domains if domains is not None else (ALL,)), **detail},
    )


def api_actor(name: str) -> Actor:
    """A caller of the API, by its token's name."""
    return Actor(kind=ActorKind.API, id=name)
