"""Gates in the states that a card is drawn of. Parts that a test does not name are unknown."""

from collections.abc import Callable, Mapping
from dataclasses import MISSING, fields, replace
from datetime import UTC, datetime, timedelta
from typing import Any, Final, TypeVar
from uuid import UUID

from app.flow.ports.rules import OwnedDomain
from app.flow.read_models import CastVote, GateView, Switch, Traffic
from app.gate.decision import Verdict
from app.gate.ids import DeploymentId, DomainName, GateId, SwitchKey, UserId
from app.gate.rules.permits import Basis
from app.gate.rules.policy import Policy, Shift
from app.gate.state_machine import Awaiting, Closed, Decided, Gate, Outcome, Reported
from app.gate.votes import Choice

T = TypeVar("T")

NOON: Final = datetime(2026, 11, 23, 3, 5, tzinfo=UTC)
GATE: Final = GateId(UUID("6f1d2c34-5b6a-4c7d-8e9f-0a1b2c3d4e5f"))
OLU: Final = UserId("U02OLU")
GRACE: Final = UserId("U03GRACE")


def filled(kind: Callable[..., T], **known: Any) -> T:
    """A dataclass with what is known; what has no default is None, so that new fields need no change here."""
    names = [field.name for field in fields(kind) if field.default is MISSING]  # type: ignore[arg-type]
    return kind(**{**dict.fromkeys(names), **known})


ORDER: Final = filled(
    OwnedDomain,
    name=DomainName("order"),
    channel="C01DEPLOY",
    listener_port=8020,
    policy=Policy(
        approvers=("S0ONCALL", GRACE), approvals=1, own_deployment=False, deadline=timedelta(minutes=55)
    ),
)
BY_TWO: Final = replace(ORDER, policy=replace(ORDER.policy, approvals=2))

SWITCH: Final = filled(
    Switch,
    id=1,
    key=SwitchKey(account="123456789012", region="ap-northeast-2", deployment=DeploymentId("d-ABCDEF123")),
    domain=DomainName("order"),
    application="klp-logistics-order-app",
    deployment_group="klp-logistics-order-dg",
    creator="user",
    deployed_by="jun-lee",
    deployer=UserId("U04JUN"),
    description="v1.4.2: delivery fee\ngithub-actor=jun-lee",
    config_name="CodeDeployDefault.ECSCanary10Percent5Minutes",
    traffic=Traffic(shift=Shift.CANARY, percent=10, minutes=5),
    listener_port=8020,
    status="InProgress",
    first_seen_at=NOON,
    verified=True,
)
UNKNOWN: Final = filled(Switch, id=1, key=SWITCH.key, first_seen_at=NOON, verified=False)
WAITING: Final = Awaiting(
    id=GATE,
    opened_at=NOON,
    deadline_at=NOON + timedelta(minutes=55),
    prompt_version=1,
    verified=True,
    deployer=None,
    approved_by=frozenset(),
)


def vote(user: UserId, name: str, choice: Choice = Choice.APPROVE) -> CastVote:
    return CastVote(voter=user, name=name, choice=choice, reason="", at=NOON + timedelta(minutes=3))


def view(gate: Gate = WAITING, **more: Any) -> GateView:
    """A gate of `SWITCH`."""
    known: dict[str, Any] = {
        "gate": gate,
        "switch": SWITCH,
        "hook_name": "BeforeAllowTraffic",
        "prompt_version": 1,
        "version": 7,
        "opened_at": NOON,
        "deadline_at": NOON + timedelta(minutes=55),
        "votes": (),
    }
    return filled(GateView, **{**known, **more})


APPROVED: Final = {
    "votes": (vote(OLU, "olu"),),
    "basis": Basis.VOTES,
    "decided_at": NOON + timedelta(minutes=3),
    "decided_by": OLU,
    "decided_name": "olu",
}
REJECTED: Final = {
    "votes": (vote(OLU, "olu", Choice.REJECT),),
    "decided_at": NOON + timedelta(minutes=3),
    "decided_by": OLU,
    "decided_name": "olu",
    "reason": "checkout fails on green",
}
AT_DEADLINE: Final = {"decided_at": NOON + timedelta(minutes=55)}
ENDED: Final = replace(SWITCH, ended_at=NOON + timedelta(minutes=9), end_reason="Stopped", status="Stopped")


def acknowledged(outcome: Outcome, detail: str) -> dict[str, Any]:
    return {"outcome": outcome, "outcome_detail": detail, "reported_at": NOON + timedelta(minutes=4)}


def reported(verdict: Verdict, outcome: Outcome) -> Reported:
    return Reported(id=GATE, verdict=verdict, outcome=outcome)


STATES: Final[Mapping[str, tuple[GateView, OwnedDomain | None]]] = {
    "waiting": (view(), ORDER),
    "one-of-two": (
        view(replace(WAITING, approved_by=frozenset({OLU})), votes=(vote(OLU, "olu"),)),
        BY_TWO,
    ),
    "unverified": (view(replace(WAITING, verified=False), switch=UNKNOWN), None),
    "unconfigured": (view(), None),
    "approved-reporting": (
        view(Decided(id=GATE, verdict=Verdict.APPROVED, verified=True), **APPROVED),
        ORDER,
    ),
    "approved-acknowledged": (
        view(
            reported(Verdict.APPROVED, Outcome.ACKNOWLEDGED),
            **APPROVED,
            **acknowledged(Outcome.ACKNOWLEDGED, "Succeeded"),
        ),
        ORDER,
    ),
    "rejected": (
        view(
            reported(Verdict.REJECTED, Outcome.ACKNOWLEDGED),
            **REJECTED,
            **acknowledged(Outcome.ACKNOWLEDGED, "Failed"),
        ),
        ORDER,
    ),
    "expired": (
        view(
            reported(Verdict.EXPIRED, Outcome.ACKNOWLEDGED),
            **AT_DEADLINE,
            **acknowledged(Outcome.ACKNOWLEDGED, "Failed"),
        ),
        ORDER,
    ),
    "withdrawn-by-its-deployer": (
        view(
            reported(Verdict.WITHDRAWN, Outcome.ACKNOWLEDGED),
            decided_at=NOON + timedelta(minutes=9),
            decided_by=UserId("U04JUN"),
            decided_name="jun",
            reason="wrong build",
            **acknowledged(Outcome.ACKNOWLEDGED, "Failed"),
        ),
        ORDER,
    ),
    "withdrawn": (
        view(
            Closed(id=GATE, verdict=Verdict.WITHDRAWN, outcome=None),
            switch=ENDED,
            decided_at=NOON + timedelta(minutes=9),
            reason="Stopped",
        ),
        ORDER,
    ),
    "conflict": (
        view(
            reported(Verdict.APPROVED, Outcome.CONFLICT),
            **APPROVED,
            **acknowledged(Outcome.CONFLICT, "Failed"),
        ),
        ORDER,
    ),
    "undeliverable": (
        view(
            reported(Verdict.REJECTED, Outcome.UNDELIVERABLE),
            **REJECTED,
            **acknowledged(Outcome.UNDELIVERABLE, "AccessDeniedException"),
        ),
        ORDER,
    ),
    "auto-rollback": (
        view(
            reported(Verdict.APPROVED, Outcome.ACKNOWLEDGED),
            switch=replace(SWITCH, creator="codeDeployRollback", rollback_of="d-BAD000001"),
            basis=Basis.AUTO_ROLLBACK,
            decided_at=NOON,
            decided_name="codeDeployRollback",
            **acknowledged(Outcome.ACKNOWLEDGED, "Succeeded"),
        ),
        ORDER,
    ),
}
"""By name: the gate, and its domain where the configuration knows it."""
