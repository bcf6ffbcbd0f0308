"""The record as the flow, the card and the questions see it."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final
from uuid import UUID

from app.gate.decision import Answer, Verdict
from app.gate.evidence.model import Evidence
from app.gate.ids import DomainName, GateId, SwitchKey, UserId
from app.gate.previous_revision import Obstacle
from app.gate.rules.checks import Check
from app.gate.rules.exclusivity import AFTER_ALLOW_TRAFFIC, RelatedSwitch
from app.gate.rules.freeze import Freeze
from app.gate.rules.permits import Basis
from app.gate.rules.policy import Shift
from app.gate.rules.traffic_guard import TrafficGuard
from app.gate.rules.violations import Violation
from app.gate.state_machine import Awaiting, Gate, Outcome
from app.gate.undo import InterventionKind, Progress, UnderWay, UndoContext
from app.gate.votes import Choice

MIN_VISIBLE_DELAY: Final = timedelta(seconds=3)
"""What is over so soon after a decision need not be said."""


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
    end_reason: str | None
    green_percent: int | None = None
    """Share of production traffic on green, as last seen; None: not looked at yet."""
    traffic_changed_at: datetime | None = None
    """When that share was first seen."""
    switched_at: datetime | None = None
    """When all of it was first seen there."""
    blue_until: datetime | None = None
    """When CodeDeploy ends blue, and with it the fast way back."""
    rollback_id: str | None = None
    """The deployment that takes this one back."""
    previous_revision: str | None = None
    """What served before: `order:41`, or what else it is known by. None: not known."""
    previous_obstacle: Obstacle | None = None
    """Why deploying that would not take the switch back; None: nothing speaks against it, as far as is known."""
    auto_rollback: bool | None = None
    named_deployers: tuple[UserId, ...] = ()
    """Everybody whom some source names as the deployer; `deployer` is set where they agree and the tag is one."""


@dataclass(frozen=True, kw_only=True, slots=True)
class CastVote:
    voter: UserId
    name: str
    choice: Choice
    reason: str
    at: datetime
    counted: bool = True
    """False: the gate was decided without it, because the voter was no approver any more."""


class InterventionPhase(StrEnum):
    ASKED = "asked"
    SENT = "sent"
    DONE = "done"
    FAILED = "failed"


class Setback(StrEnum):
    """Why an intervention failed, where that is our own finding; the record keeps the sentence, cards translate it."""

    OVER_FIRST = "the deployment was over before it could be told; undo again to go back from here"
    TOO_LATE = "the deployment had finished before it could be stopped"
    NO_ROLLBACK = "the deployment was stopped, but CodeDeploy started no rollback"
    ANOTHER_RUNS = "another deployment of this group is under way"
    UNDO_INSTEAD = "an undo was asked for instead"
    ALARMS_ON = "an alarm of the group may stop it: codedeploy:UpdateDeploymentGroup is not allowed"
    NO_PREVIOUS = "CodeDeploy names no previous revision"
    SAME_REVISION = "the previous revision is the one that serves now"
    UNPINNED_REVISION = "the previous revision names a task definition without its number"
    UNREADABLE_REVISION = "the task definition cannot be read from the previous revision's AppSpec"
    INACTIVE_REVISION = "the previous task definition is INACTIVE"


@dataclass(frozen=True, kw_only=True, slots=True)
class Intervention:
    """What a person had CodeDeploy do after the decision, and what became of it.

    `deployment` is the one that takes the switch back; `problem` says why it failed, or fails so far.
    """

    id: UUID
    kind: InterventionKind
    phase: InterventionPhase
    by: UserId
    name: str
    reason: str
    requested_at: datetime
    deployment: str | None
    problem: str | None
    finished_at: datetime | None

    @property
    def under_way(self) -> bool:
        return self.phase in {InterventionPhase.ASKED, InterventionPhase.SENT}


@dataclass(frozen=True, kw_only=True, slots=True)
class Rollback:
    """The deployment that takes a switch back, as far as it has come."""

    deployment: str
    status: str | None
    switched_at: datetime | None
    ended_at: datetime | None


@dataclass(frozen=True, kw_only=True, slots=True)
class GateView:
    """A gate with its switch and votes, read in one snapshot. `version` grows with every change.

    `freezes` are the record's for this domain, in force or yet to come; `overridden_rules` the rules that a
    break-glass approval set aside; `related_switches` other domains' switches, where they were asked for
    (`app.flow.approval.related_switches`).
    """

    gate: Gate
    switch: Switch
    hook_name: str
    prompt_version: int
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
    """CodeDeploy's side of it: the answer that it holds, or why it could not be told."""
    report_error: str | None
    """Why CodeDeploy is not told until `MIN_VISIBLE_DELAY` after the decision; None: nothing to speak of."""
    reported_at: datetime | None
    event_read_at: datetime | None = None
    """When the lifecycle event was compared with the answer that CodeDeploy had taken."""
    reminded_at: datetime | None = None
    """Up to when the reminders have been dealt with."""
    intervention: Intervention | None = None
    """The latest one of the switch."""
    rollback: Rollback | None = None
    superseded: bool = False
    """A later deployment of the domain lives or serves."""
    evidence: Evidence | None = None
    """What was seen, where it was asked for: as it stood last before the decision."""
    checks: tuple[Check, ...] = ()
    freezes: tuple[Freeze, ...] = ()
    overridden_rules: tuple[Violation, ...] = ()
    related_switches: tuple[RelatedSwitch, ...] = ()
    guard: TrafficGuard | None = None
    """What the latest evidence holds an approval for; None: nothing was seen yet."""

    @property
    def before_traffic(self) -> bool:
        """Whether the gate waits before CodeDeploy moves production traffic."""
        return self.hook_name != AFTER_ALLOW_TRAFFIC

    @property
    def id(self) -> GateId:
        return self.gate.id


@dataclass(frozen=True, kw_only=True, slots=True)
class CardPlace:
    """Where a card stands in Slack."""

    channel: str
    ts: str


def progress_of(view: GateView) -> Progress:
    """How far the gate's switch has come, whoever let its traffic through."""
    switch = view.switch
    if switch.ended_at is not None:
        return Progress.FINISHED if switch.status == "Succeeded" else Progress.ENDED
    if not is_let_through(view):
        return Progress.HELD
    return Progress.SWITCHED if switch.switched_at is not None else Progress.SHIFTING


def undo_context_of(view: GateView) -> UndoContext:
    """What the way back of the gate's switch depends on."""
    asked = view.intervention
    under_way = UnderWay(by=asked.by, name=asked.name) if asked and asked.under_way else None
    finishes = asked is not None and asked.kind is InterventionKind.FINISH
    back = view.rollback
    return UndoContext(
        progress=progress_of(view),
        is_auto_rollback=view.basis is Basis.AUTO_ROLLBACK,
        superseded=view.superseded,
        obstacle=view.switch.previous_obstacle,
        under_way=None if finishes else under_way,
        finishing=under_way if finishes else None,
        blue_ends=ends_blue(view),
        on_green=may_be_on_green(view),
        rolling_back=back is not None and back.ended_at is None and back.switched_at is None,
    )


def may_be_on_green(view: GateView) -> bool:
    """Whether the deployment ended badly and left traffic on green, as far as anybody knows."""
    if progress_of(view) is not Progress.ENDED or not is_let_through(view):
        return False
    taken_back = view.rollback is not None and view.rollback.switched_at is not None
    return not taken_back and view.switch.green_percent != 0


def is_approved(view: GateView) -> bool:
    """Whether the decision made here is an approval."""
    return not isinstance(view.gate, Awaiting) and view.gate.verdict is Verdict.APPROVED


def is_let_through(view: GateView) -> bool:
    """Whether traffic moves or has moved: it was approved here, CodeDeploy holds `Succeeded` whoever answered it, or
    some of the traffic was seen on green. The way back depends on this, not on the decision."""
    seen = bool(view.switch.green_percent) or view.switch.switched_at is not None
    return seen or is_approved(view) or view.outcome_detail == Answer.SUCCEEDED


def is_let_through_elsewhere(view: GateView) -> bool:
    """Whether traffic moves or has moved without an approval from here."""
    return is_let_through(view) and not is_approved(view)


def ends_blue(view: GateView) -> bool:
    """Whether somebody has had blue ended, of which the deployment's end tells a little later."""
    asked = view.intervention
    return (
        asked is not None and asked.kind is InterventionKind.FINISH and asked.phase is InterventionPhase.DONE
    )
