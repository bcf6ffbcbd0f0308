"""Traces that join hook, press and report. Off unless OpenTelemetry's own variables name where spans are sent.

The service itself needs no OpenTelemetry SDK: `switchgate[otel]` installs it, and `app.observability.otel` is imported
only if it is configured.
"""

import asyncio
import threading
from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext, suppress
from datetime import datetime
from typing import Final, Protocol

import structlog
from starlette.types import ASGIApp

log = structlog.get_logger(__name__)

ENDPOINTS: Final = ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")
"""https://opentelemetry.io/docs/specs/otel/protocol/exporter/"""


class Tracing(Protocol):
    """One process's spans."""

    def span(
        self, name: str, *, gate: str | None, deployment: str | None, started_at: datetime | None
    ) -> AbstractContextManager[None]: ...

    def instrument(self, app: ASGIApp) -> ASGIApp:
        """The application with a span for each request."""
        ...

    def stop(self) -> None:
        """Sends what is left. Blocks for up to half a minute; see `stop_tracing`."""
        ...


class NoTracing:
    """Where tracing is off."""

    def span(
        self, name: str, *, gate: str | None, deployment: str | None, started_at: datetime | None
    ) -> AbstractContextManager[None]:
        return nullcontext()

    def instrument(self, app: ASGIApp) -> ASGIApp:
        return app

    def stop(self) -> None:
        return None


class _InUse:
    tracing: Tracing = NoTracing()


def start_tracing(environ: Mapping[str, str]) -> Tracing:
    """From the environment, as the OpenTelemetry specification names its variables.

    Without traces where it cannot: they are no reason not to serve.
    """
    if not _is_wanted(environ):
        return NoTracing()
    try:
        from app.observability.otel import start

        return start()
    except ModuleNotFoundError as exc:
        log.warning("tracing_not_installed", module=exc.name, remedy="install switchgate[otel]")
    except Exception as exc:
        # Without its text, which may repeat a value, such as that of a header.
        log.error("tracing_not_started", error=type(exc).__name__, remedy="check the variables OTEL_…")
    return NoTracing()


async def stop_tracing(tracing: Tracing, *, seconds: float) -> None:
    """Sends what is left, for so long at most. A collector that does not answer keeps neither the event loop nor the
    process: it is waited for in a daemon thread."""
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()

    def stop() -> None:
        try:
            tracing.stop()
        finally:
            with suppress(RuntimeError):  # the loop is closed: nobody waits any more
                loop.call_soon_threadsafe(stopped.set)

    threading.Thread(target=stop, name="stop-tracing", daemon=True).start()
    try:
        async with asyncio.timeout(seconds):
            await stopped.wait()
    except TimeoutError:
        log.warning("traces_not_sent", problem="the collector did not answer in time")


def use_tracing(tracing: Tracing) -> None:
    """What `span` writes to from now on."""
    _InUse.tracing = tracing


def span(
    name: str,
    *,
    gate: str | None = None,
    deployment: str | None = None,
    started_at: datetime | None = None,
) -> AbstractContextManager[None]:
    """A span while the block runs, or since `started_at`.

    Spans of a gate have a trace id that follows from the gate's id, whichever replica writes them and whenever: hook,
    presses, reports and messages are one trace, and nothing has to be stored to join them.
    """
    return _InUse.tracing.span(name, gate=gate, deployment=deployment, started_at=started_at)


def _is_wanted(environ: Mapping[str, str]) -> bool:
    if environ.get("OTEL_SDK_DISABLED", "").lower() == "true":
        return False
    if environ.get("OTEL_TRACES_EXPORTER", "otlp") != "otlp":
        return False
    return any(environ.get(name) for name in ENDPOINTS)
