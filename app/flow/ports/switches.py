"""What following a switch needs of the database: the switch under its lock, and the polls that are due."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from app.flow.audit_events import Event
from app.flow.ports.database import Claim, Verification
from app.flow.read_models import GateView, Switch, Traffic
from app.flow.undo.intervention import Intervention, InterventionPhase
from app.gate.ids import DeploymentId
from app.gate.previous_revision import PreviousRevision
from app.gate.state_machine import Awaiting, Closed
from app.gate.undo import InterventionKind


@dataclass(frozen=True, kw_only=True, slots=True)
class DuePoll(Claim):
    """A live switch that has not been looked at for a while.

    `hook_name` is None where no hook of it ever came: a rollback that CodeDeploy made. `moving_since`: when its
    traffic was let through, here or by whoever answered `Succeeded` elsewhere. `undoing`: somebody has asked for it to
    be taken back. `auto_approval_pending`: a gate of it waits that is to pass at once, and has not. `blue`: the task
    definition that blue was seen to run.
    """

    switch: Switch
    due_at: datetime
    hook_name: str | None
    moving_since: datetime | None
    undoing: bool
    auto_approval_pending: bool
    blue: str | None = None
    answer_unread: bool = False
    """CodeDeploy took an answer; whether its lifecycle event says the same has not been seen."""
    succeeded_elsewhere: bool = False
    """A gate of it waits, and the evidence shows its lifecycle event as `Succeeded`."""


@dataclass(frozen=True, kw_only=True, slots=True)
class SwitchUpdate:
    """What a look found out about a switch; None: nothing new of that."""

    status: str
    hook_started_at: datetime | None = None
    traffic: Traffic | None = None
    green_percent: int | None = None
    switched_at: datetime | None = None
    blue_until: datetime | None = None
    rollback_id: str | None = None
    green_unknown: bool = False
    """It ended badly, and how much traffic stayed on green cannot be told: what was seen before is out of date."""
    previous: PreviousRevision | None = None
    auto_rollback: bool | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class SettledIntervention:
    """An intervention that has come to its end with the deployment it waited for."""

    intervention: Intervention
    switch: Switch


class HeldSwitch(Protocol):
    """A switch and its open gates under their locks."""

    @property
    def switch(self) -> Switch: ...

    @property
    def open_gates(self) -> Sequence[GateView]: ...

    async def verify(self, verification: Verification, *, now: datetime) -> None: ...

    async def store(
        self, update: SwitchUpdate, *, events: Sequence[Event], redraw: bool, now: datetime
    ) -> None:
        """Stores what was found out; `redraw`: the cards show it."""
        ...

    async def follow_rollback(self, rollback: DeploymentId, *, now: datetime) -> None:
        """From now on the deployment that takes this switch back is followed too."""
        ...

    async def settle_waiting(
        self, phase: InterventionPhase, *, problem: str | None, now: datetime
    ) -> Sequence[SettledIntervention]:
        """Ends the interventions that wait for this very deployment."""
        ...

    async def settle_rolled_back(self, *, now: datetime) -> Sequence[SettledIntervention]:
        """Ends the undos of this switch whose rollback has long done its work."""
        ...

    async def settle_own(
        self, kind: InterventionKind, phase: InterventionPhase, *, problem: str | None, now: datetime
    ) -> Sequence[SettledIntervention]:
        """Ends what was asked of this switch."""
        ...

    async def note(self, events: Sequence[Event]) -> None: ...

    async def ask(
        self, gate: Awaiting, *, remind_at: datetime | None, events: Sequence[Event], now: datetime
    ) -> None: ...

    async def close(
        self,
        gate: Closed,
        *,
        reason: str | None,
        events: Sequence[Event],
        now: datetime,
        held_status: str | None = None,
    ) -> None:
        """`held_status`: what CodeDeploy holds although nobody answered here."""
        ...

    async def compare(
        self, gate: GateView, *, held_status: str, differs: bool, events: Sequence[Event], now: datetime
    ) -> None:
        """Stores what the lifecycle event of a reported gate says; `differs`: it contradicts the decision."""
        ...

    async def end(
        self, *, end_reason: str, due_at: datetime | None, events: Sequence[Event], now: datetime
    ) -> None:
        """`due_at`: when to look for its rollback; None: it is not looked at again."""
        ...
