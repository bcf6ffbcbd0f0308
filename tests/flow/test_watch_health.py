"""How often green is looked at after the decision: within AWS's rates, however many switches are live."""

from dataclasses import replace
from datetime import timedelta

import pytest

from app.flow.evidence.watch_health import GRID, LIVE_INTERVAL, MOVING_INTERVAL, next_look
from app.flow.ports.evidence import DueEvidence
from app.flow.read_models import GateView
from app.flow.switch_progress import is_watched
from app.gate.decision import Verdict
from app.gate.rules.permits import Basis
from app.gate.state_machine import Outcome
from tests.flow.lifecycle.test_traffic_reading import MOVING, STOPPED, SWITCHED, approved
from tests.slack.sample_gates import NOON, REJECTED, SWITCH, filled, reported, view


def pause(watched: int, *, moving: bool = False) -> timedelta:
    shown = approved(switch=MOVING if moving else SWITCHED)
    due = filled(DueEvidence, attempts=1, view=shown, waiting_gates=0, watched_switches=watched)
    return next_look(due, now=NOON) - NOON


@pytest.mark.parametrize(
    ("watched", "moving", "wanted"),
    [
        (1, True, MOVING_INTERVAL),
        (1, False, LIVE_INTERVAL),
        (25, False, LIVE_INTERVAL),
        (725, False, timedelta(seconds=725)),
    ],
)
def test_all_watched_switches_share_one_read_a_second(watched: int, moving: bool, wanted: timedelta) -> None:
    assert wanted - GRID < pause(watched, moving=moving) <= wanted


WATCHED = {
    "waiting": (view(), False),
    "approved": (approved(), True),
    "moving": (approved(switch=MOVING), True),
    "live": (approved(switch=SWITCHED), True),
    "stopped": (approved(switch=replace(SWITCHED, **STOPPED)), False),
    "rejected": (view(reported(Verdict.REJECTED, Outcome.ACKNOWLEDGED), **REJECTED), False),
    "rejected, and traffic moves all the same": (
        view(
            reported(Verdict.REJECTED, Outcome.CONFLICT), **REJECTED, switch=replace(SWITCH, green_percent=10)
        ),
        True,
    ),
    "an automatic rollback": (approved(basis=Basis.AUTO_ROLLBACK, switch=MOVING), False),
}


@pytest.mark.parametrize(("shown", "watched"), WATCHED.values(), ids=WATCHED)
def test_green_is_watched_while_traffic_may_be_on_it_and_blue_runs(shown: GateView, watched: bool) -> None:
    assert is_watched(shown) is watched
