"""Retracts a vote while the gate still waits."""

from datetime import datetime

from app.flow.approval.approval_context import NoSuchGate, approval_context_of
from app.flow.approval.request_denied import RequestDenied, denied_event
from app.flow.audit_events import Event, Kind, person_actor, requester_actor
from app.flow.ports.database import GateRepository
from app.flow.ports.rules import Rules
from app.flow.read_models import GateView
from app.gate.ids import GateId, UserId
from app.gate.people import Person
from app.gate.rules.denials import AlreadyHandled, Denial


async def retract_vote(
    gate: GateId,
    *,
    who: Person,
    repository: GateRepository,
    rules: Rules,
    now: datetime,
    request: str | None = None,
) -> GateView:
    """Deletes the vote in one transaction and returns the gate as it was. Raises `RequestDenied`, having audited it.

    `request`: a key that identifies the request, so that a replay changes nothing.
    """
    async with repository.hold(gate, request=request) as held:
        if held is None:
            raise RequestDenied(NoSuchGate(), None)
        view = held.view
        voter = who.user
        try:
            gate_now = approval_context_of(view, rules=rules).gate
            voter = rules.roster().id_among(who.user, gate_now.voters)
            gate_now.retract_vote(voter, now=now)
            if held.is_replay:
                raise AlreadyHandled
        except Denial as exc:
            await held.add_audit_events([denied_event(requester_actor(who), "take_back", view, exc, now)])
            denied = RequestDenied(exc, view)
        else:
            retracted = _event(view, voter, who, now)
            await held.forget(voter, events=[retracted], now=now)
            return view
    raise denied


def _event(view: GateView, voter: UserId, who: Person, now: datetime) -> Event:
    vote = next(vote for vote in view.votes if vote.voter == voter)
    return Event(
        at=now,
        kind=Kind.VOTE_RETRACTED,
        switch=view.switch.key,
        actor=person_actor(who.user, who.name),
        domain=view.switch.domain,
        gate=view.id,
        detail={"choice": vote.choice, "voted_at": vote.at.isoformat()},
    )
