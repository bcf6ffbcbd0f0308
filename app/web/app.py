"""Builds the HTTP application."""

from typing import Any

from fastapi import FastAPI
from starlette.routing import Route
from starlette.types import ASGIApp

from app.web.api import checks, freezes, search, withdrawals
from app.web.api.dependencies import ApiServices
from app.web.error_handlers import add_error_handlers
from app.web.health import HealthServices
from app.web.health import router as health_router
from app.web.hooks import codedeploy, state_changes
from app.web.hooks.dependencies import HookServices
from app.web.problems import problem_schemas
from app.web.request_context import RequestContext
from app.web.request_limits import RequestLimits
from app.web.security_headers import SecurityHeaders
from app.web.shutdown import AnswerWhenStopped


class Application(FastAPI):
    """FastAPI, with problems in its OpenAPI document."""

    def openapi(self) -> dict[str, Any]:
        """The document; `problem_responses` refers to the schemas that are added here."""
        if self.openapi_schema is None:
            super().openapi()["components"]["schemas"].update(problem_schemas())
        return super().openapi()


def build_http(
    *, hooks: HookServices, api: ApiServices, health: HealthServices, slack_events: Route | None
) -> ASGIApp:
    """The whole HTTP surface. `slack_events` is given in HTTP mode only."""
    http = Application(
        title="Switchgate",
        description="Holds every ECS blue/green traffic switch until a person approves it, and records who.",
        docs_url="/api/docs",
        redoc_url=None,
        openapi_url="/api/openapi.json",
        routes=[] if slack_events is None else [slack_events],
        # Starlette's redirect to the path without a slash repeats whatever Host the client sent.
        redirect_slashes=False,
        # FastAPI's own records the texts of exceptions. `app.observability.otel` traces requests.
        telemetry={"tracing": False, "metrics": False, "logs": False},
    )
    http.state.hooks, http.state.api, http.state.health = hooks, api, health
    for router in (
        codedeploy.router,
        state_changes.router,
        search.router,
        checks.router,
        freezes.router,
        withdrawals.router,
        health_router,
    ):
        http.include_router(router)
    add_error_handlers(http)
    # Around all of it, so that what fails inside is bounded and answered with the headers, too.
    return RequestContext(SecurityHeaders(AnswerWhenStopped(RequestLimits(http))))
