"""When those who may decide are reminded."""

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

from app.gate.reminders import QuietHours, ReminderKind, ReminderSettings, next_reminder, reminders

OPENED = datetime(2026, 11, 24, 3, 0, tzinfo=UTC)
DEADLINE = OPENED + timedelta(minutes=55)


def planned(reminder_settings: ReminderSettings) -> list[tuple[ReminderKind, int]]:
    """Each reminder, and how many minutes after the opening."""
    return [
        (one.kind, round((one.at - OPENED).total_seconds() / 60))
        for one in reminders(reminder_settings, opened_at=OPENED, deadline_at=DEADLINE)
    ]


def test_by_default_at_half_time_and_ten_minutes_before_the_deadline() -> None:
    assert planned(ReminderSettings()) == [(ReminderKind.HALF, 28), (ReminderKind.LAST, 45)]


def test_quiet_hours_spare_a_reminder_and_no_escalation() -> None:
    quiet = QuietHours(
        since=time(22), until=time(13), zone=ZoneInfo("Asia/Seoul")
    )  # 12:00 there when it opens
    assert planned(ReminderSettings(quiet=quiet, escalate_to="S0LEADS")) == [(ReminderKind.ESCALATION, 35)]


def test_what_would_come_before_the_opening_is_left_out() -> None:
    short = ReminderSettings(at_half=False, before=(timedelta(minutes=58), timedelta(minutes=5)))
    assert planned(short) == [(ReminderKind.LAST, 50)]


def test_the_next_one_is_the_first_that_is_still_to_come() -> None:
    following = next_reminder(
        ReminderSettings(), opened_at=OPENED, deadline_at=DEADLINE, after=OPENED + timedelta(minutes=30)
    )
    assert following is not None
    assert following.kind is ReminderKind.LAST
    late = next_reminder(ReminderSettings(), opened_at=OPENED, deadline_at=DEADLINE, after=DEADLINE)
    assert late is None
