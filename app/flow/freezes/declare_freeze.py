"""Declares a freeze: nobody may approve the domains' switches until it ends."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from app.flow.audit_events import Actor, Event, Kind
from app.flow.free_text import has_content
from app.flow.freezes.freeze_acts import ActKind, FreezeAct, channels_of
from app.flow.freezes.stored_freezes import (
    ActiveFreeze,
    Declaration,
    FreezeRepository,
    InvalidFreeze,
    check_domains_exist,
    configured_freezes,
    freeze_event,
)
from app.flow.ports.rules import Rules
from app.gate.rules.denials import AlreadyHandled
from app.gate.rules.freeze import Freeze, Span

MAX_DURATION: Final = timedelta(days=366)
MAX_REASON_CHARS: Final = 300


class EndsBeforeStart(InvalidFreeze):
    """Its end is not after its start."""

    code = "ends_before_start"


class EndsInThePast(InvalidFreeze):
    """It would be over already."""

    code = "ends_in_the_past"


class TooLong(InvalidFreeze):
    """It would last for more than a year."""

    code = "freeze_too_long"


class FreezeReasonMissing(InvalidFreeze):
    """A freeze says why."""

    code = "freeze_reason_missing"


@dataclass(frozen=True, kw_only=True, slots=True)
class Declared:
    """The freeze stands. `overlapping` are others that are in force for the same domains within its time."""

    id: int
    declaration: Declaration
    overlapping: tuple[ActiveFreeze, ...]


async def declare_freeze(
    declaration: Declaration,
    *,
    who: Actor,
    repository: FreezeRepository,
    rules: Rules,
    now: datetime,
    request: str | None = None,
) -> Declared:
    """Declares it in one transaction. Overlapping ones all stand; the last end counts.

    `request`: a key by which it takes effect once. Raises `InvalidFreeze` and `AlreadyHandled`.
    """
    _validate(declaration, rules=rules, now=now)
    async with repository.hold_freezes(request=request) as held:
        if held.is_replay:
            raise AlreadyHandled
        overlapping = [each for each in held.active if _overlaps(each, declaration)]
        id_ = await held.declare(declaration, event=_declared(declaration, who, now), now=now)
        channels = channels_of(declaration.domains, rules=rules)
        await held.announce(_act(id_, declaration), channels=channels, now=now)
    configured = configured_freezes(declaration.domains, rules, declaration.start, declaration.end)
    return Declared(id=id_, declaration=declaration, overlapping=(*overlapping, *configured))


def _validate(declaration: Declaration, *, rules: Rules, now: datetime) -> None:
    check_domains_exist(declaration.domains, rules)
    if not has_content(declaration.reason):
        raise FreezeReasonMissing
    # First, since whoever names no beginning would not know which one it ends before.
    if declaration.end <= now:
        raise EndsInThePast
    if declaration.end <= declaration.start:
        raise EndsBeforeStart
    if declaration.end - declaration.start > MAX_DURATION:
        raise TooLong


def _act(id_: int, declaration: Declaration) -> FreezeAct:
    span = Span(start=declaration.start, end=declaration.end)
    freeze = Freeze(id=id_, reason=declaration.reason.strip(), by=declaration.by, when=span)
    return FreezeAct(kind=ActKind.DECLARED, freezes=(freeze,), domains=declaration.domains, by=declaration.by)


def _overlaps(each: ActiveFreeze, declaration: Declaration) -> bool:
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
