"""Interventions and their rows."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import bindparam

from app.flow.undo.intervention import (
    Intervention,
    InterventionFailure,
    InterventionPhase,
    InterventionProblem,
)
from app.gate.ids import UserId
from app.gate.undo import InterventionKind

PROBLEM: Final[Mapping[str, Any]] = {
    "problem_code": bindparam("failure_code"),
    "problem": bindparam("failure_detail"),
}
"""Sets the columns of the problem; `problem_values` gives the values."""


def problem_values(
    problem: InterventionProblem | None, *, max_chars: int | None = None
) -> dict[str, str | None]:
    """The parameters of `PROBLEM`. `max_chars`: of the detail."""
    if problem is None:
        return {"failure_code": None, "failure_detail": None}
    return {"failure_code": problem.code, "failure_detail": problem.detail[:max_chars] or None}


def intervention_from_json(stored: Mapping[str, Any]) -> Intervention:
    """An intervention from its row as JSON."""
    finished_at = stored["finished_at"]
    return Intervention(
        id=UUID(stored["id"]),
        kind=InterventionKind(stored["kind"]),
        phase=InterventionPhase(stored["phase"]),
        by=UserId(stored["requested_by"]),
        name=stored["requested_name"],
        reason=stored["reason"],
        requested_at=datetime.fromisoformat(stored["requested_at"]),
        deployment=stored["deployment_id"],
        problem=_problem(stored["problem_code"], stored["problem"]),
        finished_at=datetime.fromisoformat(finished_at) if finished_at else None,
    )


def _problem(code: str | None, detail: str | None) -> InterventionProblem | None:
    if not code and not detail:
        return None
    return InterventionProblem(code=InterventionFailure(code) if code else None, detail=detail or "")
