"""`switchgate doctor` compares this machine's clock with the database's, Slack's and AWS's."""

import asyncio
import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from app.cli.doctor.clocks import ClockReading, http_reading
from app.cli.doctor.examine import examine
from app.cli.doctor.findings import CheckStatus, Finding
from app.sandbox.fakes import Fakes
from tests.cli.commands import Shell
from tests.harness import AT_ONCE

Examine = Callable[[float], dict[str, Finding]]

NOW = datetime(2026, 11, 27, 5, 0, tzinfo=UTC)
CLOCKS = ("clock against database", "clock against Slack", "clock against AWS")


@pytest.fixture
def fakes(tmp_path: Path) -> Iterator[Fakes]:
    with Fakes(tmp_path, speed=0.0, pace=AT_ONCE, seed=1) as built:
        yield built


@pytest.fixture
def examined(fakes: Fakes, database_url: str, monkeypatch: pytest.MonkeyPatch) -> Examine:
    """Examines on a machine whose clock is so many seconds ahead; gives the findings by what was examined."""
    environment = fakes.environment(database_url=database_url)
    for name, value in environment.items():
        if name.startswith("AWS_"):
            monkeypatch.setenv(name, value)

    def run(ahead: float) -> dict[str, Finding]:
        found = asyncio.run(examine(environment, clock=lambda: datetime.now(UTC) + timedelta(seconds=ahead)))
        return {finding.what: finding for finding in found}

    return run


def seconds(finding: Finding, difference: str) -> float:
    """How many times are returned; `difference` follows them."""
    told = re.match(rf"this machine's clock is about ([0-9.]+) s {difference}$", finding.said)
    assert told, finding
    return float(told[1])


def test_clocks_that_agree_are_ok(examined: Examine) -> None:
    found = examined(0)

    for clock in CLOCKS:
        assert str(found[clock]).startswith(f"ok      {clock}: they differ by at most ")


@pytest.mark.parametrize(("ahead", "direction"), [(120.0, "ahead of"), (-120.0, "behind")])
def test_a_clock_that_differs_is_a_warning(examined: Examine, ahead: float, direction: str) -> None:
    found = examined(ahead)

    for clock, other in zip(CLOCKS, ("the database", "Slack", "AWS"), strict=True):
        assert found[clock].status is CheckStatus.WARNING
        assert seconds(found[clock], f"{direction} that of {other}") == pytest.approx(120, abs=10)
        assert found[clock].remedy.endswith("with NTP, for example with chrony.")
    assert "From 300 s on, requests that Slack sends over HTTP are refused." in found[CLOCKS[1]].remedy
    assert not [finding for finding in found.values() if finding.is_failure]


@pytest.mark.parametrize("ahead", [400.0, -400.0])
def test_a_clock_difference_beyond_which_signatures_are_refused_is_a_failure(
    examined: Examine, ahead: float
) -> None:
    found = examined(ahead)

    assert {finding.what for finding in found.values() if finding.is_failure} == set(CLOCKS)


def test_each_clock_is_compared_by_itself(examined: Examine, fakes: Fakes) -> None:
    fakes.slack.clock.advance(30)

    found = examined(0)

    assert seconds(found["clock against Slack"], "behind that of Slack") == pytest.approx(30, abs=10)
    assert str(found["clock against database"]).startswith("ok ")
    assert str(found["clock against AWS"]).startswith("ok ")


def test_aws_sends_its_time_with_a_refusal_too(examined: Examine, fakes: Fakes) -> None:
    fakes.aws.faults.add("GetDeploymentGroup", "access_denied", times=None)

    found = examined(400)

    assert found["domain order"].is_failure
    assert seconds(found["clock against AWS"], "ahead of that of AWS") == pytest.approx(400, abs=10)


def test_the_command_exits_with_a_failure(fakes: Fakes, database_url: str, tmp_path: Path) -> None:
    fakes.slack.clock.advance(-400)

    said = Shell(tmp_path, fakes.environment(database_url=database_url)).run("doctor")

    assert said.status == 1
    assert "trouble clock against Slack: this machine's clock is about " in said.out


def at(seconds: float) -> datetime:
    return NOW + timedelta(seconds=seconds)


def test_a_slow_answer_and_whole_seconds_are_no_difference() -> None:
    """The Date header of 05:00:00 may have been written at 05:00:00.999, and at any time during the call."""
    slow = http_reading("Fri, 27 Nov 2026 05:00:00 GMT", asked=at(0), answered=at(6))
    assert slow is not None
    assert not slow.exceeds(timedelta(0))
    assert slow.most == timedelta(seconds=6)

    late = http_reading("Fri, 27 Nov 2026 05:00:00 GMT", asked=at(10), answered=at(16))
    assert late is not None
    assert late.exceeds(timedelta(seconds=8.9))
    assert not late.exceeds(timedelta(seconds=9.1))
    assert late.most == timedelta(seconds=16)


def test_an_exact_clock_is_compared_exactly() -> None:
    reading = ClockReading(shown=at(0), asked=at(-2.02), answered=at(-2))

    assert reading.ahead == timedelta(seconds=-2.01)
    assert reading.exceeds(timedelta(seconds=1.99))
    assert not reading.exceeds(timedelta(seconds=2.01))


@pytest.mark.parametrize("date", [None, "", "yesterday", "2026-11-27T05:00:00Z"])
def test_a_date_that_cannot_be_read_is_none(date: str | None) -> None:
    assert http_reading(date, asked=NOW, answered=NOW) is None
