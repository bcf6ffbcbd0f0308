"""What the flow needs of the database: its errors, and gates under their locks."""

from collections.abc import Hashable, Sequence
from contextlib import AbstractAsyncContextManager, AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol
from uuid import UUID

from app.flow.audit_events import Event
from app.flow.notify.announcement_kinds import AnnouncementKind
from app.flow.ports.codedeploy import DeploymentFacts
from app.flow.read_models import GateView
from app.flow.undo.intervention import Intervention
from app.gate.decision import Decision
from app.gate.ids import DomainName, ExecutionId, GateId, SwitchKey, UserId
from app.gate.people import Build
from app.gate.rules.exclusivity import RelatedSwitch
from app.gate.rules.traffic_guard import TrafficGuard
from app.gate.votes import Vote


class DatabaseUnavailable(Exception):
    """The database cannot be reached or does not answer in time. Nothing was saved."""


class CommitOutcomeUnknown(DatabaseUnavailable):
    """COMMIT was sent, and its answer did not come: the connection was lost, or the time was up."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Verification:
    """What CodeDeploy confirmed about a switch.

    `domain` is None only for an automatic rollback of a deployment group that the configuration does not name.
    """

    domain: DomainName | None
    listener_port: int | None
    facts: DeploymentFacts
    deployed_by: str | None
    named_deployers: tuple[UserId, ...] = ()
    """The people that the deployment names. Who deployed is known once the task definition's tag is read."""

    observed: bool = False
    """The domain is in observe mode."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Opening:
    """A gate to be opened. `verification` is None if CodeDeploy was unavailable."""

    gate: GateId
    key: SwitchKey
    execution_id: ExecutionId
    hook_name: str
    verification: Verification | None
    opened_at: datetime
    deadline_at: datetime
    remind_at: datetime | None
    hook_started_at: datetime | None = None
    """When CodeDeploy began the hook; None: not known yet."""
    passes: bool = False
    """It is a rollback or calls itself an undo. The card of the switch's first gate shows a second one."""
    undo: UUID | None = None
    """The intervention that its description names as the one that made it. Only the record says whether that is so."""


@dataclass(frozen=True, kw_only=True, slots=True)
class OpenedGate:
    """A gate that was opened. `undoes`: an undo of ours made its deployment."""

    undoes: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class Claim:
    """The right to one row of outgoing work until the lease ends. `attempts` includes this one."""

    attempts: int


class Quarantine(Protocol):
    """Rows that a worker skips for a while, because they cannot be read or processed now."""

    def keys(self) -> list[Any]:
        """The keys to skip now."""
        ...

    def guard(self, key: Hashable) -> AbstractContextManager[None]:
        """Quarantines the row if the block fails, and suppresses the error; `DatabaseUnavailable` passes."""
        ...


class HeldGate(Protocol):
    """A gate under its row lock, until the context ends. `save` commits, so it is the last call and the only write."""

    @property
    def view(self) -> GateView: ...

    @property
    def is_replay(self) -> bool:
        """Whether the same request has taken effect before."""
        ...

    async def save(
        self,
        *,
        vote: Vote | None,
        decision: Decision | None,
        discounted: Sequence[UserId] = (),
        events: Sequence[Event],
        announcement: AnnouncementKind | None = None,
        now: datetime,
    ) -> None:
        """Saves and commits. `discounted`: the people whose votes do not count in the decision. `announcement`: what of
        the decision is announced."""
        ...

    async def forget(self, voter: UserId, *, events: Sequence[Event], now: datetime) -> None:
        """Deletes this person's vote."""
        ...

    async def add_audit_events(self, events: Sequence[Event]) -> None: ...

    async def refresh_evidence(self, *, now: datetime) -> None:
        """Makes the gate's evidence due now, because it is too old."""
        ...

    def use_guard(self, guard: TrafficGuard) -> None:
        """Replaces the traffic guard of `view`, which is from the evidence, by one from live traffic."""
        ...

    async def mark_reminded(
        self, *, at: datetime, following: datetime | None, events: Sequence[Event]
    ) -> None: ...

    async def load_related_switches(self, domains: Sequence[DomainName], *, exclusive: bool) -> None:
        """Adds these domains' switches to `view`. `exclusive`: others who ask for that wait until this commits."""
        ...

    async def originating_undo(self) -> Intervention | None:
        """The undo of ours that made this gate's deployment, if any."""
        ...

    async def is_made_by_an_undo(self) -> bool:
        """Whether an undo of ours made this gate's deployment, or is just making it."""
        ...

    async def was_withdrawn_by(self, build: Build) -> bool:
        """Whether this token withdrew it for this build."""
        ...


class GateRepository(Protocol):
    """Where gates are opened, decided and found."""

    async def get(self, gate: GateId) -> GateView | None: ...

    async def find(self, key: SwitchKey, *, execution_digest: str) -> GateView | None: ...

    async def open(self, opening: Opening, events: Sequence[Event]) -> OpenedGate | None:
        """None if the gate was opened before."""
        ...

    def hold(
        self, gate: GateId, *, skip_locked: bool = False, request: str | None = None
    ) -> AbstractAsyncContextManager[HeldGate | None]: ...

    async def related_switches(self, domains: Sequence[DomainName]) -> Sequence[RelatedSwitch]:
        """The live switches of these domains, and the last one of each."""
        ...

    async def past_deadline(
        self, *, now: datetime, limit: int, skip: Sequence[GateId]
    ) -> Sequence[GateId]: ...

    async def next_deadline(self, *, skip: Sequence[GateId]) -> datetime | None: ...

    async def add_audit_events(self, events: Sequence[Event]) -> None: ...
