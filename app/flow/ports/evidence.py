"""What gathering evidence needs of the outside: AWS, a part at a time, and the record."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from app.flow.audit_events import Event
from app.flow.ports.database import Claim
from app.flow.read_models import GateView
from app.gate.evidence.blue_green import TargetSet, TaskSet
from app.gate.evidence.model import Alarm, Evidence, Listener, Missing, Safety, Targets
from app.gate.evidence.revision import RevisionReading
from app.gate.ids import SwitchKey
from app.gate.rules.traffic_guard import GuardRule


class EvidenceUnavailable(Exception):
    """A part could not be read; `missing` says why."""

    def __init__(self, missing: Missing) -> None:
        super().__init__(f"{missing.call}: {missing.why}")
        self.missing = missing


@dataclass(frozen=True, kw_only=True, slots=True)
class ServiceName:
    """An ECS service in its cluster."""

    cluster: str
    name: str


@dataclass(frozen=True, kw_only=True, slots=True)
class GroupFacts:
    """What a deployment group is set up with, and its deployment instead where that overrides it."""

    service: ServiceName | None
    alarms: tuple[str, ...]
    listeners: tuple[str, ...]
    safety: Safety
    target_groups: tuple[str, ...] = ()
    """Names of the pair."""


@dataclass(frozen=True, kw_only=True, slots=True)
class TargetFacts:
    """What CodeDeploy shows of a deployment's one target, the ECS service."""

    service: ServiceName | None
    task_sets: tuple[TargetSet, ...]
    shifted: bool
    steady_since: datetime | None
    succeeded_events: tuple[str, ...] = ()
    """Lifecycle events that it shows as `Succeeded`."""


class EvidenceSource(Protocol):
    """AWS's reads. Every method raises `EvidenceUnavailable` when it cannot tell."""

    async def group(self, key: SwitchKey, *, application: str, deployment_group: str) -> GroupFacts:
        """What holds for this deployment: its own settings where it overrides its group's."""
        ...

    async def target(self, key: SwitchKey) -> TargetFacts: ...

    async def task_sets(self, region: str, service: ServiceName) -> tuple[TaskSet, ...]: ...

    async def named_task_definition(self, key: SwitchKey) -> str:
        """The task definition that the deployment's own AppSpec names."""
        ...

    async def reading(self, region: str, task_definition: str) -> RevisionReading: ...

    async def target_group_arns(self, region: str, names: Sequence[str]) -> Mapping[str, str]: ...

    async def health(self, region: str, target_group: str) -> tuple[Targets, ...]: ...

    async def listeners(self, region: str, arns: Sequence[str]) -> tuple[Listener, ...]: ...

    async def listener_rules(self, region: str, listener: str) -> tuple[tuple[tuple[str, int], ...], ...]:
        """Where the rules of a listener forward to beside its default action, in percent."""
        ...

    async def alarms(self, region: str, names: Sequence[str]) -> tuple[Alarm, ...]: ...


@dataclass(frozen=True, kw_only=True, slots=True)
class DueEvidence(Claim):
    """A gate whose evidence is to be looked up (again). `waiting_gates`: how many gates are looked after in all."""

    view: GateView
    known: Evidence | None
    waiting_gates: int


class EvidenceRecord(Protocol):
    """Where evidence is kept, under the lease that it was claimed with."""

    async def seen(
        self,
        due: DueEvidence,
        evidence: Evidence,
        *,
        blockers: Sequence[GuardRule],
        events: Sequence[Event],
        settled: bool,
        due_at: datetime,
        now: datetime,
    ) -> bool:
        """False: the gate has been decided, so what was seen before stands; or the lease is lost.

        `blockers`: what it holds an approval for. `settled` forgets the tries.
        """
        ...

    async def retry_later(self, due: DueEvidence, *, error: str, due_at: datetime) -> None: ...

    async def rest(self, due: DueEvidence) -> None:
        """Nothing is looked up any more."""
        ...
