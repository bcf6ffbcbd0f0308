"""Traces: hook, press and report are one, no span has a secret, and nothing is traced unless it is configured."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from uuid import UUID

import pytest
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from starlette.responses import PlainTextResponse
from starlette.types import Message, Receive, Scope, Send

from app.observability.otel import OpenTelemetry, WithoutTexts
from app.observability.tracing import NoTracing, start_tracing, use_tracing
from app.sandbox.people import MINA
from tests.harness import Harness

ENDPOINT = {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:9/"}
ROOT = Path(__file__).resolve().parents[2]

WITHOUT_PACKAGES = """
import sys
sys.modules["opentelemetry.sdk"] = None
from app import server
from app.observability.tracing import NoTracing, start_tracing
assert isinstance(start_tracing({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:9/"}), NoTracing)
"""


@pytest.fixture
def spans() -> Iterator[InMemorySpanExporter]:
    """What is exported while the test runs."""
    exporter = InMemorySpanExporter()
    tracing = OpenTelemetry(SimpleSpanProcessor(WithoutTexts(exporter)))
    use_tracing(tracing)
    yield exporter
    use_tracing(NoTracing())
    tracing.stop()


def of_trace(spans: InMemorySpanExporter, gate: UUID) -> dict[str, ReadableSpan]:
    found = [
        span for span in spans.get_finished_spans() if span.context and span.context.trace_id == gate.int
    ]
    return {span.name: span for span in found}


async def test_hook_press_and_report_are_one_trace(spans: InMemorySpanExporter, harness: Harness) -> None:
    deployment, _ = await harness.open_gate("order")
    await harness.approve(MINA.id, deployment)
    await harness.reported(deployment)
    gate = harness.gate(deployment)["id"]
    wanted = {"hook", "vote", "reports", "cards", "CodeDeploy.PutLifecycleEventHookExecutionStatus"}
    await harness.until(lambda: of_trace(spans, gate).keys() >= wanted)
    found = of_trace(spans, gate)
    for name in ("hook", "reports", "cards"):
        attributes = found[name].attributes or {}
        assert attributes["switchgate.gate.id"] == str(gate)
        assert attributes["switchgate.deployment.id"] == deployment
    told, report = found["CodeDeploy.PutLifecycleEventHookExecutionStatus"], found["reports"]
    assert told.parent is not None
    assert report.context is not None
    assert told.parent.span_id == report.context.span_id
    assert not {"switches", "evidence"} & found.keys()


async def test_two_gates_are_two_traces(spans: InMemorySpanExporter, harness: Harness) -> None:
    gates = [harness.gate((await harness.open_gate(domain))[0])["id"] for domain in ("order", "hub")]
    await harness.until(lambda: all({"hook", "cards"} <= of_trace(spans, gate).keys() for gate in gates))


async def test_no_span_has_a_secret(spans: InMemorySpanExporter, harness: Harness) -> None:
    """Also not where calls fail: texts of exceptions are left out."""
    harness.aws.faults.add("PutLifecycleEventHookExecutionStatus", "throttle")
    harness.slack.faults.error("chat.postEphemeral", "internal_error", times=None)
    deployment, _ = await harness.open_gate("order")
    execution = str(harness.gate(deployment)["execution_id"])
    await harness.approve(MINA.id, deployment)
    await harness.reported(deployment)
    gate = harness.gate(deployment)["id"]
    await harness.until(lambda: "reports" in of_trace(spans, gate))
    written = "\n".join(span.to_json() for span in spans.get_finished_spans())
    assert "chat.postMessage" in written
    for secret in (execution, "xoxb-", "xapp-", "/response/", "ticket="):
        assert secret not in written
    assert [span.events for span in spans.get_finished_spans() if span.events] == []
    assert {span.status.description for span in spans.get_finished_spans()} == {None}


@pytest.mark.parametrize(
    ("path", "traced"), [("/api/v1/gates", True), ("/healthz", False), ("/metrics", False)]
)
async def test_a_request_has_a_span_and_a_health_check_has_none(path: str, traced: bool) -> None:
    async def answer(scope: Scope, receive: Receive, send: Send) -> None:
        await PlainTextResponse("ok")(scope, receive, send)

    async def receive() -> Message:
        return {"type": "http.request", "body": b""}

    async def send(message: Message) -> None:
        return None

    exporter = InMemorySpanExporter()
    tracing = OpenTelemetry(SimpleSpanProcessor(exporter))
    server = {"server": ("switchgate", 80), "scheme": "http", "http_version": "1.1"}
    request = {"type": "http", "method": "GET", "path": path, "headers": [], "query_string": b"", **server}
    await tracing.instrument(answer)(request, receive, send)
    tracing.stop()
    assert len(exporter.get_finished_spans()) == int(traced)


@pytest.mark.parametrize(
    "environ",
    [
        {},
        {**ENDPOINT, "OTEL_SDK_DISABLED": "true"},
        {**ENDPOINT, "OTEL_TRACES_EXPORTER": "none"},
        {"OTEL_SERVICE_NAME": "switchgate"},
    ],
)
def test_nothing_is_traced_unless_an_endpoint_is_named(environ: dict[str, str]) -> None:
    assert isinstance(start_tracing(environ), NoTracing)


def test_an_endpoint_turns_tracing_on() -> None:
    tracing = start_tracing(ENDPOINT)
    assert isinstance(tracing, OpenTelemetry)
    tracing.stop()


def test_the_service_starts_without_the_packages() -> None:
    done = subprocess.run(
        [sys.executable, "-c", WITHOUT_PACKAGES],
        cwd=ROOT,
        env=dict(os.environ),
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert "tracing_not_installed" in done.stdout
