"""The rules that an approval can violate, each with the data that a message about it needs."""

from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import assert_never

from app.gate.ids import DeploymentId, DomainName
from app.gate.rules.checks import CheckState


@dataclass(frozen=True, kw_only=True, slots=True)
class ApprovalsRequired:
    """`missing` more of these people have to approve."""

    people: tuple[str, ...]
    missing: int


@dataclass(frozen=True, kw_only=True, slots=True)
class SecondApproverRequired:
    """Nobody knows who deployed, so two different people have to approve."""

    missing: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Outvoted:
    """As many people have rejected as have approved, or more."""

    against: int


@dataclass(frozen=True, kw_only=True, slots=True)
class CheckNotPassed:
    """A required check has not passed; `state` is None while nobody has reported it."""

    name: str
    state: CheckState | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Frozen:
    """A freeze is in force. `by` declared it (a user's id, or `api:NAME`); None: the configuration does."""

    reason: str
    until: datetime
    by: str | None


@dataclass(frozen=True, kw_only=True, slots=True)
class ShiftUnknown:
    """The rules depend on how traffic will move, and nobody knows that yet."""


@dataclass(frozen=True, kw_only=True, slots=True)
class NotNamed:
    """The policy does not name the person who decides."""


@dataclass(frozen=True, kw_only=True, slots=True)
class OwnSwitch:
    """The person who decides deployed this, and here one's own deployment does not count."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ExcludedBySwitch:
    """Another domain is being switched, and the two domains exclude each other.

    `switched`: all its traffic is on green, and it excludes others until blue is gone. `ahead` have waited longer.
    """

    domain: DomainName
    deployment: DeploymentId
    since: datetime
    switched: bool
    ahead: tuple[DomainName, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class PredecessorPending:
    """A domain that goes first has not switched yet; `waits`: it still waits for an answer."""

    domain: DomainName
    deployment: DeploymentId
    waits: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class GreenReceivesTraffic:
    """The production listener sends traffic to green, and this deployment has moved none yet."""

    port: int
    percent: int


@dataclass(frozen=True, kw_only=True, slots=True)
class ForeignTargetGroup:
    """The production listener sends traffic to target groups that are neither blue's nor green's."""

    port: int
    percent: int
    target_groups: tuple[str, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class GreenUnhealthy:
    """Green's target group has unhealthy targets and no healthy one."""

    unhealthy: int
    total: int


Blocker = (
    CheckNotPassed
    | Frozen
    | ShiftUnknown
    | ExcludedBySwitch
    | PredecessorPending
    | GreenReceivesTraffic
    | ForeignTargetGroup
    | GreenUnhealthy
)
"""Nobody's approval is accepted while one of these applies."""

MissingApproval = ApprovalsRequired | SecondApproverRequired | Outvoted
"""Approvals are counted, but more are required."""

Violation = Blocker | MissingApproval | NotNamed | OwnSwitch


def rule_fingerprint(rule: Violation) -> str:
    """A hash of `rule_key`, of fixed length."""
    return sha256(rule_key(rule).encode()).hexdigest()[:12]


def rule_key(rule: Violation) -> str:
    """Identifies the rule regardless of its current values, such as how many approvals are missing."""
    match rule:
        case ApprovalsRequired():
            return f"owed {' '.join(rule.people)}"
        case CheckNotPassed():
            return f"check {rule.name}"
        case Frozen():
            return f"frozen {rule.until.isoformat()} {rule.reason}"
        case ExcludedBySwitch() | PredecessorPending():
            return (
                f"{'turn' if isinstance(rule, ExcludedBySwitch) else 'first'} {rule.domain} {rule.deployment}"
            )
        case GreenReceivesTraffic() | ForeignTargetGroup() | GreenUnhealthy():
            return _guard_key(rule)
        case SecondApproverRequired() | Outvoted() | ShiftUnknown() | NotNamed() | OwnSwitch():
            # Stored hashes are made of these keys, so a key outlives the name of its class.
            return (
                "SecondApproverRequired" if isinstance(rule, SecondApproverRequired) else type(rule).__name__
            )
        case _:
            assert_never(rule)


def _guard_key(rule: GreenReceivesTraffic | ForeignTargetGroup | GreenUnhealthy) -> str:
    match rule:
        case GreenReceivesTraffic():
            return f"green_serves {rule.port}"
        case ForeignTargetGroup():
            return f"traffic_elsewhere {rule.port} {' '.join(rule.target_groups)}"
        case GreenUnhealthy():
            return "green_unhealthy"
        case _:
            assert_never(rule)
