"""What is posted when somebody declares or lifts freezes, or when one ends: one message an act in each channel."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from app.flow.audit_events import Actor, ActorKind
from app.flow.ports.rules import Rules
from app.gate.ids import DomainName
from app.gate.rules.freeze import Freeze


class ActKind(StrEnum):
    DECLARED = "freeze_declared"
    LIFTED = "freeze_lifted"
    ENDED = "freeze_ended"


@dataclass(frozen=True, kw_only=True, slots=True)
class FreezeAct:
    """One act on declared freezes. `domains` None: all. `by`: a user's id, or `api:NAME`; None: the clock."""

    kind: ActKind
    freezes: tuple[Freeze, ...]
    domains: tuple[DomainName, ...] | None
    by: str | None


def channels_of(domains: Sequence[DomainName] | None, *, rules: Rules) -> tuple[str, ...]:
    """The channels of these domains (None: of all), each once. A domain that is not configured has none."""
    names = rules.domain_names() if domains is None else domains
    found = [domain.channel for name in names if (domain := rules.domain(name)) is not None]
    return tuple(dict.fromkeys(found))


def author_of(who: Actor) -> str:
    """As a freeze names its author: a user's id, or `api:NAME`."""
    return f"api:{who.id}" if who.kind is ActorKind.API else who.id or who.kind
