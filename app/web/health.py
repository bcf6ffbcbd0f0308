"""`/healthz`, `/readyz`, `/metrics`: for whoever runs us."""

from collections.abc import Callable
from typing import Final

from fastapi import APIRouter
from fastapi.responses import JSONResponse, PlainTextResponse
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from app.concurrency.timeouts import run_with_timeout
from app.db.migrate import SchemaVersion, newest, schema_version
from app.db.queries.search import Queries
from app.flow.ports.database import DatabaseUnavailable

ANSWER_SECONDS: Final = 2.0


def health_router(
    queries: Queries,
    *,
    slack_is_connected: Callable[[], bool],
    channels: Callable[[], frozenset[str]] = frozenset,
    signature_hint: Callable[[], str],
) -> APIRouter:
    """Liveness asks nothing of others; readiness asks the record and looks at the Slack socket. `channels`: those that
    the configuration names. `signature_hint`: why Slack's requests are refused, which takes no replica out, because
    anybody can send such."""
    router = APIRouter(tags=["health"])

    @router.get("/healthz")
    async def healthz() -> JSONResponse:
        """The process answers."""
        return JSONResponse({"status": "ok"})

    @router.get("/readyz")
    async def readyz() -> JSONResponse:
        """Hooks can be taken and presses heard."""
        record = await _record_state(queries)
        slack = "ok" if slack_is_connected() else "the socket to Slack is down"
        ready = record == "ok" and slack == "ok"
        warnings = await _channel_warnings(queries, channels()) if record == "ok" else {}
        hint = signature_hint()
        said = {**warnings, **({"slack_signature": hint} if hint else {})}
        return JSONResponse({"record": record, "slack": slack, **said}, 200 if ready else 503)

    @router.get("/metrics", response_class=PlainTextResponse)
    async def metrics() -> PlainTextResponse:
        """Prometheus's text format."""
        return PlainTextResponse(generate_latest(), media_type=CONTENT_TYPE_LATEST)

    return router


async def _channel_warnings(queries: Queries, named: frozenset[str]) -> dict[str, dict[str, str]]:
    """What somebody should mend, and no reason not to be ready: hooks are taken and presses heard all the same."""
    try:
        id_changes, closed = await run_with_timeout(ANSWER_SECONDS, queries.channel_facts())
    except (DatabaseUnavailable, TimeoutError):
        return {}
    changed = {old: new for old, new in id_changes.items() if old in named}
    found = {"closed_channels": dict(closed), "changed_channel_ids": changed}
    return {name: said for name, said in found.items() if said}


async def _record_state(queries: Queries) -> str:
    """A schema of a newer release is fine: during an upgrade old replicas go on serving."""
    try:
        revision = await run_with_timeout(ANSWER_SECONDS, queries.revision())
    except (DatabaseUnavailable, TimeoutError):
        return "the database does not answer"
    if schema_version(revision) is SchemaVersion.OLDER:
        return f"the database is at migration {revision or 'none'}, not {newest()}: run `switchgate migrate`"
    return "ok"
