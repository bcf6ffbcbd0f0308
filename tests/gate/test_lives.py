"""State-machine test of a gate: hooks, presses, clocks, reports and endings in any order, on several gates at once.

Only the pure core runs, beside a database that is a dictionary and a CodeDeploy whose first answer stands. The laws
are the invariants; each is named by its number in the README's list.
"""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, invariant, precondition, rule

from app.gate.deadline import MAX_DEADLINE, deadline_after
from app.gate.decision import Answer, Approval, Decision, Rejection, Verdict, answer_to, verdict_of
from app.gate.ids import GateId, UserId
from app.gate.people import AccountStatus, Person
from app.gate.rules.denials import Denial
from app.gate.rules.evaluation import RuleInputs
from app.gate.rules.permits import AUTO_ROLLBACK_CREATORS, Basis
from app.gate.rules.policy import Policy, Roster
from app.gate.state_machine import Awaiting, Closed, Decided, IllegalTransition, Outcome, Reported, TooLate
from app.gate.votes import Choice, Vote
from tests.gate.model import HookExecution, Life, told_by

START = datetime(2026, 11, 24, 3, 0, tzinfo=UTC)
USERS = tuple(UserId(f"U{number}") for number in range(1, 6))
GROUP = "S1"

# Mostly the plain case, so that presses often count and the laws about them have something to hold.
yes_mostly = st.sampled_from([True, True, True, True, False])
creators = st.sampled_from([*["user"] * 6, *sorted(AUTO_ROLLBACK_CREATORS)])
deployers = st.sampled_from([None, *USERS])
standings = st.sampled_from([*[AccountStatus.MEMBER] * 18, *AccountStatus])
presses = st.tuples(
    st.sampled_from(USERS),
    standings,
    st.sampled_from(Choice),
    st.sampled_from(["", "  ", "broken on green"]),
    st.sampled_from([*[0] * 10, -1, 1]),
)
places = st.integers(0, 9)
faults = st.sampled_from(["none", "none", "lost on the way", "answer lost", "killed before the commit"])


class Lives(RuleBasedStateMachine):
    """The flow, without anything outside."""

    gates = Bundle("gates")

    def __init__(self) -> None:
        super().__init__()
        self.now = START
        self.record: dict[GateId, Life] = {}
        self.policy = Policy(
            approvers=(GROUP, USERS[3]), approvals=1, own_deployment=False, deadline=timedelta(minutes=55)
        )
        self.roster = Roster(groups={GROUP: frozenset(USERS[:3])})

    @property
    def waiting(self) -> list[GateId]:
        return [gate for gate, life in self.record.items() if isinstance(life.gate, Awaiting)]

    @property
    def answerable(self) -> list[GateId]:
        views = ((gate, self.record[gate].gate) for gate in self.waiting)
        return [
            gate
            for gate, state in views
            if isinstance(state, Awaiting) and state.verified and self.now < state.deadline_at
        ]

    # What comes in.

    @rule(
        target=gates,
        creator=creators,
        deployer=deployers,
        late=st.integers(0, 4),
        can_ask=yes_mostly,
        ours=yes_mostly,
    )
    def a_hook_arrives(
        self, creator: str, deployer: UserId | None, late: int, can_ask: bool, ours: bool
    ) -> GateId:
        gate = GateId(UUID(int=len(self.record) + 1))
        hook = HookExecution(started=self.now - timedelta(minutes=late), creator=creator, ours=ours)
        waiting = Awaiting(
            id=gate,
            opened_at=self.now,
            deadline_at=deadline_after(self.now, allowed=self.policy.deadline),
            prompt_version=1,
            verified=False,
            deployer=None,
            approved_by=frozenset(),
        )
        self.record[gate] = Life(waiting, hook, deployer, verified_when_opened=can_ask)
        self.record[gate].trail.append("opened")
        if can_ask:
            self._ask_codedeploy(gate)
        return gate

    @precondition(lambda self: self.waiting)
    @rule(place=places, crowd=st.lists(presses, min_size=1, max_size=8))
    def people_press_at_once(
        self, place: int, crowd: list[tuple[UserId, AccountStatus, Choice, str, int]]
    ) -> None:
        gate = self.waiting[place % len(self.waiting)]
        for user, account_status, choice, reason, off in crowd:
            self._press(
                gate, Person(user=user, name=user, account_status=account_status), choice, reason, off
            )
        assert len(self.record[gate].decisions) <= 1

    @precondition(lambda self: self.answerable)
    @rule(place=places, user=st.sampled_from(USERS), choice=st.sampled_from(Choice))
    def an_ordinary_press(self, place: int, user: UserId, choice: Choice) -> None:
        gate = self.answerable[place % len(self.answerable)]
        member = Person(user=user, name=user, account_status=AccountStatus.MEMBER)
        self._press(gate, member, choice, "broken on green" if choice is Choice.REJECT else "", 0)

    @precondition(lambda self: self.waiting)
    @rule(place=places, user=st.sampled_from(USERS), account_status=standings)
    def somebody_withdraws(self, place: int, user: UserId, account_status: AccountStatus) -> None:
        gate = self.waiting[place % len(self.waiting)]
        life = self.record[gate]
        assert isinstance(life.gate, Awaiting)
        person = Person(user=user, name=user, account_status=account_status)
        try:
            withdrawal = life.gate.withdraw(person, reason="", roster=self.roster, now=self.now)
        except Denial:
            return
        assert (life.verified, account_status) == (True, AccountStatus.MEMBER)
        assert life.deployer == user
        assert self.now < life.gate.deadline_at
        self._decide(gate, life.gate, withdrawal)

    @precondition(lambda self: self.waiting)
    @rule(place=places, user=st.sampled_from(USERS))
    def somebody_presses_at_the_very_deadline(self, place: int, user: UserId) -> None:
        gate = self.waiting[place % len(self.waiting)]
        state = self.record[gate].gate
        if not isinstance(state, Awaiting) or state.deadline_at < self.now:
            return
        self._pass_time_until(state.deadline_at)
        member = Person(user=user, name=user, account_status=AccountStatus.MEMBER)
        refused = self._press(gate, member, Choice.APPROVE, "", 0)
        assert refused is TooLate or not state.verified

    @rule(minutes=st.integers(1, 12))
    def time_passes(self, minutes: int) -> None:
        self._pass_time_until(self.now + timedelta(minutes=minutes))

    @rule(approvals=st.integers(1, 3), own=st.booleans(), minutes=st.sampled_from([55, 10, 59, 300]))
    def the_policy_is_reloaded(self, approvals: int, own: bool, minutes: int) -> None:
        self.policy = replace(
            self.policy, approvals=approvals, own_deployment=own, deadline=timedelta(minutes=minutes)
        )

    @rule(members=st.frozensets(st.sampled_from(USERS)))
    def the_group_changes(self, members: frozenset[UserId]) -> None:
        self.roster = Roster(groups={GROUP: members})

    # What the loops do; each may come at any time, or never.

    @rule()
    def a_replica_expires_what_is_due(self) -> None:
        for gate, life in self.record.items():
            if isinstance(life.gate, Awaiting) and life.gate.deadline_at <= self.now:
                self._decide(gate, life.gate, life.gate.expire(now=self.now))

    @rule(gate=gates)
    def a_replica_looks(self, gate: GateId) -> None:
        self._ask_codedeploy(gate)

    @rule(gate=gates, fault=faults)
    def a_replica_reports(self, gate: GateId, fault: str) -> None:
        self._report(gate, fault)

    # What happens at CodeDeploy without us.

    @rule(gate=gates, answer=st.sampled_from(Answer))
    def somebody_else_answers(self, gate: GateId, answer: Answer) -> None:
        self.record[gate].hook.put(answer, from_us=False)

    @rule(gate=gates)
    def the_deployment_ends_by_itself(self, gate: GateId) -> None:
        self.record[gate].hook.end()

    @precondition(lambda self: len(self.record) > 3)
    @rule(gate=consumes(gates))
    def a_gate_is_never_heard_of_again(self, gate: GateId) -> None:
        """Its laws hold all the same."""

    # The steps of the flow.

    def _press(
        self, gate: GateId, person: Person, choice: Choice, reason: str, off: int
    ) -> type[Exception] | None:
        life = self.record[gate]
        if not isinstance(life.gate, Awaiting):
            return None  # the flow's AlreadyDecided
        vote = Vote(person=person, choice=choice, reason=reason, at=self.now)
        before = life.gate
        try:
            counted, decision = before.vote(
                vote,
                prompt_version=before.prompt_version + off,
                policy=self.policy,
                roster=self.roster,
                rule_inputs=RuleInputs(shift=None, checks={}, freezes=()),
            )
        except Denial as refusal:
            assert life.gate == before
            return type(refusal)
        self._check_vote(life, before, person, choice, off, decides=decision is not None)
        life.gate = counted
        life.trail.append("vote")
        if decision is not None:
            self._check_decision(counted, decision, person)
            self._decide(gate, counted, decision)
        return None

    def _decide(self, gate: GateId, waiting: Awaiting, decision: Decision) -> None:
        life = self.record[gate]
        life.gate = waiting.decide(decision)
        life.decisions.append(verdict_of(decision))
        life.trail.append(verdict_of(decision))

    def _ask_codedeploy(self, gate: GateId) -> None:
        life = self.record[gate]
        if isinstance(life.gate, Closed):
            return
        if not life.verified:
            if isinstance(life.gate, Awaiting):
                assert life.gate.approve_auto_rollback(creator=life.hook.creator, now=self.now) is None
            if not life.hook.ours or life.hook.over:
                self._close(life, life.gate.ended())
                return
            self._verify(life)
        if life.hook.over and not isinstance(life.gate, Decided):
            self._close(life, life.gate.ended())
        elif isinstance(life.gate, Awaiting):
            started = life.gate.with_hook_start(hook_started=life.hook.started, policy=self.policy)
            life.gate = started
            life.trail.append("started")
            approval = started.approve_auto_rollback(creator=life.hook.creator, now=self.now)
            if approval is not None:
                self._decide(gate, started, approval)

    def _verify(self, life: Life) -> None:
        life.trail.append("verified")
        if isinstance(life.gate, Decided):
            life.gate = replace(life.gate, verified=True)
        elif isinstance(life.gate, Awaiting):
            life.gate = life.gate.verify(
                named=frozenset({life.deployer} if life.deployer else ()), policy=self.policy
            )

    def _close(self, life: Life, closed: Closed) -> None:
        life.gate = closed
        life.trail.append("closed")

    def _report(self, gate: GateId, fault: str) -> None:
        life = self.record[gate]
        if not isinstance(life.gate, Decided):
            return
        if not life.gate.verified:
            _refuses(lambda: life.gate.reported(outcome=Outcome.ACKNOWLEDGED))  # type: ignore[union-attr]
            return
        answer = answer_to(life.gate.verdict)
        if fault == "lost on the way":
            return
        taken = life.hook.put(answer, from_us=True)
        if fault in {"answer lost", "killed before the commit"}:
            return
        same = taken or life.hook.held is answer
        life.gate = life.gate.reported(outcome=Outcome.ACKNOWLEDGED if same else Outcome.CONFLICT)
        life.trail.append("reported")

    def _pass_time_until(self, moment: datetime) -> None:
        self.now = max(self.now, moment)
        for life in self.record.values():
            life.hook.wait_until(self.now)

    # Law 5 and 8, asked again by other words than the policy's own.

    def _check_vote(
        self, life: Life, before: Awaiting, person: Person, choice: Choice, off: int, *, decides: bool
    ) -> None:
        members = self.roster.groups[GROUP]
        assert life.verified
        assert off == 0
        assert self.now < before.deadline_at
        assert person.account_status is AccountStatus.MEMBER
        assert person.user in members or person.user == USERS[3]
        if choice is Choice.APPROVE:
            # Once a reload asks for fewer approvals, one more by the same person decides.
            assert person.user not in before.approved_by or decides
            assert self.policy.own_deployment or life.deployer != person.user

    def _check_decision(self, counted: Awaiting, decision: Decision, person: Person) -> None:
        if isinstance(decision, Rejection):
            assert decision.by == person.user
            assert decision.reason.strip()
            return
        assert isinstance(decision, Approval)
        assert (decision.permit.gate, decision.permit.by) == (counted.id, person.user)
        assert decision.permit.basis is Basis.VOTES
        may = {*self.roster.groups[GROUP], USERS[3]}
        assert len(counted.approved_by & may) >= self.policy.approvals

    # The laws.

    @invariant()
    def law_1_codedeploy_hears_only_what_is_in_the_record(self) -> None:
        for life in self.record.values():
            if life.hook.from_us:
                assert [answer_to(verdict) for verdict in life.decisions] == [life.hook.held]

    @invariant()
    def law_2_one_gate_has_one_decision(self) -> None:
        for life in self.record.values():
            assert len(life.decisions) <= 1
            if life.decisions and not isinstance(life.gate, Awaiting):
                assert life.gate.verdict is life.decisions[0]

    @invariant()
    def law_3_what_codedeploy_holds_is_the_decision_or_the_difference_shows(self) -> None:
        for life in self.record.values():
            if isinstance(life.gate, Reported):
                equal = life.hook.held is answer_to(life.gate.verdict)
                assert equal == (life.gate.outcome is Outcome.ACKNOWLEDGED)

    @invariant()
    def law_4_every_gate_has_an_end_inside_codedeploys_hour(self) -> None:
        for life in self.record.values():
            if isinstance(life.gate, Awaiting):
                assert life.gate.deadline_at <= life.gate.opened_at + MAX_DEADLINE
                if "started" in life.trail:
                    assert life.gate.deadline_at <= life.hook.started + MAX_DEADLINE

    @invariant()
    def law_6_the_trail_tells_where_every_gate_is(self) -> None:
        for life in self.record.values():
            assert told_by(life.trail) is type(life.gate)

    @invariant()
    def law_8_what_is_not_confirmed_is_neither_judged_nor_reported(self) -> None:
        for life in self.record.values():
            if not life.verified:
                assert "vote" not in life.trail
                assert not life.hook.from_us
                assert Verdict.APPROVED not in life.decisions

    @invariant()
    def law_9_a_confirmed_rescue_never_waits(self) -> None:
        for life in self.record.values():
            if life.hook.creator in AUTO_ROLLBACK_CREATORS and life.verified_when_opened and life.hook.ours:
                assert life.decisions == [Verdict.APPROVED]

    def teardown(self) -> None:
        """Law 7: whatever went wrong before, once everything answers again nothing is left to do."""
        self._pass_time_until(self.now + timedelta(hours=1))
        self.a_replica_expires_what_is_due()
        for gate in self.record:
            self._ask_codedeploy(gate)
            self._report(gate, "none")
            self.record[gate].hook.end()
            self._ask_codedeploy(gate)
        assert all(isinstance(life.gate, Closed) for life in self.record.values())
        for check in (
            self.law_1_codedeploy_hears_only_what_is_in_the_record,
            self.law_2_one_gate_has_one_decision,
            self.law_6_the_trail_tells_where_every_gate_is,
        ):
            check()


def _refuses(move: Callable[[], object]) -> None:
    try:
        move()
    except IllegalTransition:
        return
    raise AssertionError("an unverified gate was reported")


TestLives = Lives.TestCase
TestLives.settings = settings(
    max_examples=80, stateful_step_count=40, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
