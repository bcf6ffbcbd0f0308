"""What polling a switch needs of the database: the switch under its lock, and the polls that are due."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Protocol

from app.flow.audit_events import Event
from app.flow.notify.announcement_kinds import AnnouncementKind
from app.flow.ports.database import Claim, Verification
from app.flow.read_models import GateView, Switch, Traffic
from app.flow.undo.intervention import Intervention, InterventionPhase, InterventionProblem
from app.gate.ids import DeploymentId, GateId, SwitchKey
from app.gate.previous_revision import PreviousRevision
from app.gate.state_machine import Awaiting, Closed
from app.gate.undo import InterventionKind


@dataclass(frozen=True, kw_only=True, slots=True)
class DuePoll(Claim):
    """A live switch that is due to be polled.

    `hook_name` is None if it had no hook, like a rollback that CodeDeploy made. `moving_since`: when its gate was
    answered with `Succeeded`, here or elsewhere. `undoing`: an undo was requested. `auto_approval_pending`: a gate of
    it waits that is to be approved at once. `blue`: the task definition that blue runs.
    """

    switch: Switch
    due_at: datetime
    hook_name: str | None
    moving_since: datetime | None
    undoing: bool
    auto_approval_pending: bool
    blue: str | None = None
    answer_unread: bool = False
    """CodeDeploy took an answer, but its lifecycle event was not compared with it yet."""
    succeeded_elsewhere: bool = False
    """A gate of it waits, and the evidence shows its lifecycle event as `Succeeded`."""


@dataclass(frozen=True, kw_only=True, slots=True)
class SwitchUpdate:
    """What a poll found out about a switch; None: no change."""

    status: str
    hook_started_at: datetime | None = None
    traffic: Traffic | None = None
    green_percent: int | None = None
    traffic_moved_at: datetime | None = None
    """When it had come to this share."""
    traffic_read_at: datetime | None = None
    traffic_unknown: bool | None = None
    """Whether the share is unknown from now on."""
    share_returns: bool = False
    """The share was not known before this poll."""
    switched_at: datetime | None = None
    shift_ended_at: datetime | None = None
    blue_until: datetime | None = None
    rollback_id: str | None = None
    green_unknown: bool = False
    """It failed or was stopped, and how much traffic stayed on green is not known."""
    previous: PreviousRevision | None = None
    auto_rollback: bool | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class TrafficReading:
    """Whether a poll read the share of traffic, and how long that counts.

    `read_at` None: it did not. `stale_at`: from when on the share is unknown unless it is read again; None: it cannot
    change.
    """

    read_at: datetime | None = None
    stale_at: datetime | None = None


CANNOT_CHANGE: Final = TrafficReading()


@dataclass(frozen=True, kw_only=True, slots=True)
class SettledIntervention:
    """An intervention that ended together with the deployment it waited for."""

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
        """`redraw`: the cards show what changed."""
        ...

    async def follow_rollback(self, rollback: DeploymentId, *, now: datetime) -> None:
        """Polls the rollback of this switch as a switch of its own, from now on."""
        ...

    async def settle_waiting(
        self, phase: InterventionPhase, *, problem: InterventionProblem | None, now: datetime
    ) -> Sequence[SettledIntervention]:
        """Ends the interventions that wait for this deployment to end."""
        ...

    async def settle_rolled_back(self, *, now: datetime) -> Sequence[SettledIntervention]:
        """Ends the undos of this switch whose rollback has ended."""
        ...

    async def rolled_back(self) -> Sequence[Switch]:
        """The switches that CodeDeploy rolls back by this deployment, except those that somebody here had stopped."""
        ...

    async def settle_own(
        self,
        kind: InterventionKind,
        phase: InterventionPhase,
        *,
        problem: InterventionProblem | None,
        now: datetime,
    ) -> Sequence[SettledIntervention]:
        """Ends the interventions of this kind that were requested for this switch."""
        ...

    async def add_audit_events(self, events: Sequence[Event]) -> None: ...

    async def announce(self, kind: AnnouncementKind, *, gate: GateId, now: datetime) -> None:
        """Requests an announcement in the thread of the gate's card, once."""
        ...

    async def announce_at_switch(
        self, kind: AnnouncementKind, *, switch: SwitchKey, about: str = "", now: datetime
    ) -> None:
        """Requests an announcement in the thread of the switch's latest card, once for each `about`."""
        ...

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
        codedeploy_status: str | None = None,
    ) -> None:
        """`codedeploy_status`: the status that CodeDeploy has from another caller."""
        ...

    async def compare(
        self, gate: GateView, *, codedeploy_status: str, differs: bool, events: Sequence[Event], now: datetime
    ) -> None:
        """Stores the status of a reported gate's lifecycle event. `differs`: it contradicts the decision."""
        ...

    async def end(
        self, *, end_reason: str, due_at: datetime | None, events: Sequence[Event], now: datetime
    ) -> None:
        """`due_at`: the next poll, which looks for its rollback; None: no further poll."""
        ...
