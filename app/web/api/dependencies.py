"""FastAPI dependencies of the API."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

from fastapi import Depends, Request

from app.config.environment_values import Scope
from app.db.queries.search import Queries
from app.db.repositories.checks import Checks
from app.db.repositories.freezes import Freezes
from app.flow.ports.database import GateRepository
from app.flow.ports.rules import Rules
from app.web.api.auth import BearerToken, TokenAuth
from app.workers.wakeups import Wakeups


@dataclass(frozen=True, kw_only=True, slots=True)
class ApiServices:
    """One replica's own, in `app.state.api`. `region`: of deployments whose region is not named."""

    queries: Queries
    checks: Checks
    freezes: Freezes
    gates: GateRepository
    rules: Rules
    tokens: TokenAuth
    region: str
    clock: Callable[[], datetime]
    wakeups: Wakeups


async def api_services(request: Request) -> ApiServices:
    """Of the application that serves the request."""
    services: ApiServices = request.app.state.api
    return services


Services = Annotated[ApiServices, Depends(api_services)]


async def reader(request: Request, token: BearerToken, services: Services) -> str:
    """The name of a caller with the scope `read`."""
    return services.tokens.authenticate(request, token, Scope.READ)


async def check_reporter(request: Request, token: BearerToken, services: Services) -> str:
    """The name of a caller with the scope `checks`."""
    return services.tokens.authenticate(request, token, Scope.CHECKS)


async def freezer(request: Request, token: BearerToken, services: Services) -> str:
    """The name of a caller with the scope `freezes`."""
    return services.tokens.authenticate(request, token, Scope.FREEZES)


async def withdrawer(request: Request, token: BearerToken, services: Services) -> str:
    """The name of a caller with the scope `switches:withdraw`."""
    return services.tokens.authenticate(request, token, Scope.WITHDRAW)


async def now(services: Services) -> datetime:
    """The time of the request."""
    return services.clock()


Now = Annotated[datetime, Depends(now)]
