"""Whether an announcement is still true, and whether it waits for the result of a rollback."""

from datetime import datetime, timedelta
from typing import Final

from app.flow.notify.announcement import DueAnnouncement
from app.flow.notify.announcement_kinds import CALLS_APPROVERS, AnnouncementKind
from app.flow.read_models import GateView
from app.flow.switch_progress import is_undone
from app.gate.state_machine import Awaiting, Decided

GIVE_UP_AFTER: Final = timedelta(days=1)
ROLLBACK_MAY_SHOW: Final = timedelta(seconds=10)
"""How long the rollback of a failed deployment is waited for, so that one message is about both."""

ROLLBACK_MAY_TAKE: Final = timedelta(seconds=60)
LOOK_AGAIN: Final = timedelta(seconds=1)


def is_over(due: DueAnnouncement, *, now: datetime) -> bool:
    """Whether it is not to be posted any more: it has become wrong, or is a day old."""
    if due.kind in CALLS_APPROVERS:
        return not isinstance(due.view.gate, Awaiting)
    return _has_become_wrong(due) or now - due.written_at > GIVE_UP_AFTER


def waits_until(due: DueAnnouncement, *, now: datetime) -> datetime | None:
    """When to look again, because the rollback of the failed deployment is under way or may come; None: post now."""
    if due.kind is not AnnouncementKind.DEPLOYMENT_FAILED:
        return None
    view = due.view
    if view.rollback is None:
        limit = ROLLBACK_MAY_SHOW if view.switch.auto_rollback else timedelta(0)
    else:
        limit = ROLLBACK_MAY_TAKE if is_rolling_back(view) else timedelta(0)
    return now + LOOK_AGAIN if now - due.written_at < limit else None


def is_rolling_back(view: GateView) -> bool:
    """Whether CodeDeploy rolls the deployment back, and traffic has not moved yet."""
    rollback = view.rollback
    return rollback is not None and rollback.ended_at is None and rollback.switched_at is None


def rollback_failed(view: GateView) -> bool:
    """Whether the rollback ended without moving traffic back."""
    rollback = view.rollback
    ended = rollback is not None and rollback.ended_at is not None and rollback.switched_at is None
    return ended and rollback is not None and rollback.status != "Succeeded"


def _has_become_wrong(due: DueAnnouncement) -> bool:
    match due.kind:
        case AnnouncementKind.REPORT_DELAYED:
            return not isinstance(due.view.gate, Decided)
        case AnnouncementKind.DEPLOYMENT_FAILED:
            return rollback_failed(due.view)  # announced by itself
        case AnnouncementKind.ROLLBACK_FAILED | AnnouncementKind.UNDO_FAILED:
            return is_undone(due.view)
        case _:
            return False
