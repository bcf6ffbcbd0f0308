"""Somebody wants a switch taken back, or blue ended now: write it down if they may, or say why not."""

from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Protocol
from uuid import UUID, uuid4

from app.flow.approval.approval_context import NoSuchGate, Unconfigured
from app.flow.approval.request_denied import RequestDenied
from app.flow.audit_events import Event, Kind, person_actor
from app.flow.ports.rules import OwnedDomain, Rules
from app.flow.read_models import GateView
from app.flow.switch_progress import undo_context_of
from app.flow.undo.intervention import (
    Intervention,
    InterventionFailure,
    InterventionPhase,
    InterventionProblem,
    problem_in_event,
)
from app.gate.ids import GateId
from app.gate.people import Person
from app.gate.rules.denials import AlreadyHandled, Denial
from app.gate.undo import InterventionKind, available_undo, check_finish, check_intervener, check_undo

REQUESTED_KINDS: Final = {
    InterventionKind.STOP: Kind.UNDO_REQUESTED,
    InterventionKind.REDEPLOY: Kind.UNDO_REQUESTED,
    InterventionKind.FINISH: Kind.FINISH_REQUESTED,
}


@dataclass(frozen=True, kw_only=True, slots=True)
class InterventionRequest:
    """What a person asks for, at the card of a gate."""

    gate: GateId
    kind: InterventionKind
    person: Person
    reason: str
    request: str | None = None
    """A key of the request by which it takes effect once."""


class HeldIntervention(Protocol):
    """A gate's switch under its lock: nobody else asks for anything meanwhile."""

    @property
    def view(self) -> GateView: ...

    @property
    def is_replay(self) -> bool:
        """The request that it is held for has taken effect before."""
        ...

    async def ask(
        self, intervention: Intervention, *, instead_of: UUID | None, events: Sequence[Event], now: datetime
    ) -> None:
        """`instead_of`: an intervention that is given up for this one."""
        ...

    async def note(self, event: Event) -> None: ...


class InterventionRepository(Protocol):
    def hold_switch_of(
        self, gate: GateId, *, request: str | None = None
    ) -> AbstractAsyncContextManager[HeldIntervention | None]: ...


async def request_undo(
    request: InterventionRequest, *, repository: InterventionRepository, rules: Rules, now: datetime
) -> Intervention:
    """Writes the wish down in one transaction; a loop carries it out. Raises `RequestDenied`, having recorded it."""
    async with repository.hold_switch_of(request.gate, request=request.request) as held:
        if held is None:
            raise RequestDenied(NoSuchGate(), None)
        try:
            _judge(request, held.view, rules=rules)
            if held.is_replay:
                raise AlreadyHandled
        except Denial as exc:
            denied = await _deny(held, exc, by=request.person, now=now, intervention=request.kind)
        else:
            asked = _asked(request, now)
            given_up = _given_up(request, held.view)
            events = [
                _event(
                    request.person,
                    held.view,
                    REQUESTED_KINDS[request.kind],
                    now,
                    intervention=request.kind,
                    reason=asked.reason,
                )
            ]
            if given_up is not None:
                problem = InterventionProblem(code=InterventionFailure.REPLACED_BY_UNDO)
                failed = {"intervention": given_up.kind, **problem_in_event(problem)}
                events.insert(0, _event(request.person, held.view, Kind.FINISH_FAILED, now, **failed))
            await held.ask(asked, instead_of=given_up.id if given_up else None, events=events, now=now)
            return asked
    raise denied


async def may_undo(
    gate: GateId, by: Person, *, repository: InterventionRepository, rules: Rules, now: datetime
) -> GateView:
    """The gate, where this person may have its switch taken back at all. Raises `RequestDenied`, having recorded it."""
    async with repository.hold_switch_of(gate) as held:
        if held is None:
            raise RequestDenied(NoSuchGate(), None)
        view = held.view
        try:
            policy = domain_of(view, rules=rules).policy
            check_intervener(person=by, policy=policy, admins=rules.admins, roster=rules.roster())
        except Denial as exc:
            denied = await _deny(held, exc, by=by, now=now)
        else:
            return view
    raise denied


def offered_undo(view: GateView, by: Person, *, rules: Rules) -> InterventionKind | None:
    """How this person may have the gate's switch rolled back now; None if they may not, or it cannot be."""
    try:
        policy = domain_of(view, rules=rules).policy
        check_intervener(person=by, policy=policy, admins=rules.admins, roster=rules.roster())
        return available_undo(undo_context_of(view))
    except Denial:
        return None


async def _deny(
    held: HeldIntervention, denial: Denial, *, by: Person, now: datetime, **detail: str
) -> RequestDenied:
    """Records it; to be raised once the transaction is over."""
    await held.note(_event(by, held.view, Kind.UNDO_DENIED, now, code=denial.code, **detail))
    return RequestDenied(denial, held.view)


def domain_of(view: GateView, *, rules: Rules) -> OwnedDomain:
    """The gate's domain as it is configured now. Raises `Unconfigured`."""
    domain = rules.domain(view.switch.domain) if view.switch.domain else None
    if domain is None:
        raise Unconfigured
    return domain


def _judge(request: InterventionRequest, view: GateView, *, rules: Rules) -> None:
    policy = domain_of(view, rules=rules).policy
    at = undo_context_of(view)
    if request.kind is InterventionKind.FINISH:
        check_finish(at=at, person=request.person, policy=policy, admins=rules.admins, roster=rules.roster())
        return
    check_undo(
        at=at,
        asked=request.kind,
        reason=request.reason,
        person=request.person,
        policy=policy,
        admins=rules.admins,
        roster=rules.roster(),
    )


def _given_up(request: InterventionRequest, view: GateView) -> Intervention | None:
    """Blue's end, asked for and not yet taken by CodeDeploy: an undo takes its place, it never waits for it."""
    before = view.intervention
    waits = before is not None and before.kind is InterventionKind.FINISH and before.under_way
    return before if waits and request.kind is not InterventionKind.FINISH else None


def _asked(request: InterventionRequest, now: datetime) -> Intervention:
    return Intervention(
        id=uuid4(),
        kind=request.kind,
        phase=InterventionPhase.REQUESTED,
        by=request.person.user,
        name=request.person.name,
        reason=request.reason.strip(),
        requested_at=now,
        deployment=None,
        problem=None,
        finished_at=None,
    )


def _event(by: Person, view: GateView, kind: Kind, now: datetime, **detail: str) -> Event:
    return Event(
        at=now,
        kind=kind,
        switch=view.switch.key,
        actor=person_actor(by.user, by.name),
        domain=view.switch.domain,
        gate=view.id,
        detail=dict(detail),
    )
