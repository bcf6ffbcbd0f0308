"""How a gate ends, and the answer that is reported to CodeDeploy."""

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
    """Nobody decided before the deadline. The gate then counts as rejected."""

    at: datetime


@dataclass(frozen=True, kw_only=True, slots=True)
class Withdrawal:
    """Who deployed wants the switch no more. `by`: their Slack user; None: a pipeline, which `name` names."""

    by: UserId | None
    name: str
    reason: str
    at: datetime


Decision = Approval | Rejection | Expiry | Withdrawal
"""What ends the wait of a gate with an answer. A gate whose deployment ended by itself is closed without one."""


class Verdict(StrEnum):
    """How a gate ended: the name used in the database, on cards and in the API."""

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
        case Withdrawal():
            return Verdict.WITHDRAWN
        case _:
            assert_never(decision)


def answer_to(verdict: Verdict) -> Answer:
    """The status to report to CodeDeploy. For a gate that was closed without a decision no report is sent."""
    match verdict:
        case Verdict.APPROVED:
            return Answer.SUCCEEDED
        case Verdict.REJECTED | Verdict.EXPIRED | Verdict.WITHDRAWN:
            return Answer.FAILED
        case _:
            assert_never(verdict)
