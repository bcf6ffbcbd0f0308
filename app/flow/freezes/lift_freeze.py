"""Lifts freezes before their end: all of some domains, or one by its number."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from app.flow.audit_events import Actor, Kind
from app.flow.freezes.freeze_acts import ActKind, FreezeAct, author_of, channels_of
from app.flow.freezes.stored_freezes import (
    ActiveFreeze,
    FreezeRepository,
    HeldFreezes,
    check_domains_exist,
    configured_freezes,
    freeze_event,
)
from app.flow.ports.rules import Rules
from app.gate.ids import DomainName
from app.gate.rules.denials import AlreadyHandled
from app.gate.rules.freeze import Freeze


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
    repository: FreezeRepository,
    rules: Rules,
    now: datetime,
    request: str | None = None,
) -> Lifted:
    """Lifts the record's freezes of these domains; None: every one. Raises `UnknownDomains` and `AlreadyHandled`."""
    check_domains_exist(domains, rules)
    lifted, active = [], []
    async with repository.hold_freezes(request=request) as held:
        if held.is_replay:
            raise AlreadyHandled
        for each in held.active:
            if domains is not None and each.domains is None:
                active.append(each)
            elif domains is None or set(domains) & set(each.domains or ()):
                lifted.append(await _lift(held, each, domains, who=who, now=now))
        await _announce(held, lifted, who=who, rules=rules, now=now)
    return Lifted(lifted=tuple(lifted), active=(*active, *configured_freezes(domains, rules, now)))


async def lift_freeze(
    freeze: int, *, who: Actor, repository: FreezeRepository, rules: Rules, now: datetime
) -> bool:
    """Lifts one by its number; False where none such stands."""
    async with repository.hold_freezes() as held:
        found = next((each for each in held.active if each.freeze.id == freeze), None)
        if found is not None:
            lifted = await _lift(held, found, None, who=who, now=now)
            await _announce(held, [lifted], who=who, rules=rules, now=now)
    return found is not None


async def _announce(
    held: HeldFreezes, lifted: Sequence[LiftedFreeze], *, who: Actor, rules: Rules, now: datetime
) -> None:
    """One message for all that were lifted together."""
    if not lifted:
        return
    everywhere = any(each.domains is None for each in lifted)
    domains = tuple(sorted({name for each in lifted for name in each.domains or ()}))
    act = FreezeAct(
        kind=ActKind.LIFTED,
        freezes=tuple(each.freeze for each in lifted),
        domains=None if everywhere else domains,
        by=author_of(who),
    )
    await held.announce(act, channels=channels_of(act.domains, rules=rules), now=now)


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
