"""Approves automatic rollbacks, and undos that Switchgate started, at once: neither needs a vote."""

from datetime import datetime

from app.flow.audit_events import SWITCHGATE, Actor, Event, Kind, person_actor
from app.flow.ports.database import GateRepository, HeldGate
from app.gate.decision import Approval
from app.gate.ids import GateId
from app.gate.rules.permits import Basis
from app.gate.state_machine import Awaiting


async def auto_approve_rollback(gate: GateId, *, repository: GateRepository, now: datetime) -> bool:
    """Approves the gate where its deployment takes a bad one back; False where it does not."""
    async with repository.hold(gate) as held:
        if held is None or not isinstance(held.view.gate, Awaiting):
            return False
        approval = await _approval(held.view.gate, held, now=now)
        if approval is None:
            return False
        held.view.gate.decide(approval)
        await held.save(vote=None, decision=approval, events=[_decided(held, approval, now)], now=now)
        return True


async def _approval(gate: Awaiting, held: HeldGate, *, now: datetime) -> Approval | None:
    rollback = gate.approve_auto_rollback(creator=held.view.switch.creator or "", now=now)
    if rollback is not None:
        return rollback
    # Who asked is in the record; a deployment's description may be written by anybody.
    undo = await held.originating_undo()
    return gate.approve_undo(by=undo.by, name=undo.name, now=now) if undo is not None else None


def _decided(held: HeldGate, approval: Approval, now: datetime) -> Event:
    permit = approval.permit
    actor: Actor = person_actor(permit.by, permit.name) if permit.by else SWITCHGATE
    return Event(
        at=now,
        kind=Kind.GATE_DECIDED,
        switch=held.view.switch.key,
        actor=actor,
        domain=held.view.switch.domain,
        gate=held.view.id,
        detail={
            "verdict": "approved",
            "basis": permit.basis,
            "creator": (held.view.switch.creator or "") if permit.basis is Basis.AUTO_ROLLBACK else "",
        },
    )
