"""What collecting evidence needs: AWS, one part at a time, and the database."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from app.flow.audit_events import Event
from app.flow.ports.database import Claim
from app.flow.read_models import GateView
from app.gate.evidence.blue_green import TargetSet, TaskSet
from app.gate.evidence.model import Alarm, Evidence, GreenHealth, Listener, Missing, Safety, Targets
from app.gate.evidence.revision import RevisionReading
from app.gate.ids import SwitchKey
from app.gate.rules.traffic_guard import GuardRule


class EvidenceUnavailable(Exception):
    """A part could not be read; `missing` says why."""

    def __init__(self, missing: Missing) -> None:
        super().__init__(f"{missing.call}: {missing.reason}")
        self.missing = missing


@dataclass(frozen=True, kw_only=True, slots=True)
class ServiceName:
    """An ECS service in its cluster."""

    cluster: str
    name: str


@dataclass(frozen=True, kw_only=True, slots=True)
class GroupFacts:
    """The settings of a deployment group, overridden by those of its deployment."""

    service: ServiceName | None
    alarms: tuple[str, ...]
    listeners: tuple[str, ...]
    safety: Safety
    target_groups: tuple[str, ...] = ()
    """Names of the pair."""


@dataclass(frozen=True, kw_only=True, slots=True)
class TargetFacts:
    """CodeDeploy's data on a deployment's one target, the ECS service."""

    service: ServiceName | None
    task_sets: tuple[TargetSet, ...]
    shifted: bool
    steady_since: datetime | None
    succeeded_events: tuple[str, ...] = ()
    """Its lifecycle events with the status `Succeeded`."""


class EvidenceSource(Protocol):
    """AWS's reads. Every method raises `EvidenceUnavailable` when it cannot tell."""

    async def group(self, key: SwitchKey, *, application: str, deployment_group: str) -> GroupFacts:
        """The settings of this deployment, which may override those of its group."""
        ...

    async def settings(self, key: SwitchKey, *, application: str, deployment_group: str) -> GroupFacts:
        """The same, read once: a deployment keeps the settings that it was created with."""
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
        """Where the rules of a listener forward to, apart from its default action, in percent."""
        ...

    async def alarms(self, region: str, names: Sequence[str]) -> tuple[Alarm, ...]: ...


@dataclass(frozen=True, kw_only=True, slots=True)
class DueEvidence(Claim):
    """A gate whose evidence is due. `waiting_gates`: how many gates wait in all; `watched_switches`: how many decided
    ones are still looked at."""

    view: GateView
    known: Evidence | None
    waiting_gates: int
    watched_switches: int


class EvidenceRepository(Protocol):
    """Stores evidence, under the lease that it was claimed with."""

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
        """False: not stored, because the gate was decided or the lease is lost.

        `blockers`: why it blocks an approval. `settled` resets the attempts.
        """
        ...

    async def seen_live(
        self, due: DueEvidence, health: GreenHealth | None, *, due_at: datetime, now: datetime
    ) -> bool:
        """Stores green's health after the decision, apart from the evidence; None: there is no green. False: the lease
        is lost."""
        ...

    async def retry_later(self, due: DueEvidence, *, error: str, due_at: datetime) -> None: ...

    async def rest(self, due: DueEvidence) -> None:
        """Collects no more evidence of this gate."""
        ...
