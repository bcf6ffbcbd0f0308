"""The lines of the table, one a file. A new one is written beside these and named here, in the order of running.

What fills the record for good comes last; what has been taken back is looked at every second for a while, so
watching at rest comes before it.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Final

from tests.bench.lines import (
    deploys,
    evidence_seen,
    hook_intake,
    long_history,
    press_to_ack,
    press_to_told,
    process,
    undo_sent,
    watching,
)
from tests.bench.measured import Measured
from tests.bench.scene import Scene

LINES: Final[Mapping[str, Callable[[Scene], Sequence[Measured]]]] = {
    "process": process.measure,
    "evidence": evidence_seen.measure,
    "hooks": hook_intake.measure,
    "ack": press_to_ack.measure,
    "told": press_to_told.measure,
    "watch": watching.measure,
    "undo": undo_sent.measure,
    "deploys": deploys.measure,
    "history": long_history.measure,
}
