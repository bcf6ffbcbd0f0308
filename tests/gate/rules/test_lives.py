"""No sequence of votes, freezes, checks and clock steps approves a gate against its rules without break-glass.

The rules are written here once more, as simply as possible, and every approval is compared with them.
"""

from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from app.gate.decision import Approval, Decision, Rejection
from app.gate.ids import DeploymentId, DomainName, GateId, UserId
from app.gate.people import AccountStatus, Person
from app.gate.rules.checks import CheckState
from app.gate.rules.denials import Denial, NothingToBreak
from app.gate.rules.evaluation import RuleInputs
from app.gate.rules.exclusivity import Exclusivity, QueuePosition, RelatedSwitch
from app.gate.rules.freeze import Freeze, Span
from app.gate.rules.permits import Basis, rules_to_override
from app.gate.rules.policy import (
    ApproverSource,
    DailyHours,
    Policy,
    PolicyOverride,
    ReasonFor,
    RejectBy,
    Roster,
    Shift,
    UnknownDeployer,
    Variant,
)
from app.gate.rules.violations import rule_fingerprint
from app.gate.state_machine import Awaiting, TooLate
from app.gate.votes import Choice, Vote

START = datetime(2026, 11, 24, 12, 40, tzinfo=UTC)
"""Twenty past nine in the evening in Seoul: the night's rules begin while gates wait."""

USERS = tuple(UserId(f"U{number}") for number in range(1, 7))
CHECKS = ("smoke", "load")
ONCALL, DBA, ADMINS = USERS[:3], USERS[2:4], USERS[4:6]

PAYMENT, AUTH = DomainName("payment"), DomainName("auth")

STEPS = ("asked", "approved", "switched", "failed")
users = st.sampled_from(USERS)
standings = st.sampled_from([*[AccountStatus.MEMBER] * 9, AccountStatus.GUEST])
checks = st.lists(st.sampled_from(CHECKS), unique=True).map(tuple)
policies = st.builds(
    Policy,
    approvers=st.just(("SONCALL",)),
    approvals=st.integers(1, 2),
    own_deployment=st.booleans(),
    deadline=st.just(timedelta(minutes=55)),
    required_checks=checks,
    require=st.sampled_from([(), (ApproverSource(people=("SDBA",), approvals=1),)]),
    unknown_deployer=st.sampled_from(UnknownDeployer),
    reject=st.sampled_from(RejectBy),
    reason=st.sampled_from(ReasonFor),
    approve_when_checks_pass=st.booleans(),
    exclusivity=st.sampled_from(
        [Exclusivity(), Exclusivity(excludes=(PAYMENT,)), Exclusivity(excludes=(PAYMENT,), after=(AUTH,))]
    ),
)
nights = st.sampled_from(
    [
        (),
        (
            Variant(
                name="nights",
                hours=DailyHours(
                    days=frozenset(range(7)), start=time(22), end=time(8), zone=ZoneInfo("Asia/Seoul")
                ),
                changes=PolicyOverride(approvals=2, own_deployment=False),
            ),
        ),
        (Variant(name="canary", shifts=frozenset({Shift.CANARY}), changes=PolicyOverride(approvals=1)),),
    ]
)


class Lives(RuleBasedStateMachine):
    """One gate under rules of all kinds."""

    def __init__(self) -> None:
        super().__init__()
        self.now = START
        self.roster = Roster(
            groups={"SONCALL": frozenset(ONCALL), "SDBA": frozenset(DBA), "SADMIN": frozenset(ADMINS)}
        )
        self.checks: dict[str, CheckState] = {}
        self.freezes: tuple[Freeze, ...] = ()
        self.related: dict[DomainName, RelatedSwitch] = {}
        self.decision: Decision | None = None
        self.policy = Policy(approvers=(), approvals=1, own_deployment=False, deadline=timedelta(minutes=55))
        self.shift: Shift | None = None
        self.gate = Awaiting(
            id=GateId(UUID(int=1)),
            opened_at=START,
            deadline_at=START + timedelta(minutes=55),
            prompt_version=1,
            verified=True,
            deployer=None,
            approved_by=frozenset(),
        )

    @initialize(
        policy=policies,
        variants=nights,
        deployer=st.sampled_from([None, *USERS]),
        shift=st.sampled_from([None, *Shift]),
    )
    def begins(
        self, policy: Policy, variants: tuple[Variant, ...], deployer: UserId | None, shift: Shift | None
    ) -> None:
        self.policy = replace(policy, variants=variants)
        self.gate = replace(self.gate, deployer=deployer)
        self.shift = shift

    @property
    def rule_inputs(self) -> RuleInputs:
        return RuleInputs(
            shift=self.shift,
            checks=dict(self.checks),
            freezes=self.freezes,
            queue=QueuePosition(opened_at=START, related=tuple(self.related.values())),
        )

    @precondition(lambda self: self.decision is None)
    @rule(
        user=users,
        account_status=standings,
        choice=st.sampled_from(Choice),
        reason=st.sampled_from(["", "why"]),
    )
    def somebody_presses(
        self, user: UserId, account_status: AccountStatus, choice: Choice, reason: str
    ) -> None:
        before = self.gate
        person = Person(user=user, name=user, account_status=account_status)
        vote = Vote(person=person, choice=choice, reason=reason, at=self.now)
        try:
            self.gate, decision = before.vote(
                vote, prompt_version=1, policy=self.policy, roster=self.roster, rule_inputs=self.rule_inputs
            )
        except Denial as refusal:
            too_late = isinstance(refusal, TooLate)
        else:
            assert account_status is AccountStatus.MEMBER
            self._decided(decision, before.approved_by | {user})
            return
        assert self.gate == before
        assert too_late == (self.now >= before.deadline_at)

    @precondition(lambda self: self.decision is None)
    @rule(user=users)
    def somebody_thinks_again(self, user: UserId) -> None:
        try:
            self.gate = self.gate.retract_vote(user, now=self.now)
        except Denial:
            return
        assert user not in self.gate.approved_by | self.gate.rejected_by

    @precondition(lambda self: self.decision is None)
    @rule()
    def the_checks_are_looked_at(self) -> None:
        self._decided(
            self.gate.approve_by_checks_passed(
                policy=self.policy, roster=self.roster, rule_inputs=self.rule_inputs, now=self.now
            ),
            self.gate.approved_by,
        )

    @precondition(lambda self: self.decision is None)
    @rule(user=users, reads=st.booleans())
    def somebody_breaks_the_glass(self, user: UserId, reads: bool) -> None:
        person = Person(user=user, name=user, account_status=AccountStatus.MEMBER)
        case = self.gate.evaluation_context(
            policy=self.policy, roster=self.roster, rule_inputs=self.rule_inputs, now=self.now
        )
        broken = rules_to_override(case, person)
        try:
            approval = self.gate.break_glass(
                Vote(person=person, choice=Choice.APPROVE, reason="why", at=self.now),
                prompt_version=1,
                policy=self.policy,
                roster=self.roster,
                rule_inputs=self.rule_inputs,
                admins=("SADMIN",),
                named=frozenset(map(rule_fingerprint, broken)) if reads else frozenset(),
            )
        except Denial as refusal:
            # An admin with no rule to override could have approved: the rules are consistent.
            if isinstance(refusal, NothingToBreak):
                assert self._lawful(self.gate.approved_by | {user})
            return
        assert user in ADMINS
        assert reads
        assert approval.permit.overridden_rules == broken != ()
        self.decision = approval

    @rule(name=st.sampled_from(CHECKS), state=st.sampled_from([*[CheckState.PASSED] * 3, *CheckState]))
    def a_check_is_told(self, name: str, state: CheckState) -> None:
        self.checks[name] = state

    @rule(minutes=st.integers(1, 20), delay=st.integers(0, 10))
    def somebody_freezes(self, minutes: int, delay: int) -> None:
        start = self.now + timedelta(minutes=delay)
        span = Span(start=start, end=start + timedelta(minutes=minutes))
        self.freezes = (*self.freezes, Freeze(reason="incident", when=span, by=USERS[4]))

    @rule()
    def somebody_unfreezes(self) -> None:
        self.freezes = ()

    @rule(domain=st.sampled_from([PAYMENT, AUTH]), step=st.sampled_from(STEPS))
    def a_neighbour_goes_on(self, domain: DomainName, step: str) -> None:
        seen = RelatedSwitch(domain=domain, deployment=DeploymentId("d-2"), last_observed_at=self.now)
        started = replace(seen, approved_at=self.now)
        self.related[domain] = {
            "asked": replace(seen, waiting_since=self.now),
            "approved": started,
            "switched": replace(started, switched_at=self.now),
            "failed": replace(started, ended_at=self.now),
        }[step]

    @rule(minutes=st.integers(1, 15))
    def time_passes(self, minutes: int) -> None:
        self.now += timedelta(minutes=minutes)

    @rule(user=users, group=st.sampled_from(["SONCALL", "SDBA"]))
    def a_group_changes(self, user: UserId, group: str) -> None:
        groups = dict(self.roster.groups)
        groups[group] = groups[group] ^ {user}
        self.roster = Roster(groups=groups)

    @precondition(lambda self: self.gate.deployer is None)
    @rule(user=users)
    def the_deployer_becomes_known(self, user: UserId) -> None:
        self.gate = replace(self.gate, deployer=user)

    @rule(shift=st.sampled_from(Shift))
    def the_shift_becomes_known(self, shift: Shift) -> None:
        self.shift = self.shift or shift

    @invariant()
    def who_has_voted_has_one_vote(self) -> None:
        assert not self.gate.approved_by & self.gate.rejected_by

    def _decided(self, decision: Decision | None, approved: frozenset[UserId]) -> None:
        if decision is None:
            return
        self.decision = decision
        if isinstance(decision, Rejection):
            assert self.now < self.gate.deadline_at
            return
        assert isinstance(decision, Approval)
        assert decision.permit.overridden_rules == ()
        assert decision.permit.gate == self.gate.id
        if decision.permit.basis is Basis.CHECKS:
            assert self._lawful(approved, by_checks=True)
        else:
            assert decision.permit.basis is Basis.VOTES
            assert self._lawful(approved)

    def _lawful(self, approved: frozenset[UserId], *, by_checks: bool = False) -> bool:
        """The rules in the plainest words: may this gate be approved now, with these approvals?"""
        if self._held():
            return False
        rules = self._rules_of_now()
        mine = approved if rules.own_deployment else approved - {self.gate.deployer}
        oncall, dba = mine & self.roster.groups["SONCALL"], mine & self.roster.groups["SDBA"]
        if rules.require and not dba:
            return False
        if by_checks:
            return (
                rules.approve_when_checks_pass and bool(rules.required_checks) and not self.gate.rejected_by
            )
        voters = oncall | dba if rules.require else oncall
        return len(oncall) >= rules.approvals and self._enough(rules, voters, approved)

    def _held(self) -> bool:
        missing = [name for name in self.policy.required_checks if self.checks.get(name) != CheckState.PASSED]
        unknown = self.shift is None and any(variant.shifts for variant in self.policy.variants)
        late = self.now >= self.gate.deadline_at
        frozen = any(self._stands(freeze) for freeze in self.freezes)
        return late or unknown or bool(missing) or frozen or self._waits_for_others()

    def _waits_for_others(self) -> bool:
        """Payment is under way, if the two exclude each other; or auth, which goes first, has not succeeded."""
        on = [
            one.domain
            for one in self.related.values()
            if one.approved_at is not None and one.switched_at is None and one.ended_at is None
        ]
        asked = [one.domain for one in self.related.values() if one.waiting_since is not None]
        exclusivity = self.policy.exclusivity
        return bool(set(exclusivity.excludes) & set(on)) or bool(set(exclusivity.after) & {*on, *asked})

    def _enough(self, rules: Policy, voters: frozenset[UserId], approved: frozenset[UserId]) -> bool:
        unknown = self.gate.deployer is None and not rules.own_deployment
        if unknown and rules.unknown_deployer is UnknownDeployer.ASK_TWO and len(voters) < 2:
            return False
        may = self.roster.groups["SONCALL"] | (self.roster.groups["SDBA"] if rules.require else frozenset())
        against = (self.gate.rejected_by - approved) & may
        return not against or len(voters) > len(against)

    def _rules_of_now(self) -> Policy:
        """Nights from ten to eight in Seoul; a canary needs one."""
        hour = (self.now + timedelta(hours=9)).hour
        names = {variant.name for variant in self.policy.variants}
        if "nights" in names and not 8 <= hour < 22:
            return replace(self.policy, approvals=2, own_deployment=False)
        if "canary" in names and self.shift is Shift.CANARY:
            return replace(self.policy, approvals=1)
        return self.policy

    def _stands(self, freeze: Freeze) -> bool:
        assert isinstance(freeze.when, Span)
        return freeze.when.start <= self.now < freeze.when.end


TestLives = Lives.TestCase
TestLives.settings = settings(
    max_examples=150,
    stateful_step_count=30,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)
