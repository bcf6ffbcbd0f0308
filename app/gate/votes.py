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
class FormAnswers:
    """A submitted approve form, by ids of questions: those that it asked, and those that were ticked."""

    asked: frozenset[str]
    ticked: frozenset[str]


@dataclass(frozen=True, kw_only=True, slots=True)
class QuestionAnswer:
    """What one approver said to one question."""

    question: str
    confirmed: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class Vote:
    person: Person
    choice: Choice
    reason: str
    at: datetime
    form: FormAnswers | None = None
    """What the form asked; None: no form was filled in."""
    answers: tuple[QuestionAnswer, ...] = ()
    """The same with the questions' texts, as it is stored."""


NO_REASON: Final = "-"
"""The stored reason of a rejection or withdrawal that gives none."""
