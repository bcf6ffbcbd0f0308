"""Expires waiting gates whose deadline has passed; CodeDeploy is then told `Failed`."""

from datetime import datetime
from typing import Final

from app.flow.audit_events import SWITCHGATE, Event, Kind
from app.flow.notify.announcement import expired_while_away
from app.flow.notify.announcement_kinds import AnnouncementKind
from app.flow.ports.database import GateRepository, Quarantine
from app.gate.decision import Verdict
from app.gate.ids import GateId
from app.gate.state_machine import Awaiting

MAX_GATES_PER_RUN: Final = 50


async def expire_gates(*, repository: GateRepository, quarantine: Quarantine, now: datetime) -> int:
    """Expires what is due, each gate in a transaction of its own; gives how many.

    A gate that a press holds at this moment is passed over: the press is judged by the same deadline.
    """
    expired = 0
    for gate in await repository.past_deadline(now=now, limit=MAX_GATES_PER_RUN, skip=quarantine.keys()):
        with quarantine.guard(gate):
            expired += await _expire(gate, repository=repository, now=now)
    return expired


async def _expire(gate: GateId, *, repository: GateRepository, now: datetime) -> bool:
    async with repository.hold(gate, skip_locked=True) as held:
        if held is None or not isinstance(held.view.gate, Awaiting) or held.view.gate.deadline_at > now:
            return False
        expiry = held.view.gate.expire(now=now)
        held.view.gate.decide(expiry)
        decided = Event(
            at=now,
            kind=Kind.GATE_DECIDED,
            switch=held.view.switch.key,
            actor=SWITCHGATE,
            domain=held.view.switch.domain,
            gate=gate,
            detail={"verdict": Verdict.EXPIRED},
        )
        away = expired_while_away(held.view.gate, now=now)
        announcement = AnnouncementKind.EXPIRED_WHILE_AWAY if away else None
        await held.save(vote=None, decision=expiry, events=[decided], announcement=announcement, now=now)
        return True
