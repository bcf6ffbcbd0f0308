"""The kinds of announcements."""

from enum import StrEnum
from typing import Final


class AnnouncementKind(StrEnum):
    """What is announced in a card's thread, and shown in the channel too."""

    BREAK_GLASS = "break_glass"
    FREEZE_ENDED = "freeze_ended"
    EXCLUSIVITY_FREE = "exclusivity_free"
    DEPLOYMENT_FAILED = "deployment_failed"
    ROLLBACK_FAILED = "rollback_failed"
    UNDO_FAILED = "undo_failed"
    REPORT_CONFLICT = "report_conflict"
    REPORT_UNDELIVERABLE = "report_undeliverable"
    REPORT_DELAYED = "report_delayed"
    EXPIRED_WHILE_AWAY = "expired_while_away"


CALLS_APPROVERS: Final = frozenset({AnnouncementKind.FREEZE_ENDED, AnnouncementKind.EXCLUSIVITY_FREE})
"""What calls the approvers to a gate that waits."""

PROBLEMS: Final = frozenset(
    {
        AnnouncementKind.DEPLOYMENT_FAILED,
        AnnouncementKind.ROLLBACK_FAILED,
        AnnouncementKind.UNDO_FAILED,
        AnnouncementKind.REPORT_CONFLICT,
        AnnouncementKind.REPORT_UNDELIVERABLE,
        AnnouncementKind.REPORT_DELAYED,
        AnnouncementKind.EXPIRED_WHILE_AWAY,
    }
)
"""What went wrong: approvers, deployer and `escalate_to` are called."""
