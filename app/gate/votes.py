"""A person's vote on a gate."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final

from app.gate.people import Person


class Choice(StrEnum):
    APPROVE = "approve"
    REJECT = "reject"


@dataclass(frozen=True, kw_only=True, slots=True)
class Vote:
    person: Person
    choice: Choice
    reason: str
    at: datetime


NO_REASON: Final = "-"
"""The stored reason of a rejection or withdrawal that gives none."""
