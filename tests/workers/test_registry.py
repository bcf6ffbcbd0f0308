"""The registry names every worker, its table and its wakeups, and ARCHITECTURE.md says the same."""

import re
from pathlib import Path
from typing import get_args

import pytest

from app.db.tables import metadata
from app.workers.registry import WORKERS
from app.workers.spec import WorkerSpec
from app.workers.wakeups import Topic, Wakeups

ARCHITECTURE = Path(__file__).parents[2] / "ARCHITECTURE.md"


def tables_of(spec: WorkerSpec) -> set[str]:
    return {part.split(":")[0] for part in spec.source.split("; ")} - {"memory"}


@pytest.mark.parametrize("spec", WORKERS, ids=lambda spec: spec.name)
def test_a_worker_finds_its_work_in_a_table(spec: WorkerSpec) -> None:
    assert tables_of(spec) <= metadata.tables.keys()


def test_names_are_unique() -> None:
    assert len({spec.name for spec in WORKERS}) == len(WORKERS)


def test_the_architecture_lists_each_worker_with_its_table() -> None:
    rows = re.findall(r"^\| `(\w+)` \| ([^|]+) \| [^|]+ \| [^|]+ \|$", ARCHITECTURE.read_text(), re.MULTILINE)
    documented = {name: set(re.findall(r"`(\w+)`", tables)) for name, tables in rows}
    assert documented == {spec.name: tables_of(spec) for spec in WORKERS}


def test_every_topic_wakes_a_worker() -> None:
    woken_by = {topic for spec in WORKERS for topic in spec.wakes_on}
    assert woken_by | {"config_reloaded"} == set(get_args(Topic))


def test_a_notification_wakes_the_subscribers_of_its_topic_only() -> None:
    woken: list[str] = []
    wakeups = Wakeups()
    wakeups.subscribe(["gate_opened", "gate_decided"], lambda: woken.append("card"))
    wakeups.subscribe(["gate_decided"], lambda: woken.append("report"))

    wakeups.notify("gate_opened")
    assert woken == ["card"]
    wakeups.notify("gate_decided")
    assert woken == ["card", "card", "report"]
    wakeups.notify("freeze_changed")
    assert len(woken) == 3
