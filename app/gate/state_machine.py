"""The whole life of a gate. Each state offers only its legal moves; an illegal one cannot be written.

    Awaiting --decide--> Decided --reported--> Reported --ended--> Closed
    Awaiting --ended---> Closed (withdrawn)
    Decided  --ended---> Closed

All transitions of a gate are in this file; CHECK constraints and triggers in the database repeat them.
"""

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from app.gate.deadline import HOOK_TIMEOUT, deadline_after
from app.gate.decision import Approval, Decision, Expiry, Rejection, Verdict, Withdrawal, verdict_of
from app.gate.ids import GateId, UserId
from app.gate.people import Person
from app.gate.rules.denials import Denial
from app.gate.rules.evaluation import (
    Ballot,
    EvaluationContext,
    RuleInputs,
    effective_policy,
    rejections_missing,
)
from app.gate.rules.permits import (
    check_approval,
    check_rejection,
    check_withdrawal,
    permit_by_break_glass,
    permit_by_checks,
    permit_by_observing,
    permit_by_votes,
    permit_for_auto_rollback,
    permit_for_undo,
)
from app.gate.rules.policy import Policy, Roster
from app.gate.votes import NO_REASON, Choice, Vote


class Phase(StrEnum):
    AWAITING = "awaiting"
    DECIDED = "decided"
    REPORTED = "reported"
    CLOSED = "closed"


class Outcome(StrEnum):
    """What became of the report."""

    ACKNOWLEDGED = "acknowledged"
    CONFLICT = "conflict"
    UNDELIVERABLE = "undeliverable"


class NotVerified(Denial):
    """CodeDeploy has not yet confirmed what this gate is about, so nobody can judge it."""

    code = "not_verified"


class TooLate(Denial):
    """The deadline has passed, whether or not the expiry has been written yet."""

    code = "deadline_passed"


class CardIsOld(Denial):
    """The prompt has changed since the button was rendered."""

    code = "outdated_card"


class AlreadyDecided(Denial):
    """Another decision, or the deadline, came first. The first decision applies."""

    code = "already_decided"


class NoVote(Denial):
    """This person has no vote here that could be retracted."""

    code = "no_vote"


class IllegalTransition(Exception):
    """A transition that no caller may request: a defect of the program, never a person's mistake."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Awaiting:
    """Waits for votes. `prompt_version` identifies what people were shown: a button carries the version that it was
    rendered for."""

    id: GateId
    opened_at: datetime
    deadline_at: datetime
    prompt_version: int
    verified: bool
    deployer: UserId | None
    approved_by: frozenset[UserId]
    rejected_by: frozenset[UserId] = frozenset()
    named: frozenset[UserId] = frozenset()
    """Everybody whom some source names as the deployer."""

    @property
    def voters(self) -> frozenset[UserId]:
        """Everybody with a current vote."""
        return self.approved_by | self.rejected_by

    @property
    def _ballot(self) -> Ballot:
        return Ballot(
            deployer=self.deployer,
            named=self.named,
            approved_by=self.approved_by,
            rejected_by=self.rejected_by,
        )

    def evaluation_context(
        self, *, policy: Policy, roster: Roster, rule_inputs: RuleInputs, now: datetime
    ) -> EvaluationContext:
        """Everything that a vote at `now` is judged by."""
        return EvaluationContext(
            rules=effective_policy(policy, now=now, shift=rule_inputs.shift),
            roster=roster,
            ballot=self._ballot,
            rule_inputs=rule_inputs,
            now=now,
        )

    def vote(
        self, vote: Vote, *, prompt_version: int, policy: Policy, roster: Roster, rule_inputs: RuleInputs
    ) -> tuple["Awaiting", Decision | None]:
        """Counts a vote; returns the decision if the vote settles the gate. Raises a `Denial` and changes nothing."""
        self._check_open(prompt_version=prompt_version, now=vote.at)
        context = self.evaluation_context(policy=policy, roster=roster, rule_inputs=rule_inputs, now=vote.at)
        if vote.choice is Choice.REJECT:
            return self._reject(vote, context)
        check_approval(context, person=vote.person, reason=vote.reason, form=vote.form)
        after = context.approved_also_by(vote.person.user)
        permit = permit_by_votes(self.id, after, last=vote.person)
        return self._with_ballot(after.ballot), Approval(permit=permit, at=vote.at) if permit else None

    def retract_vote(self, user: UserId, *, now: datetime) -> "Awaiting":
        """Removes this person's vote. Raises a `Denial`."""
        self._check_open(prompt_version=self.prompt_version, now=now)
        if user not in self.voters:
            raise NoVote
        return replace(self, approved_by=self.approved_by - {user}, rejected_by=self.rejected_by - {user})

    def withdraw(self, person: Person, *, reason: str, roster: Roster, now: datetime) -> Withdrawal:
        """The withdrawal by the deployer, whatever version of the prompt they saw. Raises a `Denial`."""
        self._check_open(prompt_version=self.prompt_version, now=now)
        check_withdrawal(self._ballot, person=person, roster=roster)
        return Withdrawal(by=person.user, name=person.name, reason=reason.strip() or NO_REASON, at=now)

    def withdraw_for_build(self, build: str, *, reason: str, now: datetime) -> Withdrawal:
        """The withdrawal by the pipeline of a newer build. Raises a `Denial`."""
        self._check_open(prompt_version=self.prompt_version, now=now)
        return Withdrawal(by=None, name=build, reason=reason.strip() or NO_REASON, at=now)

    def approve_by_checks_passed(
        self, *, policy: Policy, roster: Roster, rule_inputs: RuleInputs, now: datetime
    ) -> Approval | None:
        """The approval of a domain that approves itself when its checks pass; None while it does not."""
        if not self.verified or now >= self.deadline_at:
            return None
        context = self.evaluation_context(policy=policy, roster=roster, rule_inputs=rule_inputs, now=now)
        permit = permit_by_checks(self.id, context)
        return Approval(permit=permit, at=now) if permit else None

    def approve_by_observing(
        self, *, policy: Policy, roster: Roster, rule_inputs: RuleInputs, now: datetime
    ) -> Approval | None:
        """The approval of a domain in observe mode; None while the deployment is not verified."""
        if not self.verified or now >= self.deadline_at:
            return None
        context = self.evaluation_context(policy=policy, roster=roster, rule_inputs=rule_inputs, now=now)
        permit = permit_by_observing(self.id, context)
        return Approval(permit=permit, at=now) if permit else None

    def approve_by_earlier_votes(
        self, *, last: Person, policy: Policy, roster: Roster, rule_inputs: RuleInputs, now: datetime
    ) -> Approval | None:
        """The approval by the current votes; None while they are not enough. `last` approved last."""
        if not self.verified or now >= self.deadline_at or last.user not in self.approved_by:
            return None
        context = self.evaluation_context(policy=policy, roster=roster, rule_inputs=rule_inputs, now=now)
        if self.rejected_by or not context.may_vote(last.user) or context.is_own(last.user):
            return None
        permit = permit_by_votes(self.id, context, last=last)
        return Approval(permit=permit, at=now) if permit else None

    def break_glass(
        self,
        vote: Vote,
        *,
        prompt_version: int,
        policy: Policy,
        roster: Roster,
        rule_inputs: RuleInputs,
        admins: tuple[str, ...],
        named: frozenset[str],
    ) -> Approval:
        """The approval of an admin who overrides rules. Raises a `Denial`."""
        self._check_open(prompt_version=prompt_version, now=vote.at)
        context = self.evaluation_context(policy=policy, roster=roster, rule_inputs=rule_inputs, now=vote.at)
        permit = permit_by_break_glass(
            self.id, context, person=vote.person, admins=admins, named=named, reason=vote.reason
        )
        return Approval(permit=permit, at=vote.at)

    def _reject(self, vote: Vote, context: EvaluationContext) -> tuple["Awaiting", Rejection | None]:
        person = vote.person
        check_rejection(context, person=person, reason=vote.reason)
        after = context.rejected_also_by(person.user)
        if rejections_missing(after):
            return self._with_ballot(after.ballot), None
        reason = vote.reason.strip() or NO_REASON
        return self, Rejection(by=person.user, name=person.name, reason=reason, at=vote.at)

    def _with_ballot(self, ballot: Ballot) -> "Awaiting":
        return replace(self, approved_by=ballot.approved_by, rejected_by=ballot.rejected_by)

    def _check_open(self, *, prompt_version: int, now: datetime) -> None:
        if not self.verified:
            raise NotVerified
        if now >= self.deadline_at:
            raise TooLate
        if prompt_version != self.prompt_version:
            raise CardIsOld

    def approve_auto_rollback(self, *, creator: str, now: datetime) -> Approval | None:
        """The approval of an automatic rollback; None when the deployment is not one."""
        permit = permit_for_auto_rollback(self.id, creator=creator) if self.verified else None
        return Approval(permit=permit, at=now) if permit else None

    def approve_undo(self, *, by: UserId, name: str, now: datetime) -> Approval | None:
        """The approval of an undo's own deployment, on behalf of the person who requested the undo."""
        permit = permit_for_undo(self.id, by=by, name=name) if self.verified else None
        return Approval(permit=permit, at=now) if permit else None

    def with_deadline_now(self, *, now: datetime) -> "Awaiting":
        """With the deadline at `now`, for a hook of an event that is not gated: it expires as `Failed`."""
        return replace(self, deadline_at=min(self.deadline_at, now))

    def expire(self, *, now: datetime) -> Expiry:
        """The expiry, at the deadline and not before."""
        if now < self.deadline_at:
            raise IllegalTransition("the deadline has not come")
        return Expiry(at=now)

    def decide(self, decision: Decision) -> "Decided":
        """Applies the decision. An approval needs the permit of this gate."""
        if isinstance(decision, Approval) and decision.permit.gate != self.id:
            raise IllegalTransition("this permit is another gate's")
        return Decided(id=self.id, verdict=verdict_of(decision), verified=self.verified)

    def ended(self) -> "Closed":
        """The deployment ended by itself, is not ours, or somebody answered CodeDeploy elsewhere: no report is
        needed."""
        return Closed(id=self.id, verdict=Verdict.WITHDRAWN, outcome=None)

    def verify(self, *, named: frozenset[UserId] = frozenset(), policy: Policy) -> "Awaiting":
        """CodeDeploy confirmed what this is: the gate waits anew, with the domain's own deadline."""
        verified = replace(self, verified=True, named=named, prompt_version=self.prompt_version + 1)
        return verified.with_hook_start(hook_started=self.opened_at, policy=policy)

    def with_hook_start(self, *, hook_started: datetime, policy: Policy) -> "Awaiting":
        """Sets when the hook really began; this can only bring the deadline forward.

        A hook that began over an hour before it arrived would be over, so such a time is ignored.
        """
        if hook_started < self.opened_at - HOOK_TIMEOUT:
            return self
        deadline_at = min(self.deadline_at, deadline_after(hook_started, allowed=policy.deadline))
        return replace(self, deadline_at=deadline_at)


@dataclass(frozen=True, kw_only=True, slots=True)
class Decided:
    """Decided and committed, not yet reported to CodeDeploy. An unverified gate is not reported."""

    id: GateId
    verdict: Verdict
    verified: bool

    def reported(self, *, outcome: Outcome) -> "Reported":
        """CodeDeploy acknowledged the report, has a conflicting status, or no longer accepts the report."""
        if not self.verified:
            raise IllegalTransition("a report is never sent for an unverified gate")
        return Reported(id=self.id, verdict=self.verdict, outcome=outcome)

    def ended(self) -> "Closed":
        """The deployment ended, or turned out not to be ours, before the report was sent."""
        return Closed(id=self.id, verdict=self.verdict, outcome=Outcome.UNDELIVERABLE)


@dataclass(frozen=True, kw_only=True, slots=True)
class Reported:
    id: GateId
    verdict: Verdict
    outcome: Outcome

    def ended(self) -> "Closed":
        """The deployment is over."""
        return Closed(id=self.id, verdict=self.verdict, outcome=self.outcome)


@dataclass(frozen=True, kw_only=True, slots=True)
class Closed:
    id: GateId
    verdict: Verdict
    outcome: Outcome | None


Gate = Awaiting | Decided | Reported | Closed
