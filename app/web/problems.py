"""RFC 9457 problem details: the one form in which the API and the hooks answer with an error."""

from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any, Final

from fastapi import HTTPException
from fastapi.responses import JSONResponse
from pydantic import BaseModel

PROBLEM_JSON: Final = "application/problem+json"


class FieldError(BaseModel):
    """What is wrong with one parameter or field, and what to write instead."""

    field: str
    detail: str


class Problem(BaseModel):
    """Why a request failed. `detail` is for people; programs read `error`, the last part of `type`."""

    type: str
    title: str
    status: int
    detail: str
    error: str
    instance: str | None = None
    errors: list[FieldError] | None = None


class ProblemError(HTTPException):
    """Answers the request with a problem. `code` names its type."""

    def __init__(
        self,
        status: int,
        code: str,
        detail: str,
        *,
        errors: Sequence[FieldError] = (),
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(status, detail, headers)
        self.code = code
        self.errors = errors


def problem_response(
    status: int,
    detail: str,
    *,
    code: str | None = None,
    instance: str | None = None,
    errors: Sequence[FieldError] = (),
    headers: Mapping[str, str] | None = None,
) -> JSONResponse:
    """The response. Without a `code` the type is named after the status."""
    code = code or HTTPStatus(status).phrase.lower().replace(" ", "_").replace("-", "_")
    problem = Problem(
        type=f"urn:switchgate:problem:{code}",
        title=code.replace("_", " ").capitalize(),
        status=status,
        detail=detail,
        error=code,
        instance=instance,
        errors=list(errors) or None,
    )
    return JSONResponse(problem.model_dump(exclude_none=True), status, headers, media_type=PROBLEM_JSON)


def invalid(errors: Sequence[FieldError], *, status: int = 422, code: str = "invalid") -> ProblemError:
    """A problem with fields; its `detail` is all of theirs."""
    detail = "; ".join(f"{error.field}: {error.detail}" for error in errors)
    return ProblemError(status, code, detail, errors=errors)


def invalid_field(sentence: str) -> ProblemError:
    """A problem with one field, from a sentence that begins with its name: `until: is over already`."""
    field, _, detail = sentence.partition(": ")
    return invalid([FieldError(field=field, detail=detail)])


def problem_responses(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """For `responses=` of a router or an operation: these statuses, and every other error."""
    content = {PROBLEM_JSON: {"schema": {"$ref": "#/components/schemas/Problem"}}}
    responses: dict[int | str, dict[str, Any]] = {"default": {"description": "Error", "content": content}}
    for status in statuses:
        responses[status] = {"description": HTTPStatus(status).phrase, "content": content}
    return responses


def problem_schemas() -> dict[str, Any]:
    """The components of OpenAPI that `problem_responses` refers to."""
    problem = Problem.model_json_schema(ref_template="#/components/schemas/{model}")
    return {**problem.pop("$defs"), "Problem": problem}
