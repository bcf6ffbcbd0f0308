"""Converts every exception of a request to a problem response (RFC 9457)."""

import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from app.flow.ports.database import CommitOutcomeUnknown, DatabaseUnavailable
from app.observability.logging import error_id
from app.web.problems import ProblemError, invalid, problem_response
from app.web.validation import field_errors

log = structlog.get_logger(__name__)


def add_error_handlers(http: FastAPI) -> None:
    """For all routes of the application."""
    http.add_exception_handler(HTTPException, _http_error)
    http.add_exception_handler(RequestValidationError, _validation_error)
    http.add_exception_handler(DatabaseUnavailable, _database_unavailable)
    http.add_exception_handler(Exception, _unexpected_error)


async def _http_error(request: Request, exc: Exception) -> JSONResponse:
    match exc:
        case ProblemError():
            return problem_response(
                exc.status_code, exc.detail, code=exc.code, errors=exc.errors, headers=exc.headers
            )
        case HTTPException():
            return problem_response(exc.status_code, exc.detail, headers=exc.headers)
        case _:
            raise exc


async def _validation_error(request: Request, exc: Exception) -> JSONResponse:
    if not isinstance(exc, RequestValidationError):
        raise exc
    if isinstance(exc.body, bytes):  # FastAPI parses it only if the content type is JSON
        return problem_response(415, "Content-Type: send application/json")
    return await _http_error(request, invalid(field_errors(request, exc)))


async def _database_unavailable(request: Request, exc: Exception) -> JSONResponse:
    if isinstance(exc, CommitOutcomeUnknown):
        detail = (
            "the database went away while it recorded this; look whether it stands before you send it again"
        )
        return problem_response(503, detail, code="in_doubt")
    return problem_response(503, "the database does not answer", code="try_again")


async def _unexpected_error(request: Request, exc: Exception) -> JSONResponse:
    short = error_id()
    log.error("request_failed", error_id=short, path=request.url.path, exc_info=exc)
    detail = f"something went wrong here: {short}"
    return problem_response(500, detail, code="unknown", instance=f"urn:switchgate:error:{short}")
