"""What the flow needs of the outside. The record, CodeDeploy and Slack implement these."""

from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from app.flow.events import Event
from app.flow.views import CardPlace, GateView, Switch, Traffic
from app.gate.decision import Answer, Decision
from app.gate.ids import DomainName, ExecutionId, GateId, SwitchKey, UserId
from app.gate.policy import Policy, Roster
from app.gate.states import Awaiting, Closed, Vote


class RecordAway(Exception):
    """The record cannot be reached or does not answer in time. Nothing was recorded."""


class NoSuchDeployment(Exception):
    """CodeDeploy does not know this deployment in this account and region."""


class CannotAsk(Exception):
    """CodeDeploy could not be asked now: throttled, failing, unreachable, or we lack the permission.

    `slow`: the cause is a person's to mend (credentials), so asking again soon is pointless.
    """

    def __init__(self, reason: str, *, slow: bool = False) -> None:
        super().__init__(reason)
        self.slow = slow


class AlreadyAnswered(Exception):
    """CodeDeploy has an answer for this hook already: ours, somebody else's, or its own time-out."""


class AnswerRefused(Exception):
    """CodeDeploy will never take this answer (unknown deployment, unknown execution id)."""


@dataclass(frozen=True, kw_only=True, slots=True)
class DeploymentFacts:
    """What GetDeployment tells. `status` is CodeDeploy's DeploymentStatus."""

    application: str
    deployment_group: str
    platform: str
    status: str
    creator: str
    description: str
    config_name: str
    created_at: datetime | None
    rollback_of: str | None
    error: str | None

    @property
    def over(self) -> bool:
        """Whether CodeDeploy will never change this deployment again."""
        return self.status in {"Succeeded", "Failed", "Stopped"}

    @property
    def ending(self) -> str:
        """How it ended, in CodeDeploy's words."""
        return f"{self.status}: {self.error}" if self.error else self.status


@dataclass(frozen=True, kw_only=True, slots=True)
class HookProgress:
    """One lifecycle event of the deployment's target; `status` is CodeDeploy's LifecycleEventStatus."""

    status: str
    started_at: datetime | None


class Deployments(Protocol):
    """CodeDeploy. Every method raises `CannotAsk` when it cannot tell."""

    async def deployment(self, key: SwitchKey) -> DeploymentFacts:
        """Raises `NoSuchDeployment`."""
        ...

    async def hook_progress(self, key: SwitchKey, *, hook_name: str) -> HookProgress | None:
        """The lifecycle event's state; None when the target does not list it (yet)."""
        ...

    async def traffic(self, key: SwitchKey, *, config_name: str) -> Traffic: ...

    async def answer(self, key: SwitchKey, *, execution_id: ExecutionId, answer: Answer) -> None:
        """Raises `AlreadyAnswered` or `AnswerRefused`."""
        ...


@dataclass(frozen=True, kw_only=True, slots=True)
class OwnedDomain:
    """A configured domain: where its card goes and its rules."""

    name: DomainName
    channel: str
    listener_port: int | None
    policy: Policy


class Rules(Protocol):
    """The configuration in force and the people it names, both snapshots of this moment."""

    def domain_of(self, *, application: str, deployment_group: str) -> OwnedDomain | None: ...

    def domain(self, name: DomainName) -> OwnedDomain | None: ...

    def roster(self) -> Roster: ...

    def slack_person(self, login: str | None) -> UserId | None: ...

    @property
    def default_channel(self) -> str: ...

    @property
    def default_policy(self) -> Policy: ...


@dataclass(frozen=True, kw_only=True, slots=True)
class Verification:
    """What CodeDeploy confirmed of a switch, ready to be stored."""

    domain: DomainName
    listener_port: int | None
    facts: DeploymentFacts
    deployed_by: str | None
    deployer: UserId | None


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


@dataclass(frozen=True, kw_only=True, slots=True)
class Claim:
    """The right to one piece of outgoing work until the lease ends. `attempts` counts this one."""

    attempts: int


class HeldGate(Protocol):
    """A gate under its row lock. One write at most; it commits when the context ends."""

    @property
    def view(self) -> GateView: ...

    async def save(
        self, *, vote: Vote | None, decision: Decision | None, events: Sequence[Event], now: datetime
    ) -> None: ...

    async def note(self, events: Sequence[Event]) -> None: ...


@dataclass(frozen=True, kw_only=True, slots=True)
class DueReport(Claim):
    """A decision that CodeDeploy has not been told."""

    view: GateView
    execution_id: ExecutionId
    answer: Answer


@dataclass(frozen=True, kw_only=True, slots=True)
class DueLook(Claim):
    """A live switch that has not been looked at for a while."""

    switch: Switch
    hook_name: str


@dataclass(frozen=True, kw_only=True, slots=True)
class DueCard(Claim):
    """A card that differs from what it should show. `posting_since`: a post whose outcome is unknown."""

    view: GateView
    place: CardPlace | None
    fingerprint: str | None
    posting_since: datetime | None


class HeldSwitch(Protocol):
    """A switch and its open gates under their locks."""

    @property
    def switch(self) -> Switch: ...

    @property
    def open_gates(self) -> Sequence[GateView]: ...

    async def verify(self, verification: Verification, *, now: datetime) -> None: ...

    async def learn(self, *, status: str, hook_started_at: datetime | None, traffic: Traffic | None) -> None:
        """Keeps what is already known where the new value is None."""
        ...

    async def ask(self, gate: Awaiting, *, events: Sequence[Event], now: datetime) -> None: ...

    async def close(
        self, gate: Closed, *, reason: str | None, events: Sequence[Event], now: datetime
    ) -> None: ...

    async def end(self, *, ending: str, events: Sequence[Event], now: datetime) -> None: ...


class GateRecord(Protocol):
    """Where gates are opened, decided and found."""

    async def get(self, gate: GateId) -> GateView | None: ...

    async def find(self, key: SwitchKey, *, execution_digest: str) -> GateView | None: ...

    async def open(self, opening: Opening, events: Sequence[Event]) -> bool:
        """False: known already."""
        ...

    def hold(
        self, gate: GateId, *, skip_locked: bool = False
    ) -> AbstractAsyncContextManager[HeldGate | None]: ...

    async def past_deadline(self, *, now: datetime, limit: int) -> Sequence[GateId]: ...

    async def next_deadline(self) -> datetime | None: ...

    async def note(self, events: Sequence[Event]) -> None: ...
