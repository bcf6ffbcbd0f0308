"""Our end of the waiting comes before CodeDeploy's."""

from datetime import UTC, datetime, timedelta

import pytest

from app.gate.deadline import HOOK_TIMEOUT, MAX_DEADLINE, deadline_after, given_up_after

BEGAN = datetime(2026, 11, 24, 3, 0, tzinfo=UTC)


@pytest.mark.parametrize(("minutes", "allowed"), [(10, 10), (55, 55), (59, 59), (60, 59), (600, 59)])
def test_a_gate_ends_within_what_is_allowed_and_never_past_59_minutes(minutes: int, allowed: int) -> None:
    assert deadline_after(BEGAN, allowed=timedelta(minutes=minutes)) == BEGAN + timedelta(minutes=allowed)


def test_our_latest_end_is_inside_codedeploys_hour() -> None:
    assert MAX_DEADLINE < HOOK_TIMEOUT


def test_an_answer_is_given_up_only_once_codedeploy_has_surely_closed_the_hook() -> None:
    assert given_up_after(BEGAN) > BEGAN + HOOK_TIMEOUT
