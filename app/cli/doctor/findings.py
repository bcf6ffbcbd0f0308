"""The results of `switchgate doctor`, one line each."""

import json
from collections.abc import Iterable
from dataclasses import dataclass, replace
from enum import StrEnum

from app.observability.redaction import masked_text


class CheckStatus(StrEnum):
    """The result of one check."""

    OK = "ok"
    FAILED = "trouble"
    WARNING = "warning"
    """It works, and may be intended."""
    UNKNOWN = "unknown"
    """It could not be checked."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Finding:
    """What was checked, its status, what was found, and what to do about it (empty: nothing)."""

    status: CheckStatus
    what: str
    said: str
    remedy: str = ""

    @property
    def is_failure(self) -> bool:
        return self.status is CheckStatus.FAILED

    def redacted(self) -> "Finding":
        """Without the secrets that are registered; each field by itself, so that JSON stays JSON."""
        return replace(
            self,
            what=masked_text(self.what),
            said=masked_text(self.said),
            remedy=masked_text(self.remedy),
        )

    def __str__(self) -> str:
        told = f"{self.said}. {self.remedy}" if self.remedy else self.said
        return f"{self.status:<8}{self.what}: {told}"

    def as_json(self) -> str:
        """One line."""
        shown = {"status": self.status, "what": self.what, "said": self.said, "remedy": self.remedy or None}
        return json.dumps(shown, ensure_ascii=False)


def ok(what: str, said: str) -> Finding:
    return Finding(status=CheckStatus.OK, what=what, said=said)


def failure(what: str, said: str, remedy: str) -> Finding:
    """`said` and `remedy` without and with a full stop."""
    return Finding(status=CheckStatus.FAILED, what=what, said=said, remedy=remedy)


def warning(what: str, said: str, remedy: str = "") -> Finding:
    return Finding(status=CheckStatus.WARNING, what=what, said=said, remedy=remedy)


def unknown(what: str, said: str, remedy: str = "") -> Finding:
    return Finding(status=CheckStatus.UNKNOWN, what=what, said=said, remedy=remedy)


def exit_status(findings: Iterable[Finding]) -> int:
    """1: there is a failure. 2: there is none, but something could not be checked. 0: neither."""
    found = {finding.status for finding in findings}
    if CheckStatus.FAILED in found:
        return 1
    return 2 if CheckStatus.UNKNOWN in found else 0
