"""Traces that join hook, press and report. Off unless OpenTelemetry's own variables name where spans are sent.

The service itself needs no OpenTelemetry SDK: `switchgate[otel]` installs it, and `app.observability.otel` is imported
only if it is configured.
"""

from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
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
        """Sends what is left. Blocks."""
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
    """From the environment, as the OpenTelemetry specification names its variables."""
    if not _is_wanted(environ):
        return NoTracing()
    try:
        from app.observability.otel import start
    except ModuleNotFoundError as exc:
        log.warning("tracing_not_installed", module=exc.name, remedy="install switchgate[otel]")
        return NoTracing()
    return start()


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

    Spans of a gate have the gate's id as their trace id, whichever replica writes them and whenever: hook, presses,
    reports and messages are one trace, and nothing has to be stored to join them.
    """
    return _InUse.tracing.span(name, gate=gate, deployment=deployment, started_at=started_at)


def _is_wanted(environ: Mapping[str, str]) -> bool:
    if environ.get("OTEL_SDK_DISABLED", "").lower() == "true":
        return False
    if environ.get("OTEL_TRACES_EXPORTER", "otlp") != "otlp":
        return False
    return any(environ.get(name) for name in ENDPOINTS)
