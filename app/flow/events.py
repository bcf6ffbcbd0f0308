"""What the audit trail tells. Written in the transaction of the change it speaks of."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from app.gate.ids import DomainName, GateId, SwitchKey, UserId


class Kind(StrEnum):
    HOOK_REFUSED = "hook_refused"
    GATE_OPENED = "gate_opened"
    GATE_VERIFIED = "gate_verified"
    VOTE_CAST = "vote_cast"
    PRESS_REFUSED = "press_refused"
    GATE_DECIDED = "gate_decided"
    GATE_WITHDRAWN = "gate_withdrawn"
    REPORT_TOLD = "report_told"
    REPORT_CONTRADICTED = "report_contradicted"
    REPORT_UNDELIVERABLE = "report_undeliverable"
    CARD_POSTED = "card_posted"
    SWITCH_ENDED = "switch_ended"


class ActorKind(StrEnum):
    PERSON = "person"
    SWITCHGATE = "switchgate"
    CODEDEPLOY = "codedeploy"
    HOOK = "hook"


@dataclass(frozen=True, kw_only=True, slots=True)
class Actor:
    kind: ActorKind
    id: str | None = None
    name: str | None = None


SWITCHGATE = Actor(kind=ActorKind.SWITCHGATE)
CODEDEPLOY = Actor(kind=ActorKind.CODEDEPLOY)


def person(user: UserId, name: str) -> Actor:
    """A person as actor."""
    return Actor(kind=ActorKind.PERSON, id=user, name=name)


Detail = str | int | bool | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Event:
    """One line of the audit trail. `detail`: small facts, never an execution id or an environment value."""

    at: datetime
    kind: Kind
    switch: SwitchKey
    actor: Actor
    domain: DomainName | None = None
    gate: GateId | None = None
    detail: Mapping[str, Detail] = field(default_factory=dict)
