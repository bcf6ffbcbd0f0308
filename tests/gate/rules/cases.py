"""One press against the rules, and the reply: a small harness for tables of policies."""

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

from app.flow.approval.request_denied import RequestDenied
from app.flow.read_models import CastVote, GateView, Switch, Traffic
from app.gate.decision import Approval, Rejection
from app.gate.ids import DeploymentId, DomainName, GateId, SwitchKey, UserId
from app.gate.people import AccountStatus, Person
from app.gate.rules.checks import CheckState
from app.gate.rules.denials import Denial
from app.gate.rules.evaluation import (
    EvaluationContext,
    RuleInputs,
    blockers_of,
    missing_approvals,
    rejections_missing,
)
from app.gate.rules.exclusivity import QueuePosition
from app.gate.rules.freeze import Freeze
from app.gate.rules.permits import rules_to_override
from app.gate.rules.policy import Policy, Roster, Shift
from app.gate.rules.traffic_guard import TrafficGuard
from app.gate.state_machine import Awaiting
from app.gate.votes import Choice, Vote
from app.i18n.catalog import Texts
from app.slack.text.denials import denial_text
from app.slack.text.violations import rule_lines

NOW = datetime(2026, 11, 24, 3, 0, tzinfo=UTC)
"""A Tuesday, noon in Seoul."""

GATE = GateId(UUID(int=7))
ANA, BEN, CHO, DAN, EVE = (UserId(name) for name in ("UANA", "UBEN", "UCHO", "UDAN", "UEVE"))
ROSTER = Roster(
    groups={
        "SONCALL": frozenset({ANA, BEN, CHO}),
        "SDBA": frozenset({CHO, DAN}),
        "SADMIN": frozenset({EVE, ANA}),
    }
)
"""Ana, Ben and Cho are on call; Cho and Dan are database people; Eve and Ana are admins."""

POLICY = Policy(approvers=("SONCALL",), approvals=1, own_deployment=False, deadline=timedelta(minutes=55))


@dataclass(frozen=True, kw_only=True)
class Scene:
    """How things stand when somebody presses."""

    policy: Policy = POLICY
    deployer: UserId | None = None
    approved: tuple[UserId, ...] = ()
    rejected: tuple[UserId, ...] = ()
    checks: dict[str, CheckState] = field(default_factory=dict)
    freezes: tuple[Freeze, ...] = ()
    shift: Shift | None = Shift.ALL_AT_ONCE
    queue: QueuePosition | None = None
    guard: TrafficGuard | None = None
    now: datetime = NOW

    @property
    def gate(self) -> Awaiting:
        return Awaiting(
            id=GATE,
            opened_at=self.now,
            deadline_at=self.now + timedelta(minutes=55),
            prompt_version=1,
            verified=True,
            deployer=self.deployer,
            approved_by=frozenset(self.approved),
            rejected_by=frozenset(self.rejected),
        )

    @property
    def rule_inputs(self) -> RuleInputs:
        return RuleInputs(
            shift=self.shift, checks=self.checks, freezes=self.freezes, queue=self.queue, guard=self.guard
        )

    def press(self, who: UserId, choice: Choice = Choice.APPROVE, reason: str = "") -> "Answered":
        """One press and all that comes of it."""
        person = Person(user=who, name=who.lower(), account_status=AccountStatus.MEMBER)
        vote = Vote(person=person, choice=choice, reason=reason, at=self.now)
        try:
            counted, decision = self.gate.vote(
                vote, prompt_version=1, policy=self.policy, roster=ROSTER, rule_inputs=self.rule_inputs
            )
        except Denial as refusal:
            unmet = rules_to_override(self.case(self.gate), person)
            refused = RequestDenied(refusal, self.view, unmet=unmet)
            said = {
                name: denial_text(refused, texts=Texts.of(name), approvers=("SONCALL",)) for name in LANGUAGES
            }
            return Answered(came_of_it=type(refusal).__name__, said=said)
        if decision is not None:
            came = "approved" if isinstance(decision, Approval) else "rejected"
            assert isinstance(decision, Approval | Rejection)
            return Answered(came_of_it=came, said=dict.fromkeys(LANGUAGES, ""))
        after = self.case(counted)
        left = (*blockers_of(after), *missing_approvals(after))
        said = {name: rule_lines(left, texts=Texts.of(name)) for name in LANGUAGES}
        return Answered(came_of_it="counted", said=said, rejections_missing=rejections_missing(after))

    def case(self, gate: Awaiting) -> EvaluationContext:
        return gate.evaluation_context(
            policy=self.policy, roster=ROSTER, rule_inputs=self.rule_inputs, now=self.now
        )

    @property
    def view(self) -> GateView:
        """The gate as the handlers see it."""
        return replace(
            waiting_view(self.gate),
            votes=tuple(
                CastVote(voter=user, name=user.lower(), choice=Choice.APPROVE, reason="", at=self.now)
                for user in self.approved
            ),
        )


@dataclass(frozen=True, kw_only=True)
class Answered:
    """The result of a press, and the reply in each language."""

    came_of_it: str
    said: dict[str, str]
    rejections_missing: int = 0


LANGUAGES = ("en", "ko")


def waiting_view(gate: Awaiting) -> GateView:
    """A gate of order that waits."""
    switch = Switch(
        id=1,
        key=SwitchKey(account="123456789012", region="ap-northeast-2", deployment=DeploymentId("d-1")),
        domain=DomainName("order"),
        application="order-app",
        deployment_group="order-dg",
        creator="user",
        deployed_by=None,
        deployer=gate.deployer,
        description="",
        config_name="CodeDeployDefault.ECSAllAtOnce",
        traffic=Traffic(shift=Shift.ALL_AT_ONCE),
        listener_port=8020,
        hook_started_at=None,
        created_at=None,
        rollback_of=None,
        status="InProgress",
        first_seen_at=gate.opened_at,
        verified=True,
        ended_at=None,
        end_reason=None,
    )
    return GateView(
        gate=gate,
        switch=switch,
        hook_name="BeforeAllowTraffic",
        prompt_version=gate.prompt_version,
        version=1,
        opened_at=gate.opened_at,
        deadline_at=gate.deadline_at,
        votes=(),
        basis=None,
        decided_at=None,
        decided_by=None,
        decided_name=None,
        reason=None,
        outcome=None,
        outcome_detail=None,
        report_error=None,
        reported_at=None,
    )
