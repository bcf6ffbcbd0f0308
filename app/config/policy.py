"""The tables `[policy]`, `[[policy.require]]` and `[[policy.when]]`, and the `Policy` built from them."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Annotated, Any, Final, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainValidator,
    model_validator,
)

from app.config.reminders import escalation_target, reminder_minutes, reminders_from
from app.config.reminders import quiet_hours as quiet_span  # a field of the same name would hide it
from app.config.times import clock_span, time_zone, week_days
from app.config.values import (
    Exclusive,
    InvalidValue,
    at_least_one_approver,
    at_least_one_person,
    check_names,
    codedeploy_name,
    exclusive_domains,
    shifts,
    valid_deadline,
)
from app.gate.rules.policy import (
    EVERY_DAY,
    ApproverSource,
    DailyHours,
    Policy,
    PolicyOverride,
    ReasonFor,
    RejectBy,
    Shift,
    UnknownDeployer,
    Variant,
)


class Table(BaseModel):
    """A table of the file: no unknown keys, no conversion between types."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


def _as_list(value: object) -> object:
    return [value] if isinstance(value, str) else value


class RequireTable(Table):
    """`[[policy.require]]`: further approvers whose approvals are required."""

    source: Annotated[
        list[str], Field(alias="from"), BeforeValidator(_as_list), AfterValidator(at_least_one_approver)
    ]
    approvals: Annotated[int, AfterValidator(at_least_one_person)] = 1

    @model_validator(mode="after")
    def _some_people(self) -> "RequireTable":
        if not _has_group(self.source) and self.approvals > len(self.source):
            people = len(self.source)
            raise InvalidValue(
                f"asks {self.approvals} approvals, but only {people} can give one, so nothing could ever pass",
                f"Write approvals = {people} at most, or name more people.",
            )
        return self


class RuleKeys(Table):
    """The keys that a domain and a `when` may override."""

    approvers: Annotated[list[str], AfterValidator(at_least_one_approver)] = []
    approvals: Annotated[int, AfterValidator(at_least_one_person)] = 1
    own_deployment: bool = False
    unknown_deployer: Literal["allow", "ask-two"] = "ask-two"
    require: list[RequireTable] = []
    reject: Literal["one", "majority"] = "one"
    reason: Literal["always", "reject", "never"] = "reject"
    required_checks: Annotated[list[str], AfterValidator(check_names)] = []
    approve_when_checks_pass: bool = False


class WhenTable(RuleKeys):
    """`[[policy.when]]`: other rules at some hours, or for some kinds of shift."""

    name: Annotated[str, AfterValidator(codedeploy_name), Field(max_length=40)]
    days: list[str] = []
    hours: str | None = None
    time_zone: str | None = None
    shift: Annotated[list[str], AfterValidator(shifts)] = []

    @model_validator(mode="after")
    def _says_when_and_what(self) -> "WhenTable":
        if not (self.days or self.hours or self.shift):
            remedy = (
                'Add days, hours or shift, for example hours = "22:00-08:00" with time_zone = "Asia/Seoul".'
            )
            raise InvalidValue("says at no time and for no shift, so it would always hold", remedy)
        if not self.model_fields_set & set(RuleKeys.model_fields):
            raise InvalidValue("changes nothing", "Add a key of [policy], for example approvals = 2.")
        self.when()
        return self

    def when(self) -> DailyHours | None:
        """The hours, in the table's own time zone. Raises `InvalidValue`."""
        if not self.days and self.hours is None:
            return None
        if self.time_zone is None:
            raise InvalidValue("names hours without a time zone", 'Add time_zone = "Asia/Seoul".')
        start, end = clock_span(self.hours or "00:00-24:00")
        days = week_days(self.days) if self.days else EVERY_DAY
        return DailyHours(days=days, start=start, end=end, zone=time_zone(self.time_zone))


class PolicyTable(RuleKeys):
    """`[policy]`, and the keys of it that a domain overrides."""

    deadline_minutes: Annotated[int, AfterValidator(valid_deadline)] = 55
    on_deadline: Literal["reject"] = "reject"
    finish_now: bool = False
    remind_at_half: bool = True
    remind_before_minutes: Annotated[list[int], AfterValidator(reminder_minutes)] = [10]
    quiet_hours: Annotated[str, AfterValidator(quiet_span)] | None = None
    escalate_to: Annotated[str, AfterValidator(escalation_target)] | None = None
    escalate_before_minutes: Annotated[int, AfterValidator(valid_deadline)] = 20
    exclusive: Annotated[Exclusive, PlainValidator(exclusive_domains)] = False
    exclusive_until: Literal["switched", "finished"] = "switched"
    after: list[str] = []
    when: list[WhenTable] = []


RULE_KEYS: Final = frozenset(RuleKeys.model_fields)


def policy_from(default: PolicyTable, own: PolicyTable) -> Policy:
    """The keys of `own` override those of `default`, which override the built-in defaults."""
    given = {**_given(default), **_given(own)}
    table = PolicyTable.model_construct(**given)
    return Policy(
        approvers=tuple(table.approvers),
        approvals=table.approvals,
        own_deployment=table.own_deployment,
        deadline=timedelta(minutes=table.deadline_minutes),
        required_checks=tuple(table.required_checks),
        require=_sources(table),
        unknown_deployer=UnknownDeployer(table.unknown_deployer),
        reject=RejectBy(table.reject),
        reason=ReasonFor(table.reason),
        approve_when_checks_pass=table.approve_when_checks_pass,
        variants=tuple(_variant(when) for when in table.when),
        finish_now=table.finish_now,
        reminder_settings=reminders_from(table),
    )


@dataclass(frozen=True, kw_only=True, slots=True)
class PolicyProblem:
    """Why no switch could ever be approved, and the key of [policy] that causes it."""

    key: str
    what: str
    remedy: str


def policy_problem(policy: Policy, *, asks_two: bool) -> PolicyProblem | None:
    """Why no switch could ever be approved, at whatever time; None: switches can be.

    `asks_two`: the file says itself that two people are asked where the deployer is unknown.
    """
    problem = _never_passes(policy, asks_two=asks_two)
    if problem:
        return problem
    for variant in policy.variants:
        said = asks_two or variant.changes.unknown_deployer is not None
        problem = _never_passes(replace(policy, variants=(), **variant.changes.given()), asks_two=said)
        if problem:
            what = (
                f'"{variant.name}" gives rules by which nothing could ever pass: {problem.key} {problem.what}'
            )
            return PolicyProblem(key="when", what=what, remedy=problem.remedy)
    return None


def needs_known_deployer(policy: Policy) -> bool:
    """Two are asked where the deployer is unknown, and only one person can approve."""
    two = policy.unknown_deployer is UnknownDeployer.ASK_TWO and not policy.own_deployment
    return two and not _has_group(policy.voters) and len(policy.voters) < 2


def _never_passes(policy: Policy, *, asks_two: bool) -> PolicyProblem | None:
    # Only Slack knows how many people a group has.
    people = len(policy.approvers)
    if not _has_group(policy.approvers) and policy.approvals > people:
        return PolicyProblem(
            key="approvals",
            what=f"is {policy.approvals}, but only {people} can approve, so nothing could ever pass",
            remedy=f"Write at most {people}, or name more approvers.",
        )
    if asks_two and needs_known_deployer(policy):
        return PolicyProblem(
            key="unknown_deployer",
            what="asks two people, but only 1 can approve",
            remedy='Name more approvers, or write unknown_deployer = "allow".',
        )
    if policy.approve_when_checks_pass and not policy.required_checks:
        return PolicyProblem(
            key="approve_when_checks_pass",
            what="is true, but no check is required that could pass",
            remedy="Name one in required_checks, or leave this line out.",
        )
    return None


def _has_group(people: Iterable[str]) -> bool:
    return any(entry.startswith("S") for entry in people)


def _given(table: Table) -> dict[str, Any]:
    return {name: getattr(table, name) for name in table.model_fields_set}


def _sources(table: RuleKeys) -> tuple[ApproverSource, ...]:
    return tuple(
        ApproverSource(people=tuple(each.source), approvals=each.approvals) for each in table.require
    )


def _variant(table: WhenTable) -> Variant:
    given = {name: value for name, value in _given(table).items() if name in RULE_KEYS}
    return Variant(
        name=table.name,
        hours=table.when(),
        shifts=frozenset(Shift(shift.replace("-", "_")) for shift in table.shift),
        changes=PolicyOverride(
            approvers=tuple(given["approvers"]) if "approvers" in given else None,
            approvals=given.get("approvals"),
            own_deployment=given.get("own_deployment"),
            required_checks=tuple(given["required_checks"]) if "required_checks" in given else None,
            require=_sources(table) if "require" in given else None,
            unknown_deployer=UnknownDeployer(table.unknown_deployer) if "unknown_deployer" in given else None,
            reject=RejectBy(table.reject) if "reject" in given else None,
            reason=ReasonFor(table.reason) if "reason" in given else None,
            approve_when_checks_pass=given.get("approve_when_checks_pass"),
        ),
    )
