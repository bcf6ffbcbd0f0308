"""What the flow needs of the database: its errors, and gates under their locks."""

from collections.abc import Hashable, Sequence
from contextlib import AbstractAsyncContextManager, AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from app.flow.audit_events import Event
from app.flow.ports.codedeploy import DeploymentFacts
from app.flow.read_models import GateView
from app.flow.undo.intervention import Intervention
from app.gate.decision import Decision
from app.gate.ids import DomainName, ExecutionId, GateId, SwitchKey, UserId
from app.gate.rules.exclusivity import RelatedSwitch
from app.gate.rules.traffic_guard import TrafficGuard
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
