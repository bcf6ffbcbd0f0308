"""Injects faults between a caller and AWS."""

import random
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Literal, TypedDict, Unpack, get_args

Kind = Literal[
    "throttle",
    "error",
    "unavailable",
    "drop",
    "access_denied",
    "expired_token",
    "signature_expired",
    "error_after_commit",
    "drop_after_commit",
    "timeout_after_commit",
]
"""`error` is a 500, `unavailable` a 503; `signature_expired` is what a wrong clock leads to; `drop` closes the
connection without an answer; `timeout_…` keeps it open and silent until the caller gives up. What is
`…_after_commit` has happened although the caller gets no success; everything else has not happened."""

AFTER_COMMIT: Final = frozenset({"error_after_commit", "drop_after_commit", "timeout_after_commit"})
EVERY_OP: Final = "*"


class Chances(TypedDict, total=False):
    """Probabilities, 0 to 1, tried in this order; the first that is drawn applies."""

    throttle: float
    error: float
    unavailable: float
    drop: float
    access_denied: float
    expired_token: float
    signature_expired: float
    error_after_commit: float
    drop_after_commit: float
    timeout_after_commit: float


@dataclass(frozen=True, slots=True)
class FaultEffect:
    """The effect on one request: a delay in real seconds, and at most one kind of fault."""

    delay: float = 0.0
    kind: Kind | None = None

    @property
    def before_commit(self) -> Kind | None:
        return None if self.kind in AFTER_COMMIT else self.kind

    @property
    def after_commit(self) -> Kind | None:
        return self.kind if self.kind in AFTER_COMMIT else None


@dataclass(slots=True)
class _Due:
    kind: Kind
    times: int | None


@dataclass(slots=True)
class _Slow:
    seconds: float
    times: int | None


@dataclass(slots=True)
class _Hooks:
    duplicated: int = 0
    lost: int = 0
    progress_reads: int = 0
    ending_reads: int = 0
    unfound_reads: int = 0
    late_answers: int = 0
    rates: Mapping[str, float] = field(default_factory=dict)


class Faults:
    """Safe from any thread. `op` is an operation of any service (`GetDeployment`), or `*` for all of them.

    A fault applies to one HTTP request, so a client that retries uses up one per try.
    """

    def __init__(self, seed: int | None = None) -> None:
        self._lock = threading.Lock()
        self._chance = random.Random(seed)
        self._due: dict[str, list[_Due]] = {}
        self._slow: dict[str, _Slow] = {}
        self._rates: dict[str, Mapping[str, float]] = {}
        self._hooks = _Hooks()

    def add(self, op: str, kind: Kind, *, times: int | None = 1) -> None:
        """Applies to the next `times` requests, after the faults added before; None: until cleared."""
        if kind not in get_args(Kind):
            raise ValueError(f"no such fault: {kind}")
        with self._lock:
            self._due.setdefault(op, []).append(_Due(kind, times))

    def slow(self, op: str, milliseconds: float, *, times: int | None = None) -> None:
        """Answers so much later, in real time; None: until cleared."""
        with self._lock:
            self._slow[op] = _Slow(milliseconds / 1000, times)

    def rate(self, op: str, **chances: Unpack[Chances]) -> None:
        """Applies at random, by the stand-in's seed; no chances: never."""
        unknown = set(chances) - set(get_args(Kind))
        if unknown:
            raise ValueError(f"no such fault: {', '.join(sorted(unknown))}")
        with self._lock:
            self._rates[op] = {
                kind: chance for kind, chance in chances.items() if isinstance(chance, float | int)
            }

    def duplicate_hooks(self, times: int = 1) -> None:
        """The next hooks are delivered twice, at once."""
        with self._lock:
            self._hooks.duplicated += times

    def lose_hooks(self, times: int = 1) -> None:
        """The next hooks never arrive."""
        with self._lock:
            self._hooks.lost += times

    def hook_rate(self, *, duplicate: float = 0.0, lose: float = 0.0) -> None:
        """Probabilities for every hook from now on."""
        with self._lock:
            self._hooks.rates = {"duplicate": duplicate, "lose": lose}

    def delay_progress(self, reads: int) -> None:
        """From now on a lifecycle event with a hook reads Pending this many times before InProgress."""
        with self._lock:
            self._hooks.progress_reads = reads

    def delay_endings(self, reads: int) -> None:
        """From now on an event whose hook has been answered still reads InProgress so many times."""
        with self._lock:
            self._hooks.ending_reads = reads

    def delay_deployments(self, reads: int) -> None:
        """From now on a new deployment is not found by its first reads."""
        with self._lock:
            self._hooks.unfound_reads = reads

    def take_late_answers(self, times: int = 1) -> None:
        """The next answers to hooks that have one already get a 200, and change nothing."""
        with self._lock:
            self._hooks.late_answers += times

    def clear(self, op: str | None = None) -> None:
        """Clears the faults of one operation, or all faults."""
        with self._lock:
            for faults in (self._due, self._slow, self._rates):
                if op is None:
                    faults.clear()
                else:
                    faults.pop(op, None)
            if op is None:
                self._hooks = _Hooks()

    def take(self, op: str) -> FaultEffect:
        """The effect on a request that has just arrived."""
        with self._lock:
            if not (self._due or self._slow or self._rates):
                return FaultEffect()
            return FaultEffect(self._take_delay(op), self._take_due(op) or self._draw(op))

    @property
    def progress_reads(self) -> int:
        return self._hooks.progress_reads

    @property
    def ending_reads(self) -> int:
        return self._hooks.ending_reads

    @property
    def unfound_reads(self) -> int:
        return self._hooks.unfound_reads

    def takes_late_answer(self) -> bool:
        """Whether a late answer to a hook is accepted."""
        with self._lock:
            taken = self._hooks.late_answers > 0
            self._hooks.late_answers -= taken
            return taken

    def hook_deliveries(self) -> int:
        """How often the hook that is about to be called arrives: 0, 1 or 2 times."""
        with self._lock:
            hooks = self._hooks
            if hooks.lost:
                hooks.lost -= 1
                return 0
            if hooks.duplicated:
                hooks.duplicated -= 1
                return 2
            if self._chance.random() < hooks.rates.get("lose", 0.0):
                return 0
            return 2 if self._chance.random() < hooks.rates.get("duplicate", 0.0) else 1

    def _take_due(self, op: str) -> Kind | None:
        for name in (op, EVERY_OP):
            waiting = self._due.get(name)
            if not waiting:
                continue
            first = waiting[0]
            if first.times is not None:
                first.times -= 1
                if first.times <= 0:
                    waiting.pop(0)
            return first.kind
        return None

    def _take_delay(self, op: str) -> float:
        name = op if op in self._slow else EVERY_OP
        slow = self._slow.get(name)
        if slow is None:
            return 0.0
        if slow.times is not None:
            slow.times -= 1
            if slow.times <= 0:
                del self._slow[name]
        return slow.seconds

    def _draw(self, op: str) -> Kind | None:
        chances = self._rates.get(op) or self._rates.get(EVERY_OP) or {}
        kinds: tuple[Kind, ...] = get_args(Kind)
        return next(
            (kind for kind in kinds if kind in chances and self._chance.random() < chances[kind]), None
        )
