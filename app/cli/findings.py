"""The results of `switchgate doctor`, one line each."""

from dataclasses import dataclass
from enum import StrEnum


class CheckStatus(StrEnum):
    """The result of one check."""

    OK = "ok"
    FAILED = "trouble"
    UNKNOWN = "unknown"
    """It could not be checked, or it may be intended."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Finding:
    """What was checked, its status, and what to do about it."""

    status: CheckStatus
    what: str
    said: str

    @property
    def is_failure(self) -> bool:
        return self.status is CheckStatus.FAILED

    def __str__(self) -> str:
        return f"{self.status:<8}{self.what}: {self.said}"


def ok(what: str, said: str) -> Finding:
    return Finding(status=CheckStatus.OK, what=what, said=said)


def failure(what: str, said: str, remedy: str) -> Finding:
    """`said` and `remedy` without and with a full stop."""
    return Finding(status=CheckStatus.FAILED, what=what, said=f"{said}. {remedy}")


def unknown(what: str, said: str) -> Finding:
    return Finding(status=CheckStatus.UNKNOWN, what=what, said=said)
