"""How a gate ends, and what CodeDeploy is to be told of it."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import assert_never

from app.gate.ids import UserId
from app.gate.rules.permits import Permit


class Answer(StrEnum):
    """The two statuses that PutLifecycleEventHookExecutionStatus takes."""

    SUCCEEDED = "Succeeded"
    FAILED = "Failed"


@dataclass(frozen=True, kw_only=True, slots=True)
class Approval:
    permit: Permit
    at: datetime


@dataclass(frozen=True, kw_only=True, slots=True)
class Rejection:
    by: UserId
    name: str
    reason: str
    at: datetime


@dataclass(frozen=True, kw_only=True, slots=True)
class Expiry:
    """Nobody decided in time. No answer is a no."""

    at: datetime


Decision = Approval | Rejection | Expiry
"""What people or the deadline decide. A withdrawal is none of these: the question went away."""


class Verdict(StrEnum):
    """How a gate ended: its name in the record, on cards and in the API."""

    APPROVED = "approved"
    REJECTED = "rejected"
    EXPIRED = "expired"
    WITHDRAWN = "withdrawn"


def verdict_of(decision: Decision) -> Verdict:
    """The decision's name."""
    match decision:
        case Approval():
            return Verdict.APPROVED
        case Rejection():
            return Verdict.REJECTED
        case Expiry():
            return Verdict.EXPIRED
        case _:
            assert_never(decision)


def answer_to(verdict: Verdict) -> Answer | None:
    """What CodeDeploy hears; None where nobody is left to be told."""
    match verdict:
        case Verdict.APPROVED:
            return Answer.SUCCEEDED
        case Verdict.REJECTED | Verdict.EXPIRED:
            return Answer.FAILED
        case Verdict.WITHDRAWN:
            return None
        case _:
            assert_never(verdict)
