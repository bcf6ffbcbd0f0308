"""What the flow needs of the record: gates and switches under their locks, and work that is due."""

from collections.abc import Hashable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, AbstractContextManager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

from app.flow.audit_events import Event
from app.flow.ports.codedeploy import DeploymentFacts
from app.flow.read_models import CardPlace, GateView, Switch, Traffic
from app.flow.undo.intervention import Intervention, InterventionPhase
from app.gate.decision import Answer, Decision
from app.gate.ids import DeploymentId, DomainName, ExecutionId, GateId, SwitchKey, UserId
from app.gate.previous_revision import PreviousRevision
from app.gate.rules.exclusivity import RelatedSwitch
from app.gate.rules.traffic_guard import TrafficGuard
from app.gate.state_machine import Awaiting, Closed
from app.gate.undo import InterventionKind
from app.gate.votes import Vote


class DatabaseUnavailable(Exception):
    """The database cannot be reached or does not answer in time. Nothing was saved."""


class CommitOutcomeUnknown(DatabaseUnavailable):
    """COMMIT was sent, and its answer did not come: the connection was lost, or the time was up."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Verification:
    """What CodeDeploy confirmed of a switch, ready to be stored.

    `domain` is None only for an automatic rollback of a deployment group that the configuration does not name.
    """

    domain: DomainName | None
    listener_port: int | None
    facts: DeploymentFacts
    deployed_by: str | None
    named_deployers: tuple[UserId, ...] = ()
    """Whom the deployment names. Who deployed is not known before the task definition's tag was read."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Opening:
    """A gate about to be opened. `verification` is None when CodeDeploy could not be asked."""

    gate: GateId
    key: SwitchKey
    execution_id: ExecutionId
    hook_name: str
    verification: Verification | None
    opened_at: datetime
    deadline_at: datetime
    remind_at: datetime | None
    hook_started_at: datetime | None = None
    """When CodeDeploy began the hook; None: not seen yet."""
    shown_by_first: bool = False
    """Nobody is asked, so the card of the switch's first gate is enough: a further gate gets none."""


@dataclass(frozen=True, kw_only=True, slots=True)
class OpenedGate:
    """A gate that was opened. `undoes`: its deployment was made by an undo that is in the record."""

    undoes: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class Claim:
    """The right to one piece of outgoing work until the lease ends. `attempts` counts this one."""

    attempts: int


class SetAside(Protocol):
    """The rows of a worker that cannot be read or worked on now: they are passed over for a while."""

    def keys(self) -> list[Any]: ...

    def guard(self, key: Hashable) -> AbstractContextManager[None]:
        """What fails inside, other than by `DatabaseUnavailable`, sets the row aside and goes no further."""
        ...


class HeldGate(Protocol):
    """A gate under its row lock, which is let go when the context ends. One write at most, and the last thing done:
    `save` commits at once."""

    @property
    def view(self) -> GateView: ...

    @property
    def is_replay(self) -> bool:
        """The request that it is held for has taken effect before."""
        ...

    async def save(
        self,
        *,
        vote: Vote | None,
        decision: Decision | None,
        discounted: Sequence[UserId] = (),
        events: Sequence[Event],
        now: datetime,
    ) -> None:
        """Writes them and commits: what fails after it takes nothing back. `discounted`: whose votes do not count in
        the decision."""
        ...

    async def forget(self, voter: UserId, *, events: Sequence[Event], now: datetime) -> None:
        """Takes this person's vote away."""
        ...

    async def note(self, events: Sequence[Event]) -> None: ...

    async def refresh_evidence(self, *, now: datetime) -> None:
        """What was seen of this gate is too old: it is looked at again at once."""
        ...

    def use_guard(self, guard: TrafficGuard) -> None:
        """From now on `view` has what was read of live traffic instead of what the evidence shows."""
        ...

    async def reminded(
        self, *, at: datetime, following: datetime | None, events: Sequence[Event]
    ) -> None: ...

    async def load_related_switches(self, domains: Sequence[DomainName], *, exclusive: bool) -> None:
        """Adds these domains' switches to `view`; `alone`: nobody else who asks so goes on before this commits."""
        ...

    async def originating_undo(self) -> Intervention | None:
        """The undo that made this gate's deployment; None: it is no undo of ours."""
        ...


@dataclass(frozen=True, kw_only=True, slots=True)
class DueReport(Claim):
    """A decision that CodeDeploy has not been told."""

    view: GateView
    execution_id: ExecutionId
    answer: Answer


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
class DueIntervention(Claim):
    """What a person asked for and CodeDeploy has not been told. `blue`: the task definition that blue ran."""

    switch: Switch
    intervention: Intervention
    blue: str | None


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


@dataclass(frozen=True, kw_only=True, slots=True)
class DueCard(Claim):
    """A card that differs from what it should show. `posting_since`, `posting_channel`: a post without an answer.

    `id_changes`: channel ids that Slack has replaced, old to new. `closed_channels`: channels in which Slack refuses
    messages, with its reason.
    """

    view: GateView
    place: CardPlace | None
    fingerprint: str | None
    posting_since: datetime | None
    posting_channel: str | None = None
    id_changes: Mapping[str, str] = field(default_factory=dict)
    closed_channels: Mapping[str, str] = field(default_factory=dict)


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


class GateRecord(Protocol):
    """Where gates are opened, decided and found."""

    async def get(self, gate: GateId) -> GateView | None: ...

    async def find(self, key: SwitchKey, *, execution_digest: str) -> GateView | None: ...

    async def open(self, opening: Opening, events: Sequence[Event]) -> OpenedGate | None:
        """None: known already."""
        ...

    def hold(
        self, gate: GateId, *, skip_locked: bool = False, request: str | None = None
    ) -> AbstractAsyncContextManager[HeldGate | None]: ...

    async def related_switches(self, domains: Sequence[DomainName]) -> Sequence[RelatedSwitch]:
        """These domains' switches that live, and the last one of each."""
        ...

    async def past_deadline(
        self, *, now: datetime, limit: int, skip: Sequence[GateId]
    ) -> Sequence[GateId]: ...

    async def next_deadline(self, *, skip: Sequence[GateId]) -> datetime | None: ...

    async def note(self, events: Sequence[Event]) -> None: ...
