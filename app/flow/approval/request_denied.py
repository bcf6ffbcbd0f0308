"""A request that was denied: what the handlers catch, and its audit event."""

from datetime import datetime

from app.flow.audit_events import Actor, Detail, Event, Kind
from app.flow.read_models import GateView
from app.gate.rules.denials import ApprovalBlocked, Denial
from app.gate.rules.violations import Violation, rule_key


class RequestDenied(Exception):
    """The request was denied; the gate is unchanged. `view` is the gate, for the reply.

    `unmet` are the rules that an approval by this person would violate.
    """

    def __init__(self, denial: Denial, view: GateView | None, *, unmet: tuple[Violation, ...] = ()) -> None:
        super().__init__(denial.code)
        self.denial = denial
        self.view = view
        self.unmet = unmet


def denied_event(actor: Actor, choice: str, view: GateView, denial: Denial, now: datetime) -> Event:
    """The audit event of a denied request."""
    return Event(
        at=now,
        kind=Kind.VOTE_DENIED,
        switch=view.switch.key,
        actor=actor,
        domain=view.switch.domain,
        gate=view.id,
        detail={"choice": choice, "code": denial.code, **_rules_of(denial)},
    )


def _rules_of(denial: Denial) -> dict[str, Detail]:
    """Which rules blocked the request."""
    blockers = denial.blockers if isinstance(denial, ApprovalBlocked) else ()
    return {"rules": "; ".join(map(rule_key, blockers))} if blockers else {}
