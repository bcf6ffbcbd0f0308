"""Checks: named results that CI, or a probe of ours, attaches to a switch."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

MAX_NAME_CHARS: Final = 100
MAX_SUMMARY_CHARS: Final = 500
MAX_URL_CHARS: Final = 2000
MAX_CHECKS: Final = 100
"""Maximum number of checks of a switch; a person reads them on the card."""

PROBE: Final = "probe"
"""What a check's `by` says when Switchgate itself ran it; callers of the API are `api:NAME`."""


class CheckState(StrEnum):
    PENDING = "pending"
    PASSED = "passed"
    FAILED = "failed"


def is_check_name(value: str) -> bool:
    """1 to 100 printable characters, without surrounding blanks and without slashes, because it is part of a URL."""
    return (
        0 < len(value) <= MAX_NAME_CHARS
        and value == value.strip()
        and value.isprintable()
        and "/" not in value
    )


@dataclass(frozen=True, kw_only=True, slots=True)
class Check:
    """The latest reported result. `by` is the reporter: `api:NAME` of a token, or `probe`."""

    name: str
    state: CheckState
    summary: str
    url: str | None
    by: str
    at: datetime


@dataclass(frozen=True, kw_only=True, slots=True)
class Probe:
    """A request that the service sends and that must be answered as expected; its result is a check of the same name.

    `json_path` names a value in a JSON answer (`status`, `components.db.0.status`) that must equal `json_equals`.
    """

    name: str
    url: str
    method: str
    expect_status: int
    json_path: str | None
    json_equals: str | int | float | bool | None
    timeout: timedelta
