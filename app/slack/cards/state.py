"""The state that a card shows: derived from the gate, its switch and the rules as they apply now."""

from enum import StrEnum
from typing import Final, assert_never

from app.flow.approval.rule_status import RuleStatus
from app.flow.read_models import GateView
from app.flow.switch_progress import (
    is_approved,
    is_being_undone,
    is_let_through,
    is_undone,
    is_withdrawn_by_somebody,
    is_withdrawn_for_build,
    progress_of,
)
from app.flow.traffic_share import share_on_green
from app.flow.undo.intervention import InterventionPhase
from app.gate.decision import Verdict
from app.gate.rules.checks import CheckState
from app.gate.rules.permits import Basis
from app.gate.rules.violations import Blocker, CheckNotPassed
from app.gate.state_machine import Awaiting, Outcome
from app.gate.undo import InterventionKind, Progress
from app.gate.votes import Choice
from app.slack.cards.votes import counting_votes


class CardState(StrEnum):
    """Each has a header `card.header.STATE`."""

    UNVERIFIED = "unverified"
    UNCONFIGURED = "unconfigured"
    BLOCKED = "blocked"
    CHECKS_PENDING = "checks_pending"
    WAITING = "waiting"
    PARTLY_APPROVED = "partly_approved"

    APPROVED = "approved"
    SHIFTING = "shifting"
    SWITCHED = "switched"
    FINISHED = "finished"
    SUPERSEDED = "superseded"

    ROLLING_BACK = "rolling_back"
    ROLLED_BACK = "rolled_back"
    ROLLBACK_FAILED = "rollback_failed"
    FAILED = "failed"
    FAILED_ROLLING_BACK = "failed_rolling_back"

    REJECTED = "rejected"
    EXPIRED = "expired"
    WITHDRAWN = "withdrawn"
    WITHDRAWN_BY = "withdrawn_by"
    WITHDRAWN_FOR_BUILD = "withdrawn_for_build"
    UNCONFIRMED = "unconfirmed"
    ELSEWHERE = "elsewhere"
    CONTRADICTED = "contradicted"
    UNDELIVERABLE = "undeliverable"

    AUTO_ROLLBACK = "auto_rollback"
    AUTO_ROLLED_BACK = "auto_rolled_back"
    AUTO_ROLLBACK_FAILED = "auto_rollback_failed"

    UNDOING = "undoing"
    UNDONE = "undone"
    UNDO_FAILED = "undo_failed"
    UNDO_REVERTING = "undo_reverting"
    UNDO_REVERTED = "undo_reverted"


BLOCKED_STATES: Final = frozenset({CardState.BLOCKED, CardState.CHECKS_PENDING})
"""No approval is accepted now."""

VERDICTS: Final = {
    Verdict.APPROVED: CardState.APPROVED,
    Verdict.REJECTED: CardState.REJECTED,
    Verdict.EXPIRED: CardState.EXPIRED,
    Verdict.WITHDRAWN: CardState.WITHDRAWN,
}


def card_state(view: GateView, *, configured: bool, rule_status: RuleStatus | None) -> CardState:
    """`configured`: the gate's domain is in the configuration."""
    if isinstance(view.gate, Awaiting):
        return _waiting(view, configured=configured, rule_status=rule_status)
    if view.gate.verdict is Verdict.WITHDRAWN and not (
        view.switch.verified or is_withdrawn_by_somebody(view)
    ):
        return CardState.UNCONFIRMED
    if view.basis is Basis.AUTO_ROLLBACK:
        return _auto_rollback(view)
    if view.basis is Basis.UNDO:
        return _undo(view)
    if is_let_through(view):
        return _let_through(view)
    return _unreported(view) or _withdrawn_by(view) or VERDICTS[view.gate.verdict]


def _withdrawn_by(view: GateView) -> CardState | None:
    if is_withdrawn_for_build(view):
        return CardState.WITHDRAWN_FOR_BUILD
    return CardState.WITHDRAWN_BY if is_withdrawn_by_somebody(view) else None


def is_blocked(rule_status: RuleStatus | None) -> bool:
    """Whether no approval is accepted, or none that is left could be enough."""
    return rule_status is not None and (rule_status.is_held or bool(rule_status.unreachable_approvals))


def _waiting(view: GateView, *, configured: bool, rule_status: RuleStatus | None) -> CardState:
    if not view.switch.verified:
        return CardState.UNVERIFIED
    if not configured:
        return CardState.UNCONFIGURED
    if rule_status is not None and is_blocked(rule_status):
        return CardState.CHECKS_PENDING if _only_checks_run(rule_status) else CardState.BLOCKED
    return (
        CardState.PARTLY_APPROVED if counting_votes(view, Choice.APPROVE, rule_status) else CardState.WAITING
    )


def _only_checks_run(rule_status: RuleStatus) -> bool:
    """Whether nothing blocks but required checks without a result."""
    if rule_status.unreachable_approvals:
        return False
    return all(
        isinstance(rule, CheckNotPassed) and rule.state is not CheckState.FAILED
        for rule in rule_status.unmet
        if isinstance(rule, Blocker)
    )


def _unreported(view: GateView) -> CardState | None:
    """CodeDeploy holds another answer than ours, or none."""
    if view.outcome is Outcome.UNDELIVERABLE:
        return CardState.UNDELIVERABLE
    return CardState.CONTRADICTED if view.outcome is Outcome.CONFLICT else None


def _let_through(view: GateView) -> CardState:
    if is_undone(view):
        return _returned(view.followed_by) or CardState.ROLLED_BACK
    if is_being_undone(view):
        return CardState.ROLLING_BACK
    progress = progress_of(view)
    if view.superseded and progress in {Progress.FINISHED, Progress.ENDED} and view.rollback is None:
        return CardState.SUPERSEDED
    if rollback_failed(view):
        return CardState.ROLLBACK_FAILED
    return _moving(view, progress)


def _returned(rollback: GateView | None) -> CardState | None:
    """What has become of the rollback that this card shows: it may itself be rolled back."""
    if rollback is None:
        return None
    if rollback.returns:
        arrived = progress_of(rollback) in {Progress.SWITCHED, Progress.FINISHED}
        return CardState.UNDO_REVERTED if arrived else CardState.UNDO_REVERTING
    if is_undone(rollback):
        return CardState.UNDO_REVERTED
    return CardState.UNDO_REVERTING if is_being_undone(rollback) else None


def rollback_failed(view: GateView) -> bool:
    """Whether the last attempt to take the switch back failed: one that a person requested, or CodeDeploy's own."""
    asked, back = view.intervention, view.rollback
    asked_failed = (
        asked is not None
        and asked.kind is not InterventionKind.FINISH
        and asked.phase is InterventionPhase.FAILED
    )
    return asked_failed or (back is not None and back.ended_at is not None and back.switched_at is None)


def _moving(view: GateView, progress: Progress) -> CardState:
    match progress:
        case Progress.HELD | Progress.SHIFTING | Progress.SWITCHED:
            return _answered_otherwise(view) or _on_the_way(view)
        case Progress.FINISHED:
            return CardState.FINISHED
        case Progress.ENDED:
            back = view.rollback
            rolls = back is not None and back.ended_at is None and back.switched_at is None
            return CardState.FAILED_ROLLING_BACK if rolls else CardState.FAILED
        case _:
            assert_never(progress)


def _answered_otherwise(view: GateView) -> CardState | None:
    """Traffic moves although it was not approved here, or CodeDeploy has not taken the approval."""
    return _unreported(view) or (None if is_approved(view) else CardState.ELSEWHERE)


def _on_the_way(view: GateView) -> CardState:
    if view.switch.switched_at is not None:
        return CardState.SWITCHED
    moves = share_on_green(view).percent or view.switch.traffic_unknown
    return CardState.SHIFTING if moves else CardState.APPROVED


def _auto_rollback(view: GateView) -> CardState:
    match progress_of(view):
        case Progress.SWITCHED | Progress.FINISHED:
            return CardState.AUTO_ROLLED_BACK
        case Progress.ENDED:
            return CardState.AUTO_ROLLBACK_FAILED
        case Progress.HELD | Progress.SHIFTING:
            return _unreported(view) or CardState.AUTO_ROLLBACK
        case _:
            assert_never(progress_of(view))


def _undo(view: GateView) -> CardState:
    """Of the deployment of an undo: its green runs the previous version."""
    if is_undone(view):
        return CardState.UNDO_REVERTED
    if is_being_undone(view):
        return CardState.UNDO_REVERTING
    match progress_of(view):
        case Progress.SWITCHED:
            return CardState.UNDONE
        case Progress.FINISHED:
            return CardState.SUPERSEDED if view.superseded else CardState.UNDONE
        case Progress.ENDED:
            return CardState.UNDO_FAILED
        case Progress.HELD | Progress.SHIFTING:
            return _unreported(view) or CardState.UNDOING
        case _:
            assert_never(progress_of(view))
