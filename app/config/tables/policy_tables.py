"""The tables `[policy]`, `[[policy.require]]` and `[[policy.when]]`, with the description of each key."""

from collections.abc import Iterable
from typing import Annotated, Final, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainValidator,
    model_validator,
)

from app.config.tables.reminders import escalation_target, reminder_minutes
from app.config.tables.reminders import quiet_hours as quiet_span  # a field of the same name would hide it
from app.config.times import clock_span, time_zone, week_days
from app.config.values import (
    Exclusive,
    InvalidValue,
    approver_ids,
    at_least_one_approver,
    at_least_one_person,
    check_names,
    codedeploy_name,
    exclusive_domains,
    question_text,
    shifts,
    valid_deadline,
)
from app.gate.rules.policy import EVERY_DAY, DailyHours


class Table(BaseModel):
    """A table of the file: no unknown keys, no conversion between types.

    The docstrings of its fields are their descriptions in docs/configuration.md (`make docs`).
    """

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, use_attribute_docstrings=True)


def _as_list(value: object) -> object:
    return [value] if isinstance(value, str) else value


class RequireTable(Table):
    """`[[policy.require]]`: further approvers whose approvals are required."""

    source: Annotated[
        list[str],
        Field(alias="from", examples=["S0DBA"]),
        BeforeValidator(_as_list),
        AfterValidator(at_least_one_approver),
    ]
    """Users and user groups. A single id may stand without brackets. Somebody who is in two sources counts in both."""
    approvals: Annotated[int, AfterValidator(at_least_one_person), Field(examples=[2])] = 1
    """How many different people of them have to approve."""

    @model_validator(mode="after")
    def _some_people(self) -> "RequireTable":
        if not has_group(self.source) and self.approvals > len(self.source):
            people = len(self.source)
            raise InvalidValue(
                f"asks {self.approvals} approvals, but only {people} can give one, so nothing could ever pass",
                f"Write approvals = {people} at most, or name more people.",
            )
        return self


MAX_QUESTIONS: Final = 10


class AskTable(Table):
    """`[[policy.ask]]`: what every approver is asked with the approval."""

    question: Annotated[
        str, AfterValidator(question_text), Field(examples=["Was a test order placed on green?"])
    ]
    """Shown with a box to tick in the form that Approve opens; at most 150 characters. The answers are recorded with
    the vote."""
    required: Annotated[bool, Field(examples=[False])] = True
    """Whether the approval counts only if the box is ticked."""


def different_questions(value: list[AskTable]) -> list[AskTable]:
    """Each once, and not too many."""
    texts = [each.question for each in value]
    twice = [text for text in texts if texts.count(text) > 1]
    if twice:
        raise InvalidValue(f'asks "{twice[0]}" twice', "Write each question once.")
    if len(texts) > MAX_QUESTIONS:
        raise InvalidValue(
            f"asks {len(texts)} questions", f"Ask at most {MAX_QUESTIONS}; nobody answers more."
        )
    return value


class RuleKeys(Table):
    """The keys that a domain and a `when` may override."""

    approvers: Annotated[
        list[str], AfterValidator(at_least_one_approver), Field(examples=[["S0ONCALL", "U01APPROVER"]])
    ] = []
    """The approvers: Slack users (`U…`, `W…`) and user groups (`S…`). Required here or in every domain. The members of
    a group are read every minute; an answer of Slack that is older than an hour is not used."""
    approvals: Annotated[int, AfterValidator(at_least_one_person), Field(examples=[2])] = 1
    """How many different people of `approvers` have to approve."""
    own_deployment: Annotated[bool, Field(examples=[True])] = False
    """Whether people can approve their own deployment. If false, nobody can approve whom the task definition's tag, the
    description or CodeDeploy's creator names as the deployer."""
    unknown_deployer: Annotated[Literal["allow", "ask-two"], Field(examples=["allow"])] = "ask-two"
    """What holds while the deployer is not known for certain: two different people have to approve, or nothing more.
    The deployer is known when the tag `github-actor` was read, `[people]` knows the login and no other source
    contradicts it. If only one person can approve, a file that writes out `ask-two` is refused, and one that leaves the
    key out gets a warning."""
    require: Annotated[list[RequireTable], Field(examples=[[{"from": "S0DBA"}]])] = []
    """Further sources of required approvals, in addition to `approvers`."""
    reject: Annotated[Literal["one", "majority"], Field(examples=["majority"])] = "one"
    """How many rejections end a gate: one, or more than half of the number of required approvals."""
    reason: Annotated[Literal["always", "reject", "never"], Field(examples=["always"])] = "reject"
    """Which votes need a reason: all, rejections only, or none."""
    required_checks: Annotated[
        list[str], AfterValidator(check_names), Field(examples=[["order-create smoke"]])
    ] = []
    """Checks that must have passed before anybody can approve: reported by CI through the API, or run as probes."""
    approve_when_checks_pass: Annotated[bool, Field(examples=[True])] = False
    """Whether passed `required_checks` approve by themselves, in place of `approvers`. Approvals of `require` are still
    needed."""
    ask: Annotated[
        list[AskTable],
        AfterValidator(different_questions),
        Field(examples=[[{"question": "Was a test order placed on green?"}]]),
    ] = []
    """What every approver confirms: Approve opens a form that asks it. At most ten. Break glass does not ask, and
    `approve_when_checks_pass` cannot answer, so a file with both is refused."""


class WhenTable(RuleKeys):
    """`[[policy.when]]`: other rules at some hours, or for some kinds of shift."""

    name: Annotated[str, AfterValidator(codedeploy_name), Field(max_length=40, examples=["nights"])]
    """Shown with the rules; at most 40 characters."""
    days: Annotated[list[str], Field(examples=[["mon-fri"]])] = []
    """Days of the week: `mon` or `mon-fri`. Empty: every day."""
    hours: Annotated[str | None, Field(examples=["22:00-08:00"])] = None
    """A span of the day; one over midnight belongs to the day on which it begins. Unset: the whole day."""
    time_zone: Annotated[str | None, Field(examples=["Asia/Seoul"])] = None
    """An IANA time zone. Required with `days` or `hours`."""
    shift: Annotated[list[str], AfterValidator(shifts), Field(examples=[["all-at-once"]])] = []
    """Kinds of traffic shift: `all-at-once`, `canary`, `linear`. Empty: every kind."""

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

    mode: Annotated[Literal["enforce", "observe"], Field(examples=["observe"])] = "enforce"
    """`observe`: nobody has to approve, and no rule or freeze holds a switch. The card and the record say what would
    have held it. For the first week. A rejection that comes before still stops the deployment."""
    deadline_minutes: Annotated[int, AfterValidator(valid_deadline), Field(examples=[30])] = 55
    """Minutes after the start of the hook at which an undecided gate is rejected: 1 to 59, because CodeDeploy ends the
    hook after an hour."""
    on_deadline: Annotated[Literal["reject"], Field(examples=["reject"])] = "reject"
    """What the deadline does. With `reject`, the only value, traffic stays on blue and the deployment fails."""
    finish_now: Annotated[bool, Field(examples=[True])] = False
    """Whether the card offers **Terminate blue**, before CodeDeploy does it. Afterwards a rollback takes minutes, not
    seconds."""
    notify: Annotated[
        list[str], AfterValidator(approver_ids), Field(examples=[["U01LEAD", "S0PLATFORM"]])
    ] = []
    """Users and user groups who are told beside the approvers: mentioned on the card, and where people are called
    because something went wrong. This alone lets nobody decide."""
    remind_at_half: Annotated[bool, Field(examples=[False])] = True
    """Whether approvers who have not answered are reminded in the thread at half of the deadline."""
    remind_before_minutes: Annotated[
        list[int], AfterValidator(reminder_minutes), Field(examples=[[15, 5]])
    ] = [10]
    """Further reminders, in minutes before the deadline: at most five different numbers from 1 to 58."""
    quiet_hours: Annotated[
        Annotated[str, AfterValidator(quiet_span)] | None, Field(examples=["22:00-07:00 Asia/Seoul"])
    ] = None
    """Hours in which nobody is reminded, with a time zone. They may go over midnight."""
    escalate_to: Annotated[
        Annotated[str, AfterValidator(escalation_target)] | None, Field(examples=["S0LEADS"])
    ] = None
    """A user, a user group or a channel that is called if nobody has decided, and if something goes wrong after the
    approval."""
    escalate_before_minutes: Annotated[int, AfterValidator(valid_deadline), Field(examples=[20])] = 20
    """Minutes before the deadline at which `escalate_to` is called."""
    exclusive: Annotated[
        Exclusive, PlainValidator(exclusive_domains), Field(examples=[["order", "payment"]])
    ] = False
    """Domains that are never switched at the same time: `"all"`, or a set. While one is between its approval and
    `exclusive_until`, nobody can approve the others. It holds both ways even if only one domain names the other. A list
    in a domain includes that domain. A domain that says `false` itself is left out of `"all"`."""
    exclusive_until: Annotated[Literal["switched", "finished"], Field(examples=["finished"])] = "switched"
    """How long a switch of this domain excludes others: until all traffic is on green, or until blue is
    terminated."""
    after: Annotated[list[str], Field(examples=[["auth"]])] = []
    """Domains that go first: nobody can approve while a switch of theirs is waiting or under way."""
    when: list[WhenTable] = []
    """Other rules at some hours or for some kinds of shift. Of several that hold, the later one counts."""


RULE_KEYS: Final = frozenset(RuleKeys.model_fields)


def has_group(people: Iterable[str]) -> bool:
    """Whether a user group is among them."""
    return any(entry.startswith("S") for entry in people)
