"""`/healthz`, `/readyz`, `/metrics`: for load balancers and monitoring."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends, Request
from fastapi.responses import JSONResponse, PlainTextResponse
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from app.concurrency.timeouts import run_with_timeout
from app.db.migrate import SchemaVersion, newest, schema_version
from app.db.queries.search import Queries
from app.flow.ports.database import DatabaseUnavailable

ANSWER_SECONDS: Final = 2.0


@dataclass(frozen=True, kw_only=True, slots=True)
class HealthServices:
    """One replica's own, in `app.state.health`.

    `channels`: those that the configuration names. `signature_hint`: why Slack's requests are denied, which takes no
    replica out, because anybody can send such.
    """

    queries: Queries
    slack_is_connected: Callable[[], bool]
    channels: Callable[[], frozenset[str]]
    signature_hint: Callable[[], str]


async def health_services(request: Request) -> HealthServices:
    """Of the application that serves the request."""
    services: HealthServices = request.app.state.health
    return services


router = APIRouter(tags=["health"])


@router.get("/healthz")
async def healthz() -> dict[str, str]:
    """The process answers."""
    return {"status": "ok"}


@router.get("/readyz", response_model=dict[str, Any], responses={503: {"description": "Not ready"}})
async def readyz(services: Annotated[HealthServices, Depends(health_services)]) -> JSONResponse:
    """Whether hooks and presses can be handled."""
    database = await _database_status(services.queries)
    slack = "ok" if services.slack_is_connected() else "the socket to Slack is down"
    ready = database == "ok" and slack == "ok"
    warnings = await _channel_warnings(services.queries, services.channels()) if database == "ok" else {}
    hint = services.signature_hint()
    signatures = {"slack_signature": hint} if hint else {}
    status = 200 if ready else 503
    return JSONResponse({"record": database, "slack": slack, **warnings, **signatures}, status)


@router.get("/metrics", response_class=PlainTextResponse)
async def metrics() -> PlainTextResponse:
    """Prometheus's text format. Written in a thread: a thousand domains have ten thousand series."""
    return PlainTextResponse(await asyncio.to_thread(generate_latest), media_type=CONTENT_TYPE_LATEST)


async def _channel_warnings(queries: Queries, named: frozenset[str]) -> dict[str, dict[str, str]]:
    """Problems that somebody should fix, and that are no reason not to be ready: hooks and presses are handled all
    the same."""
    try:
        id_changes, closed = await run_with_timeout(ANSWER_SECONDS, queries.channel_facts())
    except (DatabaseUnavailable, TimeoutError):
        return {}
    changed = {old: new for old, new in id_changes.items() if old in named}
    found = {"closed_channels": dict(closed), "changed_channel_ids": changed}
    return {name: said for name, said in found.items() if said}


async def _database_status(queries: Queries) -> str:
    """A schema of a newer release is fine: during an upgrade old replicas go on serving."""
    try:
        revision = await run_with_timeout(ANSWER_SECONDS, queries.revision())
    except (DatabaseUnavailable, TimeoutError):
        return "the database does not answer"
    if schema_version(revision) is SchemaVersion.OLDER:
        return f"the database is at migration {revision or 'none'}, not {newest()}: run `switchgate migrate`"
    return "ok"
