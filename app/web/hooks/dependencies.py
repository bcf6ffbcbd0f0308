"""FastAPI dependencies of the hooks' endpoints, and the route that verifies signatures."""

from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, Final

import structlog
from fastapi import Depends, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from starlette.exceptions import HTTPException

from app.flow.ports.codedeploy import Deployments
from app.flow.ports.database import GateRepository
from app.flow.ports.rules import Rules
from app.gate.ids import SwitchKey
from app.observability.metrics import HOOKS, STATE_CHANGES
from app.web.hooks.signature import BadSignature, HookKeys
from app.web.problems import FieldError, ProblemError, invalid
from app.web.validation import field_errors
from app.workers.foreground import ForegroundTracker
from app.workers.wakeups import Wakeups

log = structlog.get_logger(__name__)

HOOKS_PATH: Final = "/hooks/codedeploy"
EVENTS_PATH: Final = "/events/codedeploy"
TEST: Final = b"{}"
"""What `switchgate doctor` sends: signed, but it names no deployment. Refused like any other malformed body."""

COUNTERS: Final = {HOOKS_PATH: HOOKS, EVENTS_PATH: STATE_CHANGES}


@dataclass(frozen=True, kw_only=True, slots=True)
class HookServices:
    """One replica's own, in `app.state.hooks`.

    `region`: of hooks that name none; `wake`: has a switch polled now, and returns whether it is a live one.
    """

    keys: HookKeys
    repository: GateRepository
    deployments: Deployments
    rules: Rules
    region: str
    wake: Callable[[SwitchKey], Coroutine[Any, Any, bool]]
    wakeups: Wakeups
    foreground: ForegroundTracker
    clock: Callable[[], datetime]


async def hook_services(request: Request) -> HookServices:
    """Of the application that serves the request."""
    services: HookServices = request.app.state.hooks
    return services


async def signer(request: Request) -> str:
    """The kid of the key that signed the request."""
    kid: str = request.state.kid
    return kid


Services = Annotated[HookServices, Depends(hook_services)]
Signer = Annotated[str, Depends(signer)]


class SignedRoute(APIRoute):
    """Verifies the signature before FastAPI parses the body, and counts the requests that are refused."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Wraps FastAPI's."""
        handle = super().get_route_handler()
        counter = COUNTERS[self.path]

        async def handle_signed(request: Request) -> Response:
            try:
                request.state.kid = await _verify(request)
                return await handle(request)
            except RequestValidationError as exc:
                counter.labels(outcome=await _malformed_outcome(request)).inc()
                raise _malformed(request, exc) from None
            except HTTPException as exc:
                problem = exc if isinstance(exc, ProblemError) else _unreadable()
                counter.labels(outcome=OUTCOMES.get(problem.status_code, problem.code)).inc()
                raise problem from None

        return handle_signed


OUTCOMES: Final = {400: "malformed", 401: "bad_signature", 503: "record_away"}
"""What the metrics call a status; others are called as the problem is."""


async def _verify(request: Request) -> str:
    services = await hook_services(request)
    body = await request.body()
    try:
        return services.keys.verify(
            headers=request.headers, method="POST", path=request.url.path, body=body, now=services.clock()
        )
    except BadSignature as bad:
        log.warning("hook_refused", why=bad.reason)
        raise ProblemError(401, str(bad.reason), str(bad)) from None


async def _malformed_outcome(request: Request) -> str:
    """What the metrics call it: a test is no sign of a problem."""
    return "test" if await request.body() == TEST else "malformed"


def _malformed(request: Request, exc: RequestValidationError) -> ProblemError:
    """The contract has 400 for a body that is not accepted. Fields are named, values are not."""
    if isinstance(exc.body, bytes):  # FastAPI parses it only if the content type is JSON
        errors = [FieldError(field="Content-Type", detail="send application/json")]
    else:
        errors = field_errors(request, exc)
    return invalid(errors, status=400, code="malformed")


def _unreadable() -> ProblemError:
    """FastAPI could not decode the body."""
    errors = [FieldError(field="body", detail="does not parse as JSON")]
    return invalid(errors, status=400, code="malformed")
