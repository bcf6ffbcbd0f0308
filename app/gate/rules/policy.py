"""A domain's rules as data."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields, replace
from datetime import datetime, time, timedelta
from enum import StrEnum
from hashlib import sha256
from typing import Any, Final
from zoneinfo import ZoneInfo

from app.gate.ids import UserId
from app.gate.reminders import ReminderSettings
from app.gate.rules.exclusivity import Exclusivity


class Shift(StrEnum):
    """How a deployment moves its traffic: rules may differ by it."""

    ALL_AT_ONCE = "all_at_once"
    CANARY = "canary"
    LINEAR = "linear"


class UnknownDeployer(StrEnum):
    """What applies if the deployer is unknown, so that nobody's own deployment can be recognised."""

    ALLOW = "allow"
    ASK_TWO = "ask-two"


class RejectBy(StrEnum):
    """Who ends a gate: anyone who rejects, or more than half of as many people as have to approve."""

    ONE = "one"
    MAJORITY = "majority"


class ReasonFor(StrEnum):
    """Which votes need a reason."""

    ALWAYS = "always"
    REJECT = "reject"
    NEVER = "never"


@dataclass(frozen=True, kw_only=True, slots=True)
class ApproverSource:
    """People of whom `approvals` have to approve: users (U…, W…) and user groups (S…)."""

    people: tuple[str, ...]
    approvals: int


@dataclass(frozen=True, kw_only=True, slots=True)
class ApprovalQuestion:
    """Something that every approver confirms in the form. `required`: an approval counts only if it is ticked."""

    text: str
    required: bool = True

    @property
    def id(self) -> str:
        """Names the question in forms, the same in every process."""
        return sha256(self.text.encode()).hexdigest()[:16]


@dataclass(frozen=True, kw_only=True, slots=True)
class DailyHours:
    """A time of day on some weekdays (0 is Monday), on the clocks of `zone`.

    Over midnight it belongs to the day that it begins on; equal ends are a whole day.
    """

    days: frozenset[int]
    start: time
    end: time
    zone: ZoneInfo

    def covers(self, now: datetime) -> bool:
        local = now.astimezone(self.zone)
        clock, today, yesterday = local.time(), local.weekday(), (local - timedelta(days=1)).weekday()
        if self.start < self.end:
            return today in self.days and self.start <= clock < self.end
        return (today in self.days and clock >= self.start) or (yesterday in self.days and clock < self.end)


@dataclass(frozen=True, kw_only=True, slots=True)
class Policy:
    """A domain's rules. `approvers` mixes users (U…, W…) and user groups (S…); `approvals` are theirs.

    `require` adds sources whose approvals are required as well; `variants` change some keys at times. `exclusivity`
    applies at all times, because both domains must agree on it. `notify` names users and user groups who are told
    beside the approvers. `observe`: nothing holds a switch, and what would have is recorded.
    """

    approvers: tuple[str, ...]
    approvals: int
    own_deployment: bool
    deadline: timedelta
    required_checks: tuple[str, ...] = ()
    require: tuple[ApproverSource, ...] = ()
    unknown_deployer: UnknownDeployer = UnknownDeployer.ALLOW
    reject: RejectBy = RejectBy.ONE
    reason: ReasonFor = ReasonFor.REJECT
    approve_when_checks_pass: bool = False
    observe: bool = False
    questions: tuple[ApprovalQuestion, ...] = ()
    variants: tuple["Variant", ...] = ()
    finish_now: bool = False
    notify: tuple[str, ...] = ()
    reminder_settings: ReminderSettings = ReminderSettings()
    exclusivity: Exclusivity = Exclusivity()

    @property
    def sources(self) -> tuple[ApproverSource, ...]:
        """All sources of required approvals; whoever is in one of them may vote."""
        return (ApproverSource(people=self.approvers, approvals=self.approvals), *self.require)

    @property
    def voters(self) -> tuple[str, ...]:
        """Whoever may vote, each user and group once."""
        return tuple(dict.fromkeys(entry for source in self.sources for entry in source.people))


@dataclass(frozen=True, kw_only=True, slots=True)
class PolicyOverride:
    """The keys of a policy that a variant gives anew; None leaves a key as it is."""

    approvers: tuple[str, ...] | None = None
    approvals: int | None = None
    own_deployment: bool | None = None
    required_checks: tuple[str, ...] | None = None
    require: tuple[ApproverSource, ...] | None = None
    unknown_deployer: UnknownDeployer | None = None
    reject: RejectBy | None = None
    reason: ReasonFor | None = None
    approve_when_checks_pass: bool | None = None
    questions: tuple[ApprovalQuestion, ...] | None = None

    def given(self) -> dict[str, Any]:
        """What is given, by its name in `Policy`."""
        found = {each.name: getattr(self, each.name) for each in fields(self)}
        return {name: value for name, value in found.items() if value is not None}


@dataclass(frozen=True, kw_only=True, slots=True)
class Variant:
    """Other rules at some hours, for some kinds of shift, or both. No hours: always; no shifts: any."""

    name: str
    changes: PolicyOverride
    hours: DailyHours | None = None
    shifts: frozenset[Shift] = frozenset()


def everyone_named(policy: Policy) -> frozenset[str]:
    """Every user and user group that the policy names at any time."""
    named = set(policy.voters)
    for variant in policy.variants:
        named |= set(replace(policy, variants=(), **variant.changes.given()).voters)
    return frozenset(named)


@dataclass(frozen=True, kw_only=True, slots=True)
class Roster:
    """Who is in which user group. A group that is not here has no members: unknown is closed.

    `aliases`: all ids of a person who has several. `deactivated`: users who cannot decide, according to Slack.
    """

    groups: Mapping[str, frozenset[UserId]] = field(default_factory=dict)
    aliases: Mapping[UserId, frozenset[UserId]] = field(default_factory=dict)
    deactivated: frozenset[UserId] = frozenset()

    def ids(self, user: UserId) -> frozenset[UserId]:
        """All ids of the same person."""
        return self.aliases.get(user) or frozenset({user})

    def includes(self, user: UserId, *, approvers: tuple[str, ...]) -> bool:
        """Whether `user` is one of `approvers`, by name or by group."""
        ids = self.ids(user)
        return any(
            bool(ids & self.groups.get(entry, frozenset())) if entry.startswith("S") else entry in ids
            for entry in approvers
        )

    def id_among(self, user: UserId, among: Iterable[UserId]) -> UserId:
        """The id by which the person is already among these; else `user`."""
        ids = self.ids(user)
        return next((one for one in among if one in ids), user)

    def eligible(self, approvers: tuple[str, ...]) -> frozenset[UserId]:
        """Everybody of `approvers` who can decide, one id a person."""
        users = {UserId(entry) for entry in approvers if not entry.startswith("S")}
        listed = users.union(*(self.groups.get(entry, frozenset()) for entry in approvers)) - self.deactivated
        return frozenset(min(self.ids(user)) for user in listed)


EVERY_DAY: Final = frozenset(range(7))
