"""The thread's line of a switch: CodeDeploy's own time, and until when blue runs if that is known."""

from datetime import timedelta
from pathlib import Path

import pytest

from app.flow.audit_events import SWITCHGATE, Detail, Event, Kind
from app.gate.rules.permits import Basis
from tests.slack.cards.test_progress import LATER, approved, line
from tests.slack.sample_gates import SWITCH

MOVED = LATER - timedelta(seconds=55)
UNTIL = MOVED + timedelta(minutes=5)


def switched(**detail: Detail) -> Event:
    return Event(at=LATER, kind=Kind.SWITCHED, switch=SWITCH.key, actor=SWITCHGATE, detail=detail)


def test_it_says_when_codedeploy_did_it_and_not_when_it_was_seen(tmp_path: Path) -> None:
    seen = switched(switched_at=MOVED.isoformat(), blue_until=UNTIL.isoformat())
    said = line(approved(), seen, tmp_path)
    assert said.startswith(f"<!date^{int(MOVED.timestamp())}^")
    assert f"Blue runs until <!date^{int(UNTIL.timestamp())}^" in said


@pytest.mark.parametrize("detail", [{}, {"blue_until": "", "switched_at": ""}])
def test_where_codedeploy_has_not_told_it_promises_no_time(tmp_path: Path, detail: dict[str, Detail]) -> None:
    said = line(approved(), switched(**detail), tmp_path)
    assert said.startswith(f"<!date^{int(LATER.timestamp())}^")
    assert said.endswith("Blue is still running.")


@pytest.mark.parametrize("basis", [Basis.UNDO, Basis.AUTO_ROLLBACK])
def test_a_rollback_says_that_the_previous_version_serves(tmp_path: Path, basis: Basis) -> None:
    timed = line(
        approved(basis=basis),
        switched(blue_until=UNTIL.isoformat(), switched_at=LATER.isoformat()),
        tmp_path,
    )
    assert line(approved(basis=basis), switched(), tmp_path) == timed
