"""An automatic rollback came to its gate: it passes at once. A rescue is never blocked."""

from datetime import datetime

from app.flow.events import SWITCHGATE, Event, Kind
from app.flow.ports import HeldGate
from app.gate.policy import Basis
from app.gate.states import Awaiting


async def pass_rescue(held: HeldGate, *, creator: str, now: datetime) -> bool:
    """Approves the gate when its deployment takes a bad one back; False when it is not such a one."""
    view = held.view
    approval = view.gate.rescue(creator=creator, now=now) if isinstance(view.gate, Awaiting) else None
    if approval is None or not isinstance(view.gate, Awaiting):
        return False
    view.gate.decide(approval)
    decided = Event(
        at=now,
        kind=Kind.GATE_DECIDED,
        switch=view.switch.key,
        actor=SWITCHGATE,
        domain=view.switch.domain,
        gate=view.id,
        detail={"verdict": "approved", "basis": Basis.RESCUE, "creator": creator},
    )
    await held.save(vote=None, decision=approval, events=[decided], now=now)
    return True
