"""The record as the flow, the card and the questions see it."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from app.gate.ids import DomainName, GateId, SwitchKey, UserId
from app.gate.policy import Basis, Choice
from app.gate.states import Gate, Outcome


class Shift(StrEnum):
    ALL_AT_ONCE = "all_at_once"
    CANARY = "canary"
    LINEAR = "linear"


@dataclass(frozen=True, kw_only=True, slots=True)
class Traffic:
    """How CodeDeploy will move the listener: `percent` a step, every `minutes`."""

    shift: Shift
    percent: int = 100
    minutes: int = 0


@dataclass(frozen=True, kw_only=True, slots=True)
class Switch:
    """One deployment as far as it is known. `domain` is set once CodeDeploy has confirmed it (`verified`)."""

    id: int
    key: SwitchKey
    domain: DomainName | None
    application: str | None
    deployment_group: str | None
    creator: str | None
    deployed_by: str | None
    deployer: UserId | None
    description: str | None
    config_name: str | None
    traffic: Traffic | None
    listener_port: int | None
    hook_started_at: datetime | None
    created_at: datetime | None
    rollback_of: str | None
    status: str | None
    first_seen_at: datetime
    verified: bool
    ended_at: datetime | None
    ending: str | None


@dataclass(frozen=True, kw_only=True, slots=True)
class CastVote:
    voter: UserId
    name: str
    choice: Choice
    reason: str
    at: datetime


@dataclass(frozen=True, kw_only=True, slots=True)
class GateView:
    """A gate with its switch and votes, read in one snapshot. `version` grows with every change."""

    gate: Gate
    switch: Switch
    hook_name: str
    edition: int
    version: int
    opened_at: datetime
    deadline_at: datetime
    votes: tuple[CastVote, ...]
    basis: Basis | None
    decided_at: datetime | None
    decided_by: UserId | None
    decided_name: str | None
    reason: str | None
    outcome: Outcome | None
    outcome_detail: str | None
    reported_at: datetime | None

    @property
    def id(self) -> GateId:
        return self.gate.id


@dataclass(frozen=True, kw_only=True, slots=True)
class CardPlace:
    """Where a card stands in Slack."""

    channel: str
    ts: str
