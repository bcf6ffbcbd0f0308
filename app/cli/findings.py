"""What the doctor finds: a line each."""

from dataclasses import dataclass
from enum import StrEnum


class Mark(StrEnum):
    """How it stands."""

    OK = "ok"
    TROUBLE = "trouble"
    UNKNOWN = "unknown"
    """It could not be looked at; that may be right."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Finding:
    """`what` was looked at, how it stands, and what to do about it."""

    mark: Mark
    what: str
    said: str

    @property
    def is_trouble(self) -> bool:
        return self.mark is Mark.TROUBLE

    def __str__(self) -> str:
        return f"{self.mark:<8}{self.what}: {self.said}"


def ok(what: str, said: str) -> Finding:
    return Finding(mark=Mark.OK, what=what, said=said)


def trouble(what: str, said: str, remedy: str) -> Finding:
    """`said` and `remedy` without and with a full stop."""
    return Finding(mark=Mark.TROUBLE, what=what, said=f"{said}. {remedy}")


def unknown(what: str, said: str) -> Finding:
    return Finding(mark=Mark.UNKNOWN, what=what, said=said)
