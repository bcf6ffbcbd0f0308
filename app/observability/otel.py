"""OpenTelemetry: the SDK, its instrumentation of ASGI, botocore, aiohttp and threads, and the spans of gates."""

import hashlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import datetime
from typing import Any, Final
from uuid import UUID

import yarl
from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.instrumentation.aiohttp_client import AioHttpClientInstrumentor
from opentelemetry.instrumentation.asgi import OpenTelemetryMiddleware
from opentelemetry.instrumentation.botocore import BotocoreInstrumentor
from opentelemetry.instrumentation.threading import ThreadingInstrumentor
from opentelemetry.sdk.resources import SERVICE_NAME, OTELResourceDetector, Resource
from opentelemetry.sdk.trace import ReadableSpan, SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult
from opentelemetry.sdk.trace.id_generator import RandomIdGenerator
from starlette.types import ASGIApp

EXCLUDED_URLS: Final = "/healthz,/readyz,/metrics"
NANOSECONDS: Final = 1_000_000_000

_trace_id: ContextVar[int | None] = ContextVar("trace_id", default=None)


class GateTraceIds(RandomIdGenerator):
    """A trace that begins for a gate has the id that `trace_id_of` gives it."""

    def generate_trace_id(self) -> int:
        return _trace_id.get() or super().generate_trace_id()


def trace_id_of(gate: UUID) -> int:
    """The same on every replica. A hash, because samplers take the id's bits for random, and a UUID's are not all."""
    return int.from_bytes(hashlib.sha256(gate.bytes).digest()[:16])


class WithoutTexts(SpanExporter):
    """Leaves out the texts of errors, because AWS and Postgres may repeat a request's values in them."""

    def __init__(self, exporter: SpanExporter) -> None:
        self._exporter = exporter

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        return self._exporter.export([_without_texts(span) for span in spans])

    def shutdown(self) -> None:
        self._exporter.shutdown()

    def force_flush(self, timeout_millis: int = 30000) -> bool:
        return self._exporter.force_flush(timeout_millis)


def _without_texts(span: ReadableSpan) -> ReadableSpan:
    """Events hold the texts of exceptions."""
    return ReadableSpan(
        name=span.name,
        context=span.context,
        parent=span.parent,
        resource=span.resource,
        attributes=span.attributes,
        links=span.links,
        kind=span.kind,
        status=trace.Status(span.status.status_code),
        start_time=span.start_time,
        end_time=span.end_time,
        instrumentation_scope=span.instrumentation_scope,
    )


class OpenTelemetry:
    """See `app.observability.tracing.Tracing`."""

    def __init__(self, processor: SpanProcessor) -> None:
        # The detector reads OTEL_SERVICE_NAME and OTEL_RESOURCE_ATTRIBUTES, which count more than our own name.
        resource = Resource.create({SERVICE_NAME: "switchgate"}).merge(OTELResourceDetector().detect())
        self._provider = TracerProvider(
            resource=resource, id_generator=GateTraceIds(), shutdown_on_exit=False
        )
        self._provider.add_span_processor(processor)
        self._tracer = self._provider.get_tracer("switchgate")
        how: dict[str, Any] = {"tracer_provider": self._provider}
        # boto3 is called in threads, which do not have the caller's context otherwise.
        ThreadingInstrumentor().instrument()
        BotocoreInstrumentor().instrument(**how)  # type: ignore[no-untyped-call]  # not annotated
        AioHttpClientInstrumentor().instrument(**how, url_filter=_public_part)

    def instrument(self, app: ASGIApp) -> ASGIApp:
        """The application with a span for each request but those of load balancers and monitoring."""
        traced: ASGIApp = OpenTelemetryMiddleware(
            app,
            excluded_urls=EXCLUDED_URLS,
            tracer_provider=self._provider,
            exclude_spans=["receive", "send"],
        )
        return traced

    @contextmanager
    def span(
        self, name: str, *, gate: str | None, deployment: str | None, started_at: datetime | None
    ) -> Iterator[None]:
        """A span of a gate begins in the gate's trace, and links to the one that it was started in."""
        caller = trace.get_current_span().get_span_context()
        token = _trace_id.set(trace_id_of(UUID(gate)) if gate else None)
        try:
            started = self._tracer.start_span(
                name,
                context=Context() if gate else None,
                attributes=_attributes(gate, deployment),
                links=[trace.Link(caller)] if gate and caller.is_valid else [],
                start_time=int(started_at.timestamp() * NANOSECONDS) if started_at is not None else None,
            )
        finally:
            _trace_id.reset(token)
        with trace.use_span(started, end_on_exit=True, record_exception=False):
            yield

    def stop(self) -> None:
        """Sends what is left, and takes the instrumentation away."""
        self._provider.shutdown()
        AioHttpClientInstrumentor().uninstrument()
        BotocoreInstrumentor().uninstrument()  # type: ignore[no-untyped-call]  # not annotated
        ThreadingInstrumentor().uninstrument()


def start() -> OpenTelemetry:
    """Exports by OTLP over HTTP; the exporter and the sampler read the environment themselves."""
    return OpenTelemetry(BatchSpanProcessor(WithoutTexts(OTLPSpanExporter())))


def _attributes(gate: str | None, deployment: str | None) -> dict[str, str]:
    named = {"switchgate.gate.id": gate, "switchgate.deployment.id": deployment}
    return {name: value for name, value in named.items() if value is not None}


def _public_part(url: yarl.URL) -> str:
    """Response URLs and the socket's URL have secrets in path and query; only Web API methods are shown."""
    shown = url.path if url.path.startswith("/api/") else "/"
    return str(url.origin().with_path(shown))
