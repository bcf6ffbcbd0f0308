"""Builds the HTTP application."""

from collections.abc import Callable, Sequence
from datetime import datetime

import structlog
from fastapi import APIRouter, FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.routing import Route
from starlette.types import ASGIApp

from app.db.queries.search import Queries
from app.flow.ports.database import CommitOutcomeUnknown, DatabaseUnavailable
from app.observability.logging import error_id
from app.web.api.auth import TokenAuth
from app.web.api.error_responses import validation_error_response
from app.web.api.routes import api_router
from app.web.health import health_router
from app.web.hooks.receiver import HookReceiver
from app.web.hooks.state_changes import StateChangeReceiver
from app.web.request_limits import RequestLimits
from app.web.security_headers import SecurityHeaders

log = structlog.get_logger(__name__)


def build_http(
    *,
    hooks: HookReceiver,
    state_changes: StateChangeReceiver,
    queries: Queries,
    callers: TokenAuth,
    more: Sequence[APIRouter] = (),
    slack_events: Route | None,
    slack_is_connected: Callable[[], bool],
    channels: Callable[[], frozenset[str]],
    signature_hint: Callable[[], str],
    clock: Callable[[], datetime],
) -> ASGIApp:
    """The whole HTTP surface. `slack_events` is given in HTTP mode only; `more` are the routers that write."""
    http = FastAPI(
        title="Switchgate",
        description="Holds every ECS blue/green traffic switch until a person says yes, and remembers who.",
        docs_url="/api/docs",
        redoc_url=None,
        openapi_url="/api/openapi.json",
        routes=[] if slack_events is None else [slack_events],
        # Starlette's redirect to the path without a slash repeats whatever Host the client sent.
        redirect_slashes=False,
    )
    http.include_router(hooks.router())
    http.include_router(state_changes.router())
    http.include_router(api_router(queries, callers, clock=clock))
    for router in more:
        http.include_router(router)
    http.include_router(
        health_router(
            queries, slack_is_connected=slack_is_connected, channels=channels, signature_hint=signature_hint
        )
    )
    http.add_exception_handler(RequestValidationError, validation_error_response)
    http.add_exception_handler(DatabaseUnavailable, _record_away)
    http.add_exception_handler(Exception, _unknown)
    # Around all of it, so that what fails inside is bounded and answered with the headers, too.
    return SecurityHeaders(RequestLimits(http))


async def _record_away(request: Request, exc: Exception) -> JSONResponse:
    if isinstance(exc, CommitOutcomeUnknown):
        message = (
            "the database went away while it recorded this; look whether it stands before you send it again"
        )
        return JSONResponse({"error": "in_doubt", "message": message}, 503)
    return JSONResponse({"error": "try_again", "message": "the database does not answer"}, 503)


async def _unknown(request: Request, exc: Exception) -> JSONResponse:
    short = error_id()
    log.error("request_failed", error_id=short, path=request.url.path, exc_info=exc)
    return JSONResponse({"error": "unknown", "message": f"something went wrong here: {short}"}, 500)
