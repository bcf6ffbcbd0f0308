"""A gate in every state that a card shows, with everything known that the state may know."""

from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any, Final
from uuid import UUID

from app.flow.approval.rule_status import RuleStatus
from app.flow.ports.rules import OwnedDomain
from app.flow.read_models import GateView, Rollback
from app.flow.undo.intervention import (
    Intervention,
    InterventionFailure,
    InterventionPhase,
    InterventionProblem,
)
from app.gate.decision import Verdict
from app.gate.evidence.commits import Commits
from app.gate.evidence.model import Evidence, Targets
from app.gate.evidence.revision_diff import Change, ChangedPart, ChangeKind
from app.gate.rules.checks import PROBE, Check, CheckState
from app.gate.rules.permits import Basis
from app.gate.rules.violations import (
    ApprovalsRequired,
    CheckNotPassed,
    ExcludedBySwitch,
    Frozen,
    GreenReceivesTraffic,
    Violation,
)
from app.gate.state_machine import Closed, Decided, Outcome
from app.gate.undo import InterventionKind
from app.gate.votes import NO_REASON, Choice
from app.slack.cards.state import CardState
from tests.gate.seen import container, evidence, revision, side
from tests.slack.sample_gates import (
    APPROVED,
    AT_DEADLINE,
    ENDED,
    GATE,
    GRACE,
    NOON,
    OLU,
    ORDER,
    REJECTED,
    SWITCH,
    UNKNOWN,
    WAITING,
    acknowledged,
    reported,
    view,
    vote,
)

LATER: Final = NOON + timedelta(minutes=5)
SUCCEEDED: Final = acknowledged(Outcome.ACKNOWLEDGED, "Succeeded")
FAILED: Final = acknowledged(Outcome.ACKNOWLEDGED, "Failed")
CHECK: Final = "card charge smoke"


def versions(before: str = "1.41.0", after: str = "1.42.0") -> Evidence:
    """A healthy green that runs another image than blue."""
    blue, green = (
        revision(number, container(image=f"r.example/klp/order:{tag}"))
        for number, tag in ((41, before), (42, after))
    )
    return evidence(
        blue=replace(side(41), revision=blue, target_group="order-blue", weight=100),
        green=side(revision=green),
        changes=(
            Change(
                part=ChangedPart.IMAGE,
                kind=ChangeKind.CHANGED,
                name="klp/order",
                container="order",
                before=before,
                after=after,
            ),
        ),
        commits=Commits(repo="klp/order", old="4f2a1c9d3e", new="9d8e7f6a5b", run="991", actor="jun-lee"),
    )


def check(state: CheckState, summary: str = "3 of 3 test cards charged once") -> Check:
    return Check(name=CHECK, state=state, summary=summary, url="https://ci.example.com/7", by=PROBE, at=NOON)


def rules(*unmet: Violation, **known: Any) -> RuleStatus:
    return RuleStatus(policy=ORDER.policy, variants=(), unmet=unmet, **{"approvals_required": 1, **known})


def asked(kind: InterventionKind, phase: InterventionPhase, **known: Any) -> Intervention:
    values: dict[str, Any] = {
        "id": UUID(int=7),
        "kind": kind,
        "phase": phase,
        "by": OLU,
        "name": "olu",
        "reason": "Parcels to the islands get no route on green.",
        "requested_at": LATER,
        "deployment": "d-BACK00001",
        "problem": None,
        "finished_at": LATER + timedelta(seconds=2) if phase is InterventionPhase.DONE else None,
    }
    return Intervention(**{**values, **known})


@dataclass(frozen=True, kw_only=True, slots=True)
class Shown:
    """A gate, and what is known beside it."""

    state: CardState
    view: GateView
    rule_status: RuleStatus | None = None
    domain: OwnedDomain | None = ORDER


PASSED: Final = {"evidence": versions(), "checks": (check(CheckState.PASSED),)}
GREEN: Final = versions().health
ONE_OWED: Final = ApprovalsRequired(people=("S0ONCALL", GRACE), missing=1)
TENTH: Final = replace(
    SWITCH, green_percent=10, traffic_changed_at=LATER, traffic_read_at=LATER, previous_revision="order:41"
)
ON_GREEN: Final = replace(
    TENTH, green_percent=100, switched_at=LATER, blue_until=LATER + timedelta(minutes=5)
)
OVER: Final = replace(ON_GREEN, status="Succeeded", ended_at=LATER, end_reason="Succeeded")
STOPPED: Final = replace(
    TENTH, status="Stopped", ended_at=LATER, end_reason="Stopped: ALARM_ACTIVE: klp-logistics-order-5xx"
)
ASKED_TO_STOP: Final = replace(STOPPED, end_reason="Stopped: MANUAL_STOP")
BACK: Final = Rollback(deployment="d-BACK00001", status="Succeeded", switched_at=LATER, ended_at=LATER)
NOT_BACK: Final = replace(BACK, status="Failed", switched_at=None, green_percent=0, traffic_read_at=LATER)
COMING_BACK: Final = replace(BACK, status="InProgress", switched_at=None, ended_at=None)
FINISHES: Final = replace(ORDER, policy=replace(ORDER.policy, finish_now=True))


def waiting(**known: Any) -> GateView:
    return view(**{**PASSED, **known})


def approved(**known: Any) -> GateView:
    return view(
        reported(Verdict.APPROVED, Outcome.ACKNOWLEDGED), **{**PASSED, **APPROVED, **SUCCEEDED, **known}
    )


def rejected(**known: Any) -> GateView:
    return view(reported(Verdict.REJECTED, Outcome.ACKNOWLEDGED), **{**PASSED, **REJECTED, **FAILED, **known})


def blocked(*unmet: Violation, **known: Any) -> Shown:
    return Shown(state=CardState.BLOCKED, view=waiting(**known), rule_status=rules(*unmet, ONE_OWED))


OTHER: Final = ExcludedBySwitch(domain="payment", deployment="d-PAY000001", since=NOON, switched=False)  # type: ignore[arg-type]
CONFLICT: Final = acknowledged(Outcome.CONFLICT, "Failed")
REDEPLOYED: Final = asked(InterventionKind.REDEPLOY, InterventionPhase.DONE)
TAKEN_BACK: Final = asked(InterventionKind.STOP, InterventionPhase.DONE)

WAITING_STATES: Final[dict[str, Shown]] = {
    "waiting": Shown(state=CardState.WAITING, view=waiting(), rule_status=rules(ONE_OWED)),
    "waiting without evidence": Shown(state=CardState.WAITING, view=view(), rule_status=rules(ONE_OWED)),
    "voted in part": Shown(
        state=CardState.PARTLY_APPROVED,
        view=waiting(gate=replace(WAITING, approved_by=frozenset({OLU})), votes=(vote(OLU, "olu"),)),
        rule_status=rules(ONE_OWED, approvals_required=2),
    ),
    "unverified": Shown(
        state=CardState.UNVERIFIED, view=view(replace(WAITING, verified=False), switch=UNKNOWN), domain=None
    ),
    "unconfigured": Shown(state=CardState.UNCONFIGURED, view=waiting(), domain=None),
    "blocked by a failed check": blocked(
        CheckNotPassed(name=CHECK, state=CheckState.FAILED),
        checks=(check(CheckState.FAILED, "1 of 3 test cards was charged twice"),),
    ),
    "blocked by a freeze": blocked(
        Frozen(reason="card network incident", until=NOON + timedelta(hours=2), by=GRACE)
    ),
    "blocked by another switch": blocked(OTHER),
    "blocked by the traffic guard": blocked(GreenReceivesTraffic(port=8020, percent=10)),
    "out of reach": Shown(
        state=CardState.BLOCKED,
        view=waiting(),
        rule_status=rules(ONE_OWED, unreachable_approvals=(ONE_OWED,)),
    ),
    "a required check runs": Shown(
        state=CardState.CHECKS_PENDING,
        view=waiting(checks=(check(CheckState.PENDING, "Charges three test cards"),)),
        rule_status=rules(CheckNotPassed(name=CHECK, state=CheckState.PENDING), ONE_OWED),
    ),
    "a required check is missing": Shown(
        state=CardState.CHECKS_PENDING,
        view=waiting(checks=()),
        rule_status=rules(CheckNotPassed(name=CHECK, state=None), ONE_OWED),
    ),
}

DECIDED_STATES: Final[dict[str, Shown]] = {
    name: Shown(state=state, view=gate)
    for name, state, gate in (
        (
            "approved and not yet sent",
            CardState.APPROVED,
            view(Decided(id=GATE, verdict=Verdict.APPROVED, verified=True), **PASSED, **APPROVED),
        ),
        (
            "trouble in sending",
            CardState.APPROVED,
            view(
                Decided(id=GATE, verdict=Verdict.APPROVED, verified=True),
                **PASSED,
                **APPROVED,
                report_error="ThrottlingException",
            ),
        ),
        ("sent, traffic has not moved", CardState.APPROVED, approved()),
        ("approved by its checks", CardState.APPROVED, approved(basis=Basis.CHECKS, votes=())),
        (
            "passed in observe mode",
            CardState.APPROVED,
            approved(
                basis=Basis.OBSERVE,
                votes=(),
                decided_by=None,
                decided_name="observe",
                overridden_rules=(CheckNotPassed(name=CHECK, state=CheckState.FAILED),),
            ),
        ),
        (
            "break glass",
            CardState.APPROVED,
            approved(
                basis=Basis.BREAK_GLASS,
                decided_by=GRACE,
                reason="customers cannot pay",
                overridden_rules=(CheckNotPassed(name=CHECK, state=CheckState.FAILED),),
            ),
        ),
        ("canary", CardState.SHIFTING, approved(switch=TENTH, live_health=GREEN)),
        ("traffic unknown", CardState.SHIFTING, approved(switch=replace(TENTH, traffic_unknown=True))),
        (
            "canary, green is unhealthy",
            CardState.SHIFTING,
            approved(
                switch=TENTH, live_health=replace(GREEN, targets=(Targets(state="unhealthy", count=2),))
            ),
        ),
        ("live", CardState.SWITCHED, approved(switch=ON_GREEN, live_health=GREEN)),
        ("finished", CardState.FINISHED, approved(switch=OVER, live_health=GREEN)),
        ("superseded", CardState.SUPERSEDED, approved(switch=OVER, superseded=True)),
        ("failed, on green", CardState.FAILED, approved(switch=STOPPED)),
        ("failed, on blue", CardState.FAILED, approved(switch=replace(STOPPED, green_percent=0))),
        ("failed, traffic unknown", CardState.FAILED, approved(switch=replace(STOPPED, green_percent=None))),
        (
            "failed, rolling back",
            CardState.FAILED_ROLLING_BACK,
            approved(switch=STOPPED, rollback=COMING_BACK),
        ),
        ("rolled back by itself", CardState.ROLLED_BACK, approved(switch=STOPPED, rollback=BACK)),
        ("rollback failed", CardState.ROLLBACK_FAILED, approved(switch=STOPPED, rollback=NOT_BACK)),
        (
            "undo requested",
            CardState.ROLLING_BACK,
            approved(switch=TENTH, intervention=asked(InterventionKind.STOP, InterventionPhase.REQUESTED)),
        ),
        (
            "undo sent",
            CardState.ROLLING_BACK,
            approved(switch=ASKED_TO_STOP, intervention=asked(InterventionKind.STOP, InterventionPhase.SENT)),
        ),
        (
            "undone",
            CardState.ROLLED_BACK,
            approved(switch=ASKED_TO_STOP, rollback=BACK, intervention=TAKEN_BACK),
        ),
        ("undone by a redeployment", CardState.ROLLED_BACK, approved(switch=OVER, intervention=REDEPLOYED)),
        (
            "undo failed",
            CardState.ROLLBACK_FAILED,
            approved(
                switch=ON_GREEN,
                intervention=asked(
                    InterventionKind.STOP,
                    InterventionPhase.FAILED,
                    problem=InterventionProblem(code=InterventionFailure.TOO_LATE),
                ),
            ),
        ),
        ("rejected", CardState.REJECTED, rejected()),
        (
            "rejected by several",
            CardState.REJECTED,
            rejected(
                votes=tuple(
                    replace(vote(who, who, Choice.REJECT), reason="checkout fails") for who in (OLU, GRACE)
                )
            ),
        ),
        (
            "expired",
            CardState.EXPIRED,
            view(reported(Verdict.EXPIRED, Outcome.ACKNOWLEDGED), **PASSED, **AT_DEADLINE, **FAILED),
        ),
        (
            "withdrawn",
            CardState.WITHDRAWN,
            view(
                Closed(id=GATE, verdict=Verdict.WITHDRAWN, outcome=None),
                switch=ENDED,
                decided_at=LATER,
                reason="Stopped",
                **PASSED,
            ),
        ),
        (
            "withdrawn by its deployer",
            CardState.WITHDRAWN_BY,
            view(
                reported(Verdict.WITHDRAWN, Outcome.ACKNOWLEDGED),
                decided_by="U04JUN",
                decided_name="jun",
                decided_at=LATER,
                reason="wrong build",
                **PASSED,
                **FAILED,
            ),
        ),
        (
            "withdrawn for a newer build",
            CardState.WITHDRAWN_FOR_BUILD,
            view(
                reported(Verdict.WITHDRAWN, Outcome.ACKNOWLEDGED),
                decided_name="klp/order@4f2a1c9d8e7b (run 8812401)",
                decided_at=LATER,
                reason=NO_REASON,
                **PASSED,
                **FAILED,
            ),
        ),
        (
            "unconfirmed",
            CardState.UNCONFIRMED,
            view(Closed(id=GATE, verdict=Verdict.WITHDRAWN, outcome=None), switch=UNKNOWN, decided_at=LATER),
        ),
        (
            "answered elsewhere",
            CardState.ELSEWHERE,
            view(
                Closed(id=GATE, verdict=Verdict.WITHDRAWN, outcome=None),
                switch=TENTH,
                decided_at=LATER,
                outcome_detail="Succeeded",
                **PASSED,
            ),
        ),
        (
            "contradicted",
            CardState.CONTRADICTED,
            view(reported(Verdict.APPROVED, Outcome.CONFLICT), **PASSED, **APPROVED, **CONFLICT),
        ),
        (
            "rejected, and traffic moves",
            CardState.CONTRADICTED,
            view(
                reported(Verdict.REJECTED, Outcome.CONFLICT),
                switch=TENTH,
                **PASSED,
                **REJECTED,
                **acknowledged(Outcome.CONFLICT, "Succeeded"),
            ),
        ),
        (
            "undeliverable",
            CardState.UNDELIVERABLE,
            view(
                reported(Verdict.REJECTED, Outcome.UNDELIVERABLE),
                **PASSED,
                **REJECTED,
                **acknowledged(Outcome.UNDELIVERABLE, "AccessDeniedException"),
            ),
        ),
        *(
            (f"{name}, {progress}", state, approved(**{"evidence": None, "checks": (), **known}))
            for name, basis, cases in (
                (
                    "auto rollback",
                    Basis.AUTO_ROLLBACK,
                    (
                        ("moving", CardState.AUTO_ROLLBACK, TENTH),
                        ("done", CardState.AUTO_ROLLED_BACK, ON_GREEN),
                        ("failed", CardState.AUTO_ROLLBACK_FAILED, STOPPED),
                    ),
                ),
                (
                    "undo's own gate",
                    Basis.UNDO,
                    (
                        ("moving", CardState.UNDOING, TENTH),
                        ("done", CardState.UNDONE, ON_GREEN),
                        ("failed", CardState.UNDO_FAILED, STOPPED),
                    ),
                ),
            )
            for progress, state, switch in cases
            for known in (
                {
                    "basis": basis,
                    "votes": (),
                    "switch": replace(switch, rollback_of="d-BAD000001"),
                },
            )
        ),
        (
            "undo's own gate, taken back",
            CardState.UNDO_REVERTED,
            approved(basis=Basis.UNDO, votes=(), switch=OVER, rollback=BACK, evidence=None),
        ),
        (
            "undo's own gate, being taken back",
            CardState.UNDO_REVERTING,
            approved(
                basis=Basis.UNDO,
                votes=(),
                switch=TENTH,
                intervention=asked(InterventionKind.STOP, InterventionPhase.SENT),
                evidence=None,
            ),
        ),
    )
} | {
    "live, blue may be terminated": Shown(
        state=CardState.SWITCHED, view=approved(switch=ON_GREEN, live_health=GREEN), domain=FINISHES
    )
}

EVERY: Final[dict[str, Shown]] = WAITING_STATES | DECIDED_STATES
