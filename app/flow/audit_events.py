"""The events of the audit trail. Written in the transaction of the change that they describe."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Final

from app.flow.read_models import Switch
from app.flow.undo.intervention import InterventionFailure
from app.gate.ids import DomainName, GateId, SwitchKey, UserId
from app.gate.people import Build, Person

Detail = str | int | bool | None


class Kind(StrEnum):
    """What happened. Rows keep the kind that they were written with; `Kind` maps an earlier name to its successor."""

    HOOK_REFUSED = "hook_refused"
    GATE_OPENED = "gate_opened"
    GATE_VERIFIED = "gate_verified"
    EVIDENCE_COLLECTED = "evidence_collected"
    VOTE_CAST = "vote_cast"
    VOTE_RETRACTED = "vote_retracted"
    BREAK_GLASS_USED = "break_glass_used"
    DEPLOYER_RESOLVED = "deployer_resolved"
    CHECK_REPORTED = "check_reported"
    FREEZE_DECLARED = "freeze_declared"
    FREEZE_LIFTED = "freeze_lifted"
    FREEZE_ENDED = "freeze_ended"
    VOTE_DENIED = "vote_denied"
    GATE_DECIDED = "gate_decided"
    GATE_WITHDRAWN = "gate_withdrawn"
    REPORT_ACKNOWLEDGED = "report_acknowledged"
    REPORT_CONFLICT = "report_conflict"
    REPORT_UNDELIVERABLE = "report_undeliverable"
    CARD_POSTED = "card_posted"
    TRAFFIC_MOVED = "traffic_moved"
    SWITCHED = "switched"
    ROLLBACK_SEEN = "rollback_seen"
    ROLLBACK_DONE = "rollback_done"
    ROLLBACK_FAILED = "rollback_failed"
    SWITCH_ENDED = "switch_ended"
    UNDO_REQUESTED = "undo_requested"
    UNDO_DENIED = "undo_denied"
    UNDO_SENT = "undo_sent"
    UNDO_DONE = "undo_done"
    UNDO_FAILED = "undo_failed"
    FINISH_REQUESTED = "finish_requested"
    FINISH_SENT = "finish_sent"
    FINISH_FAILED = "finish_failed"
    REMINDED = "reminded"

    @classmethod
    def _missing_(cls, value: object) -> "Kind | None":
        return EARLIER_KINDS.get(value) if isinstance(value, str) else None


EARLIER_KINDS: Final[Mapping[str, Kind]] = {
    "evidence_seen": Kind.EVIDENCE_COLLECTED,
    "vote_taken_back": Kind.VOTE_RETRACTED,
    "glass_broken": Kind.BREAK_GLASS_USED,
    "deployer_known": Kind.DEPLOYER_RESOLVED,
    "check_told": Kind.CHECK_REPORTED,
    "freeze_over": Kind.FREEZE_ENDED,
    "press_refused": Kind.VOTE_DENIED,
    "report_told": Kind.REPORT_ACKNOWLEDGED,
    "report_contradicted": Kind.REPORT_CONFLICT,
    "undo_asked": Kind.UNDO_REQUESTED,
    "undo_refused": Kind.UNDO_DENIED,
    "finish_asked": Kind.FINISH_REQUESTED,
}
"""Kinds in rows of earlier releases -> their successors."""


def known_kind(stored: str) -> Kind | None:
    """The kind of a stored event; None if only a newer release knows it."""
    try:
        return Kind(stored)
    except ValueError:
        return None


def stored_kinds(kind: Kind) -> tuple[str, ...]:
    """How rows name this kind: its own name, and those of earlier releases."""
    return (kind, *(earlier for earlier, successor in EARLIER_KINDS.items() if successor == kind))


EARLIER_DETAIL_NAMES: Final[Mapping[str, str]] = {
    "how": "end_reason",
    "fit": "healthy",
    "sure": "certain",
    "nudge": "reminder",
    "deed": "intervention",
    "broken": "overridden_rules",
}
"""Names in the details of earlier releases' rows -> their successors. `why` became several; see `current_detail`."""

SUCCESSORS_OF_WHY: Final[Mapping[Kind, str]] = {
    Kind.VOTE_DENIED: "code",
    Kind.UNDO_DENIED: "code",
    Kind.GATE_WITHDRAWN: "reason",
    Kind.HOOK_REFUSED: "reason",
}


EARLIER_PROBLEMS: Final[Mapping[str, InterventionFailure]] = {
    "the deployment was over before it could be told; undo again to go back from here": (
        InterventionFailure.DEPLOYMENT_OVER
    ),
    "the deployment had finished before it could be stopped": InterventionFailure.TOO_LATE,
    "the deployment was stopped, but CodeDeploy started no rollback": InterventionFailure.NO_ROLLBACK,
    "another deployment of this group is under way": InterventionFailure.ANOTHER_DEPLOYMENT_ACTIVE,
    "an undo was asked for instead": InterventionFailure.REPLACED_BY_UNDO,
    "an alarm of the group may stop it: codedeploy:UpdateDeploymentGroup is not allowed": (
        InterventionFailure.ALARMS_ACTIVE
    ),
    "CodeDeploy names no previous revision": InterventionFailure.NO_PREVIOUS_REVISION,
    "the previous revision is the one that serves now": InterventionFailure.SAME_REVISION,
    "the previous revision names a task definition without its number": InterventionFailure.UNPINNED_REVISION,
    "the task definition cannot be read from the previous revision's AppSpec": (
        InterventionFailure.UNREADABLE_REVISION
    ),
    "the previous task definition is INACTIVE": InterventionFailure.INACTIVE_REVISION,
}
"""Sentences that earlier releases stored as `problem`, before their detail in parentheses."""


def current_detail(kind: Kind, stored: Mapping[str, Detail]) -> Mapping[str, Detail]:
    """A stored event's detail under the names of this release."""
    names = {**EARLIER_DETAIL_NAMES, "why": SUCCESSORS_OF_WHY.get(kind, "problem")}
    detail = {names.get(name, name): value for name, value in stored.items()}
    sentence, _, rest = str(detail.get("problem") or "").partition(" (")
    if code := EARLIER_PROBLEMS.get(sentence):
        detail |= {"problem_code": code, "problem": rest.removesuffix(")")}
    return detail


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


def requester_actor(by: Person | Build) -> Actor:
    """The person who pressed, or the token that the pipeline sent with the build that it named."""
    if isinstance(by, Build):
        return Actor(kind=ActorKind.API, id=by.token, name=by.name)
    return person_actor(by.user, by.name)


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
    """An event that a poll of CodeDeploy observed."""
    return Event(
        at=now,
        kind=kind,
        switch=switch.key,
        actor=CODEDEPLOY,
        domain=domain or switch.domain,
        gate=gate,
        detail=detail,
    )
