"""Withdraws a switch: who deployed it ends its gate before anybody has decided. CodeDeploy is told `Failed`."""

from dataclasses import dataclass
from datetime import datetime

from app.flow.approval.approval_context import NoSuchGate
from app.flow.approval.request_denied import RequestDenied, denied_event
from app.flow.audit_events import Event, Kind, person_actor
from app.flow.ports.database import GateRepository, HeldGate
from app.flow.ports.rules import Rules
from app.flow.read_models import GateView
from app.gate.decision import Withdrawal
from app.gate.ids import GateId
from app.gate.people import Person
from app.gate.rules.denials import AlreadyHandled, Denial
from app.gate.state_machine import AlreadyDecided, Awaiting


@dataclass(frozen=True, kw_only=True, slots=True)
class WithdrawalRequest:
    """The deployer withdraws the switch of this gate; `reason` may be empty."""

    gate: GateId
    person: Person
    reason: str
    request: str | None = None
    """A key that identifies the request, so that a replay changes nothing."""


async def withdraw_switch(
    request: WithdrawalRequest, *, repository: GateRepository, rules: Rules, now: datetime
) -> GateView:
    """Decides the gate in one transaction; returns it as it was. Raises `RequestDenied`, having audited it."""
    async with repository.hold(request.gate, request=request.request) as held:
        if held is None:
            raise RequestDenied(NoSuchGate(), None)
        try:
            withdrawal = withdrawal_of(held.view, request, rules=rules, now=now)
            if held.is_replay:
                raise AlreadyHandled
        except Denial as exc:
            denied = await _deny(request, held, exc, now=now)
        else:
            await _save(held, withdrawal, request, now=now)
            return held.view
    raise denied


async def check_withdrawal(
    request: WithdrawalRequest, *, repository: GateRepository, rules: Rules, now: datetime
) -> GateView:
    """Whether the withdrawal would be accepted; changes no gate. Raises `RequestDenied`, having audited it."""
    async with repository.hold(request.gate) as held:
        if held is None:
            raise RequestDenied(NoSuchGate(), None)
        try:
            withdrawal_of(held.view, request, rules=rules, now=now)
        except Denial as exc:
            denied = await _deny(request, held, exc, now=now)
        else:
            return held.view
    raise denied


def may_withdraw(view: GateView, *, person: Person, rules: Rules, now: datetime) -> bool:
    """Whether this person could withdraw the switch now."""
    try:
        withdrawal_of(view, WithdrawalRequest(gate=view.id, person=person, reason=""), rules=rules, now=now)
    except Denial:
        return False
    return True


def withdrawal_of(view: GateView, request: WithdrawalRequest, *, rules: Rules, now: datetime) -> Withdrawal:
    """The decision. Raises a `Denial`. The domain's policy is not asked, so it need not be configured any more."""
    if not isinstance(view.gate, Awaiting):
        raise AlreadyDecided
    return view.gate.withdraw(request.person, reason=request.reason, roster=rules.roster(), now=now)


async def _deny(
    request: WithdrawalRequest, held: HeldGate, denial: Denial, *, now: datetime
) -> RequestDenied:
    await held.add_audit_events([denied_event(request.person, "withdraw", held.view, denial, now)])
    return RequestDenied(denial, held.view)


async def _save(held: HeldGate, withdrawal: Withdrawal, request: WithdrawalRequest, *, now: datetime) -> None:
    view = held.view
    if isinstance(view.gate, Awaiting):
        view.gate.decide(withdrawal)
    withdrawn = Event(
        at=now,
        kind=Kind.GATE_WITHDRAWN,
        switch=view.switch.key,
        actor=person_actor(request.person.user, request.person.name),
        domain=view.switch.domain,
        gate=view.id,
        detail={"reason": request.reason.strip()},
    )
    await held.save(vote=None, decision=withdrawal, events=[withdrawn], now=now)
