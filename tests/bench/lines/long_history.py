"""The main lines again once the record has a long history: each in floors of its own moment, filled against empty.

`FULL=1` fills a million switches and ten million events (some ten minutes); else a fiftieth of that.
"""

import os
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from statistics import median
from typing import Final

from tests.bench.lines.press_to_told import told
from tests.bench.load import get_request, send
from tests.bench.measured import Measured, quantile
from tests.bench.requests import approve_request, deploys_request
from tests.bench.scene import Scene
from tests.db.history import fill_history

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
MOST: Final = 1.5


def measure(scene: Scene) -> Sequence[Measured]:
    """Whatever an index or a plan loses to the history shows as a ratio above one."""
    _in_floors(scene)
    empty = _in_floors(scene)
    fill_history(scene.url, switches=SWITCHES, now=datetime.now(UTC))
    _in_floors(scene)
    filled = _in_floors(scene)
    return [
        Measured(
            name=f"{name}, {SWITCHES:,} ended switches",
            value=filled[name] / empty[name],
            wanted=MOST,
            unit="x",
            seen=f"{empty[name]:.2f} floors, then {filled[name]:.2f}",
        )
        for name in empty
    ]


def _in_floors(scene: Scene) -> Mapping[str, float]:
    """What each line costs, in floors; the median of the rounds."""
    rounds: dict[str, list[float]] = {}
    for _ in range(ROUNDS):
        for name, line in LINES.items():
            scene.waiting(20)
            scene.settle()
            floor = scene.floor(60, at_once=1).p(0.5)
            rounds.setdefault(name, []).append(line(scene) / floor)
    return {name: median(found) for name, found in rounds.items()}


def _hook(scene: Scene) -> float:
    return scene.open_gates(12, at_once=1).p(0.5)


def _press(scene: Scene) -> float:
    requests = [approve_request(*gate) for gate in scene.waiting(12)]
    return scene.press(requests, at_once=8, rate=8).p(0.5)


def _told(scene: Scene) -> float:
    return quantile(told(scene)[0], 0.5)


def _deploys(scene: Scene) -> float:
    requests = [deploys_request(response_url=f"{scene.slack.url}/response/none") for _ in range(12)]
    return scene.press(requests, at_once=1).p(0.5)


def _pages(scene: Scene) -> float:
    """The slowest page's median."""
    return max(
        send(scene.service.url, [get_request(page)] * 12, at_once=1, expect=200).p(0.5) for page in PAGES
    )


LINES: Final[Mapping[str, Callable[[Scene], float]]] = {
    "hook": _hook,
    "press to ack": _press,
    "press to CodeDeploy told": _told,
    "/deploys": _deploys,
    "the slowest page of the API": _pages,
}
