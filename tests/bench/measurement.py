"""One line of the table: what was measured, what is wanted, and whether it is missed."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil
from typing import Final, Literal

SLACK: Final = 0.2
"""A target counts as missed when it is missed by more than a fifth: machines are noisy."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Measurement:
    """`wanted` is the target (a maximum or a minimum), in `unit`; `seen` has the raw numbers behind it."""

    name: str
    value: float
    wanted: float
    unit: Literal["x", "ms", "s", "MB", "%"]
    seen: str = ""
    at: Literal["most", "least"] = "most"

    @property
    def met(self) -> bool:
        return self.value <= self.wanted if self.at == "most" else self.value >= self.wanted

    @property
    def missed(self) -> bool:
        """By more than a fifth."""
        if self.at == "most":
            return self.value > self.wanted * (1 + SLACK)
        return self.value < self.wanted * (1 - SLACK)

    def __str__(self) -> str:
        sign = "<=" if self.at == "most" else ">="
        verdict = "ok" if self.met else "MISSED" if self.missed else "near"
        wanted = f"{sign} {self.wanted:g} {self.unit}"
        return f"{verdict:<7}{self.name:<52}{self.value:>9.2f} {self.unit:<3}{wanted:<11}{self.seen}"


def quantile(values: Sequence[float], share: float) -> float:
    """The value that `share` of them do not exceed."""
    ordered = sorted(values)
    return ordered[max(0, ceil(share * len(ordered)) - 1)]
