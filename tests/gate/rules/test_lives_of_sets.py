"""No sequence of presses, rejections, deadlines, polls and clock steps lets two domains of a set through at once
without break-glass, or leaves a gate waiting for another waiting gate.

What is known of a switch is built from its gates as the database does it; which switches are under way is tracked here
once more.
"""

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from app.gate.ids import DeploymentId, DomainName, GateId, UserId
from app.gate.people import AccountStatus, Person
from app.gate.rules.denials import ApprovalBlocked, Denial
from app.gate.rules.evaluation import RuleInputs, blockers_of
from app.gate.rules.exclusivity import ExclusiveUntil, Exclusivity, FailedEnd, QueuePosition, RelatedSwitch
from app.gate.rules.permits import rules_to_override
from app.gate.rules.policy import Policy, Roster
from app.gate.rules.violations import ExcludedBySwitch, PredecessorPending, rule_fingerprint
from app.gate.state_machine import Awaiting, TooLate
from app.gate.votes import Choice, Vote

START = datetime(2026, 11, 24, 3, 0, tzinfo=UTC)
DOMAINS = tuple(map(DomainName, ("auth", "hub", "order", "payment")))
ANA = Person(user=UserId("UANA"), name="ana", account_status=AccountStatus.MEMBER)
PLAIN = Policy(approvers=("UANA",), approvals=1, own_deployment=True, deadline=timedelta(minutes=55))

domains = st.sampled_from(DOMAINS)
sets = st.sets(st.sampled_from([(one, other) for one in DOMAINS for other in DOMAINS if one < other]))
orders = st.sets(st.sampled_from([(DOMAINS[a], DOMAINS[b]) for a in range(4) for b in range(a + 1, 4)]))
"""The second goes after the first: never a circle, as the configuration sees to."""


@dataclass(frozen=True, kw_only=True)
class Life:
    """A domain's latest switch. `on`: let through by the rules. `excused`: let through by break-glass, or
    unobserved for a while, after which it may be under way beside another."""

    seen: RelatedSwitch
    gate: Awaiting | None
    on: bool = False
    excused: bool = False


class Sets(RuleBasedStateMachine):
    """Four domains under rules of all kinds about each other."""

    def __init__(self) -> None:
        super().__init__()
        self.now = START
        self.count = 0
        self.lives: dict[DomainName, Life] = {}
        self.exclusivity = dict.fromkeys(DOMAINS, Exclusivity())

    @initialize(
        pairs=sets,
        order=orders,
        exclusive_until=st.fixed_dictionaries({name: st.sampled_from(ExclusiveUntil) for name in DOMAINS}),
    )
    def begins(
        self,
        pairs: set[tuple[DomainName, DomainName]],
        order: set[tuple[DomainName, DomainName]],
        exclusive_until: dict[DomainName, ExclusiveUntil],
    ) -> None:
        self.exclusivity = {
            name: Exclusivity(
                excludes=tuple(
                    other for other in DOMAINS if (name, other) in pairs or (other, name) in pairs
                ),
                exclusive_until=exclusive_until[name],
                after=tuple(first for first, then in sorted(order) if then == name),
            )
            for name in DOMAINS
        }

    @rule(domain=domains)
    def a_hook_comes(self, domain: DomainName) -> None:
        """A new deployment where the last one is over; else a later gate of the same one."""
        self.now += timedelta(seconds=1)
        life = self.lives.get(domain)
        if life is not None and life.gate is not None:
            return
        if life is None or life.seen.ended_at is not None:
            self.count += 1
            deployment = DeploymentId(f"d-{self.count}")
            life = Life(
                seen=RelatedSwitch(
                    domain=domain,
                    deployment=deployment,
                    exclusive_until=self.exclusivity[domain].exclusive_until,
                ),
                gate=None,
            )
        self.lives[domain] = replace(life, seen=replace(life.seen, waiting_since=self.now), gate=self._gate())

    @rule(domain=domains)
    def somebody_approves(self, domain: DomainName) -> None:
        life = self.lives.get(domain)
        if life is None or life.gate is None:
            return
        policy, rule_inputs = self._rules_of(domain, life)
        try:
            life.gate.vote(
                Vote(person=ANA, choice=Choice.APPROVE, reason="", at=self.now),
                prompt_version=1,
                policy=policy,
                roster=Roster(),
                rule_inputs=rule_inputs,
            )
        except ApprovalBlocked:
            refused = True
        except TooLate:
            assert self.now >= life.gate.deadline_at
            return
        else:
            refused = False
        busy = [other for other in self.exclusivity[domain].excludes if self._is_on(other)]
        before = [other for other in self.exclusivity[domain].after if self._may_come(other)]
        assert refused == bool(not self._moves(life) and busy + before)
        if not refused:
            self._approved(domain, life, on=True)

    @rule(domain=domains)
    def an_admin_breaks_the_glass(self, domain: DomainName) -> None:
        life = self.lives.get(domain)
        if life is None or life.gate is None:
            return
        policy, rule_inputs = self._rules_of(domain, life)
        case = life.gate.evaluation_context(
            policy=policy, roster=Roster(), rule_inputs=rule_inputs, now=self.now
        )
        broken = rules_to_override(case, ANA)
        try:
            life.gate.break_glass(
                Vote(person=ANA, choice=Choice.APPROVE, reason="why", at=self.now),
                prompt_version=1,
                policy=policy,
                roster=Roster(),
                rule_inputs=rule_inputs,
                admins=("UANA",),
                named=frozenset(map(rule_fingerprint, broken)),
            )
        except Denial:
            return
        self._approved(domain, life, on=False)

    @rule(domain=domains, failed_end=st.sampled_from([FailedEnd.REJECTED, FailedEnd.EXPIRED]))
    def it_is_refused(self, domain: DomainName, failed_end: FailedEnd) -> None:
        life = self.lives.get(domain)
        if life is None or life.gate is None:
            return
        seen = replace(life.seen, waiting_since=None, refused=failed_end, last_observed_at=self.now)
        self.lives[domain] = replace(life, seen=seen, gate=None)

    @rule(domain=domains)
    def some_traffic_moves(self, domain: DomainName) -> None:
        self._learn(domain, moved=True)

    @rule(domain=domains)
    def all_traffic_has_arrived(self, domain: DomainName) -> None:
        self._learn(domain, moved=True, switched_at=self.now)

    @rule(domain=domains)
    def the_deployment_ends(self, domain: DomainName) -> None:
        life = self.lives.get(domain)
        if life is None:
            return
        seen = replace(life.seen, ended_at=self.now, waiting_since=None)
        self.lives[domain] = replace(life, seen=seen, gate=None, on=False)

    @rule(minutes=st.integers(1, 40))
    def time_passes(self, minutes: int) -> None:
        self.now += timedelta(minutes=minutes)
        for name, life in self.lives.items():
            if life.on and not self._in_sight(life):
                self.lives[name] = replace(life, on=False, excused=True)

    @invariant()
    def no_two_of_a_set_are_on_at_once(self) -> None:
        on = [name for name, life in self.lives.items() if life.on and self._is_on(name)]
        assert [(one, other) for one in on for other in on if other in self.exclusivity[one].excludes] == []

    @invariant()
    def nobody_waits_for_somebody_who_waits_for_them(self) -> None:
        waits = {domain: self._waits_for(domain) for domain in self.lives}
        for start in waits:
            reached, todo = set(), list(waits[start])
            while todo:
                name = todo.pop()
                if name not in reached:
                    reached.add(name)
                    todo += waits.get(name, [])
            assert start not in reached

    def _waits_for(self, domain: DomainName) -> list[DomainName]:
        life = self.lives[domain]
        if life.gate is None:
            return []
        policy, rule_inputs = self._rules_of(domain, life)
        case = life.gate.evaluation_context(
            policy=policy, roster=Roster(), rule_inputs=rule_inputs, now=self.now
        )
        return [
            rule.domain
            for rule in blockers_of(case)
            if isinstance(rule, ExcludedBySwitch | PredecessorPending)
        ]

    def _is_on(self, domain: DomainName) -> bool:
        """As simply as possible: approved, and neither switched, nor over, nor unobserved for an hour."""
        life = self.lives.get(domain)
        if life is None or life.seen.approved_at is None or life.seen.ended_at is not None:
            return False
        if not life.seen.moved and (life.gate is not None or life.seen.refused is not None):
            return False
        through = life.seen.switched_at is not None and life.seen.exclusive_until is ExclusiveUntil.SWITCHED
        return not through and self._in_sight(life)

    def _may_come(self, domain: DomainName) -> bool:
        life = self.lives.get(domain)
        if life is None or life.seen.switched_at is not None or life.seen.ended_at is not None:
            return False
        return life.gate is not None or self._is_on(domain)

    def _in_sight(self, life: Life) -> bool:
        assert life.seen.last_observed_at is not None
        return self.now - life.seen.last_observed_at < timedelta(minutes=65)

    def _moves(self, life: Life) -> bool:
        return life.seen.moved or life.seen.switched_at is not None

    def _rules_of(self, domain: DomainName, life: Life) -> tuple[Policy, RuleInputs]:
        others = tuple(each.seen for name, each in self.lives.items() if name != domain)
        assert life.gate is not None
        queue = QueuePosition(opened_at=life.gate.opened_at, traffic_moving=self._moves(life), related=others)
        return (
            replace(PLAIN, exclusivity=self.exclusivity[domain]),
            RuleInputs(shift=None, checks={}, freezes=(), queue=queue),
        )

    def _approved(self, domain: DomainName, life: Life, *, on: bool) -> None:
        seen = replace(life.seen, approved_at=self.now, waiting_since=None, last_observed_at=self.now)
        excused = life.excused or not on
        self.lives[domain] = replace(life, seen=seen, gate=None, on=not excused, excused=excused)

    def _learn(self, domain: DomainName, **news: object) -> None:
        """Traffic moves only once people have let it, and while none of them is asked."""
        life = self.lives.get(domain)
        if (
            life is None
            or life.seen.approved_at is None
            or life.gate
            or life.seen.ended_at
            or life.seen.refused
        ):
            return
        seen = replace(life.seen, **news, last_observed_at=self.now)  # type: ignore[arg-type]  # each rule gives what it needs
        self.lives[domain] = replace(life, seen=seen)

    def _gate(self) -> Awaiting:
        return Awaiting(
            id=GateId(UUID(int=self.count)),
            opened_at=self.now,
            deadline_at=self.now + timedelta(minutes=55),
            prompt_version=1,
            verified=True,
            deployer=None,
            approved_by=frozenset(),
        )


TestSets = Sets.TestCase
TestSets.settings = settings(max_examples=200, stateful_step_count=40, deadline=None)
