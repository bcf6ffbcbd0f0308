"""A voter thinks again: their vote is forgotten while the gate still waits."""

from datetime import datetime

from app.flow.approval.approval_context import NoSuchGate, question_of
from app.flow.approval.cast_vote import Refused, refused_press
from app.flow.audit_events import Event, Kind, person
from app.flow.ports.database import GateRecord
from app.flow.ports.rules import Rules
from app.flow.read_models import GateView
from app.flow.replayed_requests import refuse_replay
from app.gate.ids import GateId
from app.gate.rules.permits import Person, Refusal


async def take_back(
    gate: GateId,
    *,
    who: Person,
    record: GateRecord,
    rules: Rules,
    now: datetime,
    request: str | None = None,
) -> GateView:
    """Forgets the vote in one transaction; gives the gate as it was. Raises `Refused`, having recorded it.

    `request`: a key by which it takes effect once.
    """
    async with record.hold(gate, request=request) as held:
        if held is None:
            raise Refused(NoSuchGate(), None)
        view = held.view
        voter = who.user
        try:
            gate_now = question_of(view, rules=rules).gate
            voter = rules.roster().known_as(who.user, gate_now.voters)
            gate_now.take_back(voter, now=now)
            refuse_replay(held.is_replay)
        except Refusal as refusal:
            await held.note([refused_press(who, "take_back", view, refusal, now)])
            refused = Refused(refusal, view)
        else:
            gone = next(vote for vote in view.votes if vote.voter == voter)
            taken = Event(
                at=now,
                kind=Kind.VOTE_TAKEN_BACK,
                switch=view.switch.key,
                actor=person(who.user, who.name),
                domain=view.switch.domain,
                gate=gate,
                detail={"choice": gone.choice, "voted_at": gone.at.isoformat()},
            )
            await held.forget(voter, events=[taken], now=now)
            return view
    raise refused
