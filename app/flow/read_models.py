"""Read models: stored switches and gates, as use cases, cards and queries read them."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from app.flow.undo.intervention import Intervention
from app.gate.evidence.model import Evidence, GreenHealth
from app.gate.ids import DomainName, GateId, SwitchKey, UserId
from app.gate.previous_revision import Obstacle
from app.gate.rules.checks import Check
from app.gate.rules.exclusivity import AFTER_ALLOW_TRAFFIC, RelatedSwitch
from app.gate.rules.freeze import Freeze
from app.gate.rules.permits import Basis
from app.gate.rules.policy import Shift
from app.gate.rules.traffic_guard import TrafficGuard
from app.gate.rules.violations import Violation
from app.gate.state_machine import Gate, Outcome
from app.gate.votes import Choice, QuestionAnswer

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
    """Share of production traffic on green, as last polled; None: not polled yet. To be shown:
    `app.flow.traffic_share.share_on_green`."""
    traffic_changed_at: datetime | None = None
    """When traffic had come to that share: by CodeDeploy's time, where it could be read."""
    traffic_read_at: datetime | None = None
    """When the share was last read."""
    traffic_unknown: bool = False
    """It may have changed since, and could not be read again."""
    switched_at: datetime | None = None
    """When all of it had moved there: by CodeDeploy's own time, or when it was first seen until that is read."""
    shift_ended_at: datetime | None = None
    """CodeDeploy's own time of that, once it is read: the end of the lifecycle event AllowTraffic."""
    blue_until: datetime | None = None
    """When CodeDeploy terminates blue, and with it the fast way back; None: it does not, or the time that it counts
    from is not read yet."""
    rollback_id: str | None = None
    """The deployment that takes this one back."""
    previous_revision: str | None = None
    """What served before: `order:41`, or what else it is known by. None: not known."""
    previous_obstacle: Obstacle | None = None
    """Why a redeployment would not undo the switch; None: no obstacle is known."""
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
    answers: tuple[QuestionAnswer, ...] = ()
    """What the policy asked with the approval."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Rollback:
    """The deployment that takes a switch back, as far as it has come. `green_percent`: of its own green, on which the
    previous version runs."""

    deployment: str
    status: str | None
    switched_at: datetime | None
    ended_at: datetime | None
    green_percent: int | None = None
    traffic_read_at: datetime | None = None
    traffic_unknown: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class GateView:
    """A gate with its switch and votes, read in one snapshot. `version` grows with every change.

    `freezes` are the record's for this domain, in force or yet to come; `overridden_rules` the rules that a
    break-glass approval set aside; `related_switches` other domains' switches, where they were asked for
    (`app.flow.approval.approval_context`).
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
    """The status that CodeDeploy has, or why the report failed."""
    report_error: str | None
    """Why the report was not sent within `MIN_VISIBLE_DELAY` of the decision; None: no notable delay."""
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
    shown_by: GateId | None = None
    """The gate whose card shows this one, where somebody here asked for this rollback; None: it has its own card."""
    returns: bool = False
    """It brings back the version that the gate named by `shown_by` had switched to: it rolls back a rollback."""
    observed: bool = False
    """Its domain was in observe mode when it opened, or when CodeDeploy confirmed it."""
    followed_by: "GateView | None" = None
    """The latest gate that this one's card shows, where it was asked for."""
    evidence: Evidence | None = None
    """What was seen, where it was asked for: as it stood last before the decision."""
    live_health: GreenHealth | None = None
    """Green's health as last read since the decision, where it was asked for; None: not read, or of no interest any
    more."""
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
