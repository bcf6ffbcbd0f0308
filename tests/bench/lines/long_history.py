"""The main lines again once the record has a long history: each in baselines of its own moment, filled against empty.

`FULL=1` fills a million switches and ten million events (some ten minutes); else a fiftieth of that.
"""

import os
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from statistics import median
from typing import Final

from tests.bench.environment import BenchEnvironment
from tests.bench.lines.press_to_reported import press_to_reported
from tests.bench.load import get_request, send
from tests.bench.measurement import Measurement, quantile
from tests.bench.requests import approve_request, deploys_request
from tests.db.statements.history import fill_history

SWITCHES: Final = 1_000_000 if os.environ.get("FULL") == "1" else 20_000
ROUNDS: Final = 3
PAGES: Final = (
    "/api/v1/gates",
    "/api/v1/gates?domain=order",
    "/api/v1/switches?domain=order",
    "/api/v1/audit",
    "/api/v1/audit?domain=order&kind=gate_decided",
    "/api/v1/audit?person=U01MINA",
)
MAX_HISTORY: Final = 1.5


def measure(env: BenchEnvironment) -> Sequence[Measurement]:
    """A query that slows down with the history shows as a ratio above one."""
    _in_baselines(env)
    empty = _in_baselines(env)
    fill_history(env.url, switches=SWITCHES, now=datetime.now(UTC))
    _in_baselines(env)
    filled = _in_baselines(env)
    return [
        Measurement(
            name=f"{name}, {SWITCHES:,} ended switches",
            value=filled[name] / empty[name],
            wanted=MAX_HISTORY,
            unit="x",
            seen=f"{empty[name]:.2f} baselines, then {filled[name]:.2f}",
        )
        for name in empty
    ]


def _in_baselines(env: BenchEnvironment) -> Mapping[str, float]:
    """What each line costs, in baselines; the median of the rounds."""
    rounds: dict[str, list[float]] = {}
    for _ in range(ROUNDS):
        for name, line in LINES.items():
            env.waiting(20)
            env.settle()
            baseline = env.baseline(60, at_once=1).p(0.5)
            rounds.setdefault(name, []).append(line(env) / baseline)
    return {name: median(found) for name, found in rounds.items()}


def _hook(env: BenchEnvironment) -> float:
    return env.open_gates(12, at_once=1).p(0.5)


def _press(env: BenchEnvironment) -> float:
    requests = [approve_request(*gate) for gate in env.waiting(12)]
    return env.press(requests, at_once=8, rate=8).p(0.5)


def _reported(env: BenchEnvironment) -> float:
    return quantile(press_to_reported(env)[0], 0.5)


def _deploys(env: BenchEnvironment) -> float:
    requests = [deploys_request(response_url=f"{env.slack.url}/response/none") for _ in range(12)]
    return env.press(requests, at_once=1).p(0.5)


def _pages(env: BenchEnvironment) -> float:
    """The slowest page's median."""
    return max(
        send(env.service.url, [get_request(page)] * 12, at_once=1, expect=200).p(0.5) for page in PAGES
    )


LINES: Final[Mapping[str, Callable[[BenchEnvironment], float]]] = {
    "hook": _hook,
    "press to ack": _press,
    "press to CodeDeploy told": _reported,
    "/deploys": _deploys,
    "the slowest page of the API": _pages,
}
