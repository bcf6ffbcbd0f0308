"""Withdraws a switch before anybody has decided it: its deployer does, or the pipeline of a newer build. CodeDeploy is
told `Failed`."""

from dataclasses import dataclass
from datetime import datetime

from app.flow.approval.approval_context import NoSuchGate
from app.flow.approval.request_denied import RequestDenied, denied_event
from app.flow.audit_events import Event, Kind, requester_actor
from app.flow.ports.database import GateRepository, HeldGate
from app.flow.ports.rules import Rules
from app.flow.read_models import GateView
from app.flow.switch_progress import is_withdrawn_for_build
from app.gate.decision import Withdrawal
from app.gate.ids import GateId
from app.gate.people import Build, Person
from app.gate.rules.denials import AlreadyHandled, AnotherDomain, Denial, IsARollback
from app.gate.rules.permits import is_auto_rollback
from app.gate.state_machine import AlreadyDecided, Awaiting


@dataclass(frozen=True, kw_only=True, slots=True)
class WithdrawalRequest:
    """The deployer, or a newer build, withdraws the switch of this gate; `reason` may be empty."""

    gate: GateId
    by: Person | Build
    reason: str
    request: str | None = None
    """A key that identifies the request, so that a replay changes nothing."""


async def withdraw_switch(
    request: WithdrawalRequest, *, repository: GateRepository, rules: Rules, now: datetime
) -> GateView:
    """Decides the gate in one transaction; returns it as it was. The same build again changes nothing. Raises
    `RequestDenied`, having audited it."""
    async with repository.hold(request.gate, request=request.request) as held:
        if held is None:
            raise RequestDenied(NoSuchGate(), None)
        try:
            if await _is_repeated(held, request.by):
                return held.view
            withdrawal = await _withdrawal(held, request, rules=rules, now=now)
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
            await _withdrawal(held, request, rules=rules, now=now)
        except Denial as exc:
            denied = await _deny(request, held, exc, now=now)
        else:
            return held.view
    raise denied


def may_withdraw(view: GateView, *, person: Person, rules: Rules, now: datetime) -> bool:
    """Whether this person could withdraw the switch now."""
    try:
        withdrawal_of(view, WithdrawalRequest(gate=view.id, by=person, reason=""), rules=rules, now=now)
    except Denial:
        return False
    return True


def withdrawal_of(view: GateView, request: WithdrawalRequest, *, rules: Rules, now: datetime) -> Withdrawal:
    """The decision. Raises a `Denial`. The domain's policy is not asked, so it need not be configured any more."""
    _check_domain(view, request.by)
    if not isinstance(view.gate, Awaiting):
        raise AlreadyDecided
    if is_auto_rollback(view.switch.creator):
        raise IsARollback
    if isinstance(request.by, Build):
        return view.gate.withdraw_for_build(request.by.name, reason=request.reason, now=now)
    return view.gate.withdraw(request.by, reason=request.reason, roster=rules.roster(), now=now)


def _check_domain(view: GateView, by: Person | Build) -> None:
    """Raises `AnotherDomain`. What CodeDeploy has not confirmed has no deployment group yet."""
    if not isinstance(by, Build) or not view.switch.verified:
        return
    if (view.switch.application, view.switch.deployment_group) != (by.application, by.deployment_group):
        raise AnotherDomain


async def _withdrawal(
    held: HeldGate, request: WithdrawalRequest, *, rules: Rules, now: datetime
) -> Withdrawal:
    """The decision, under the lock: the record says whether the gate is an undo's. Raises a `Denial`."""
    withdrawal = withdrawal_of(held.view, request, rules=rules, now=now)
    if await held.is_made_by_an_undo():
        raise IsARollback
    return withdrawal


async def _is_repeated(held: HeldGate, by: Person | Build) -> bool:
    """Whether this token has withdrawn the switch for this build: a pipeline repeats a request whose answer was lost.
    Raises `AnotherDomain`."""
    _check_domain(held.view, by)
    if not isinstance(by, Build) or not is_withdrawn_for_build(held.view):
        return False
    return await held.was_withdrawn_by(by)


async def _deny(
    request: WithdrawalRequest, held: HeldGate, denial: Denial, *, now: datetime
) -> RequestDenied:
    await held.add_audit_events(
        [denied_event(requester_actor(request.by), "withdraw", held.view, denial, now)]
    )
    return RequestDenied(denial, held.view)


async def _save(held: HeldGate, withdrawal: Withdrawal, request: WithdrawalRequest, *, now: datetime) -> None:
    view = held.view
    if isinstance(view.gate, Awaiting):
        view.gate.decide(withdrawal)
    withdrawn = Event(
        at=now,
        kind=Kind.GATE_WITHDRAWN,
        switch=view.switch.key,
        actor=requester_actor(request.by),
        domain=view.switch.domain,
        gate=view.id,
        detail={"reason": request.reason.strip()},
    )
    await held.save(vote=None, decision=withdrawal, events=[withdrawn], now=now)
