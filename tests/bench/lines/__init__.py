"""The lines of the table, one a file, in the order of execution.

The line that fills the database permanently comes last. A switch that was undone is polled every second for a while,
so the line that watches at rest comes before undo.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Final

from tests.bench.environment import BenchEnvironment
from tests.bench.lines import (
    deploys,
    evidence_seen,
    hook_intake,
    long_history,
    polling,
    press_to_ack,
    press_to_reported,
    process,
    undo_sent,
)
from tests.bench.measurement import Measurement

LINES: Final[Mapping[str, Callable[[BenchEnvironment], Sequence[Measurement]]]] = {
    "process": process.measure,
    "evidence": evidence_seen.measure,
    "hooks": hook_intake.measure,
    "ack": press_to_ack.measure,
    "told": press_to_reported.measure,
    "watch": polling.measure,
    "undo": undo_sent.measure,
    "deploys": deploys.measure,
    "history": long_history.measure,
}
