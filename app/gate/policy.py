"""Who may decide a gate, and when enough people have. The only maker of a `Permit`."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum
from typing import Final

from app.gate.ids import GateId, UserId
from app.gate.manners import Manners

_MINT: Final = object()


@dataclass(frozen=True, kw_only=True, slots=True)
class Policy:
    """A domain's rules. `approvers` mixes Slack users (U…, W…) and user groups (S…)."""

    approvers: tuple[str, ...]
    approvals: int
    own_deployment: bool
    deadline: timedelta
    required_checks: tuple[str, ...] = ()
    finish_now: bool = False
    manners: Manners = Manners()


@dataclass(frozen=True, kw_only=True, slots=True)
class Roster:
    """Who is in which user group. A group that is not here has nobody in it: unknown is closed."""

    groups: Mapping[str, frozenset[UserId]] = field(default_factory=dict)

    def holds(self, user: UserId, *, approvers: tuple[str, ...]) -> bool:
        """Whether `user` is one of `approvers`, by name or by group."""
        return any(user == entry or user in self.groups.get(entry, ()) for entry in approvers)


class Standing(StrEnum):
    """What Slack says of the account that pressed."""

    MEMBER = "member"
    GUEST = "guest"
    STRANGER = "stranger"
    BOT = "bot"
    DEACTIVATED = "deactivated"
    UNKNOWN = "unknown"


@dataclass(frozen=True, kw_only=True, slots=True)
class Person:
    """Somebody who pressed: identity from Slack's signed payload, standing from Slack's directory."""

    user: UserId
    name: str
    standing: Standing


class Choice(StrEnum):
    APPROVE = "approve"
    REJECT = "reject"


class Basis(StrEnum):
    """On what an approval stands."""

    VOTES = "votes"
    RESCUE = "rescue"
    UNDO = "undo"


class Permit:
    """Proof that this very gate may be approved. Only this module makes one."""

    __slots__ = ("basis", "by", "gate", "name")

    def __init__(self, *, gate: GateId, by: UserId | None, name: str, basis: Basis, mint: object) -> None:
        if mint is not _MINT:
            raise TypeError("a Permit is made by the policy alone")
        self.gate, self.by, self.name, self.basis = gate, by, name, basis


class Refusal(Exception):
    """Why a press does not count. The subclass is the fact; nothing about the gate has changed."""


class NotAMember(Refusal):
    """Bots, guests, strangers, deactivated and unknown accounts never decide."""

    def __init__(self, standing: Standing) -> None:
        super().__init__(f"the account is not a full member: {standing}")
        self.standing = standing


class NotAnApprover(Refusal):
    """The domain's policy does not name this person."""


class OwnDeployment(Refusal):
    """Who deployed may not approve it here."""


class AlreadyApproved(Refusal):
    """The same person's approval counts once."""


class ReasonMissing(Refusal):
    """A rejection says why."""


def judge_vote(
    *,
    policy: Policy,
    roster: Roster,
    person: Person,
    choice: Choice,
    reason: str,
    deployer: UserId | None,
    approved_by: frozenset[UserId],
) -> None:
    """Raises the `Refusal` that applies to this vote; returns when it counts.

    Rejecting one's own deployment is allowed: it can only stop traffic from moving.
    """
    if person.standing is not Standing.MEMBER:
        raise NotAMember(person.standing)
    if not roster.holds(person.user, approvers=policy.approvers):
        raise NotAnApprover
    if choice is Choice.REJECT:
        if not reason.strip():
            raise ReasonMissing
        return
    if not policy.own_deployment and deployer is not None and deployer == person.user:
        raise OwnDeployment
    if person.user in approved_by:
        raise AlreadyApproved


def permit_by_votes(
    gate: GateId, *, policy: Policy, roster: Roster, approved_by: frozenset[UserId], last: Person
) -> Permit | None:
    """The permit, once as many different people as the policy asks have approved.

    Only those who may decide now are counted: an approver who has left the group since no longer is one.
    """
    standing = [user for user in approved_by if roster.holds(user, approvers=policy.approvers)]
    if len(standing) < policy.approvals:
        return None
    return Permit(gate=gate, by=last.user, name=last.name, basis=Basis.VOTES, mint=_MINT)


def permit_for_undo(gate: GateId, *, by: UserId, name: str) -> Permit:
    """An undo that we started passes its own gate, on the word of whoever asked for it."""
    return Permit(gate=gate, by=by, name=name, basis=Basis.UNDO, mint=_MINT)


RESCUERS: Final = frozenset({"codeDeployRollback", "CloudFormationRollback"})
"""CodeDeploy's `creator` of a deployment that takes a bad one back."""


def permit_for_rescue(gate: GateId, *, creator: str) -> Permit | None:
    """A rescue is never blocked: automatic rollbacks pass without a person."""
    if creator not in RESCUERS:
        return None
    return Permit(gate=gate, by=None, name=creator, basis=Basis.RESCUE, mint=_MINT)
