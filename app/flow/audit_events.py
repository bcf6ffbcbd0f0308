"""The events of the audit trail. Written in the transaction of the change that they describe."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from app.flow.read_models import Switch
from app.gate.ids import DomainName, GateId, SwitchKey, UserId


class Kind(StrEnum):
    HOOK_REFUSED = "hook_refused"
    GATE_OPENED = "gate_opened"
    GATE_VERIFIED = "gate_verified"
    EVIDENCE_COLLECTED = "evidence_seen"
    VOTE_CAST = "vote_cast"
    VOTE_RETRACTED = "vote_taken_back"
    BREAK_GLASS_USED = "glass_broken"
    DEPLOYER_RESOLVED = "deployer_known"
    CHECK_REPORTED = "check_told"
    FREEZE_DECLARED = "freeze_declared"
    FREEZE_LIFTED = "freeze_lifted"
    FREEZE_ENDED = "freeze_over"
    VOTE_DENIED = "press_refused"
    GATE_DECIDED = "gate_decided"
    GATE_WITHDRAWN = "gate_withdrawn"
    REPORT_ACKNOWLEDGED = "report_told"
    REPORT_CONFLICT = "report_contradicted"
    REPORT_UNDELIVERABLE = "report_undeliverable"
    CARD_POSTED = "card_posted"
    TRAFFIC_MOVED = "traffic_moved"
    SWITCHED = "switched"
    ROLLBACK_SEEN = "rollback_seen"
    SWITCH_ENDED = "switch_ended"
    UNDO_REQUESTED = "undo_asked"
    UNDO_REFUSED = "undo_refused"
    UNDO_SENT = "undo_sent"
    UNDO_DONE = "undo_done"
    UNDO_FAILED = "undo_failed"
    FINISH_REQUESTED = "finish_asked"
    FINISH_SENT = "finish_sent"
    FINISH_FAILED = "finish_failed"
    REMINDED = "reminded"


class ActorKind(StrEnum):
    PERSON = "person"
    SWITCHGATE = "switchgate"
    CODEDEPLOY = "codedeploy"
    HOOK = "hook"
    API = "api"


@dataclass(frozen=True, kw_only=True, slots=True)
class Actor:
    kind: ActorKind
    id: str | None = None
    name: str | None = None


SWITCHGATE = Actor(kind=ActorKind.SWITCHGATE)
CODEDEPLOY = Actor(kind=ActorKind.CODEDEPLOY)


def person_actor(user: UserId, name: str) -> Actor:
    """A person as actor."""
    return Actor(kind=ActorKind.PERSON, id=user, name=name)


def api_actor(name: str) -> Actor:
    """A caller of the API, by its token's name."""
    return Actor(kind=ActorKind.API, id=name)


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


def observed_event(
    kind: Kind,
    switch: Switch,
    now: datetime,
    *,
    gate: GateId | None = None,
    domain: DomainName | None = None,
    **detail: Detail,
) -> Event:
    """Something that a look at CodeDeploy showed."""
    return Event(
        at=now,
        kind=kind,
        switch=switch.key,
        actor=CODEDEPLOY,
        domain=domain or switch.domain,
        gate=gate,
        detail=detail,
    )
