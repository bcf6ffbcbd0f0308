"""Faults that the page switches on and off."""

from collections.abc import Callable
from dataclasses import dataclass
from threading import Lock
from typing import Final

from app.sandbox.fakes import Fakes

REPORT: Final = "PutLifecycleEventHookExecutionStatus"


@dataclass(frozen=True, kw_only=True, slots=True)
class FaultToggle:
    """A fault. Its texts are under `fault.<name>`; `begin` injects it."""

    name: str
    begin: Callable[[Fakes], object]


def _limit(fakes: Fakes) -> None:
    for method in ("chat.postMessage", "chat.update"):
        fakes.slack.faults.ratelimit(method, retry_after=5, times=2)


FAULT_TOGGLES: Final = (
    FaultToggle(
        name="throttled",
        begin=lambda fakes: fakes.aws.faults.rate("*", throttle=0.7),
    ),
    FaultToggle(
        name="lost-answers",
        begin=lambda fakes: fakes.aws.faults.add(REPORT, "error_after_commit", times=None),
    ),
    FaultToggle(
        name="access-denied",
        begin=lambda fakes: fakes.aws.faults.add(REPORT, "access_denied", times=None),
    ),
    FaultToggle(
        name="double-hooks",
        begin=lambda fakes: fakes.aws.faults.hook_rate(duplicate=1.0),
    ),
    FaultToggle(
        name="slack-away",
        begin=lambda fakes: fakes.slack.faults.outage(),
    ),
    FaultToggle(
        name="slack-limited",
        begin=_limit,
    ),
)


class FaultToggles:
    """The active faults. Thread-safe."""

    def __init__(self, fakes: Fakes) -> None:
        self._fakes = fakes
        self._on: dict[str, FaultToggle] = {}
        self._lock = Lock()

    def switch(self, name: str, *, on: bool) -> FaultToggle:
        """Raises `LookupError` for a toggle that is not on the list."""
        toggle = next((one for one in FAULT_TOGGLES if one.name == name), None)
        if toggle is None:
            raise LookupError(f"no trouble {name}")
        with self._lock:
            self._on.pop(name, None)
            self._on |= {name: toggle} if on else {}
            self._apply()
        return toggle

    def clear(self) -> None:
        """Clears all faults."""
        with self._lock:
            self._on.clear()
            self._apply()

    def piece(self) -> list[str]:
        """Their names."""
        return list(self._on)

    def _apply(self) -> None:
        """Two faults may affect the same operation, so all are cleared and the active ones are injected again."""
        self._fakes.aws.faults.clear()
        self._fakes.slack.faults.clear()
        for toggle in self._on.values():
            toggle.begin(self._fakes)
