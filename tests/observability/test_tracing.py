"""Traces: hook, press and report are one, no span has a secret, and nothing is traced unless it is configured."""

import asyncio
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from random import Random
from threading import Event
from uuid import UUID

import pytest
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.sdk.trace.sampling import Decision, TraceIdRatioBased
from starlette.responses import PlainTextResponse
from starlette.types import Message, Receive, Scope, Send
from structlog.testing import capture_logs

from app.observability.otel import OpenTelemetry, WithoutTexts, trace_id_of
from app.observability.tracing import NoTracing, start_tracing, stop_tracing, use_tracing
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
        span
        for span in spans.get_finished_spans()
        if span.context and span.context.trace_id == trace_id_of(gate)
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


@pytest.mark.parametrize("ratio", [0.01, 0.1, 0.5, 0.6, 0.75, 0.9])
def test_a_sampler_takes_its_share_of_the_gates(ratio: float) -> None:
    """They are the same gates in each run: the numbers are seeded."""
    sampler = TraceIdRatioBased(ratio)
    gates = [UUID(int=Random(number).getrandbits(128), version=4) for number in range(4000)]  # noqa: S311 - not secret
    taken = [
        gate
        for gate in gates
        if sampler.should_sample(None, trace_id_of(gate), "hook").decision is Decision.RECORD_AND_SAMPLE
    ]
    assert abs(len(taken) / len(gates) - ratio) < 0.04


@pytest.mark.parametrize(
    ("environ", "name"),
    [
        ({}, "switchgate"),
        ({"OTEL_SERVICE_NAME": "gate-of-order"}, "gate-of-order"),
        ({"OTEL_RESOURCE_ATTRIBUTES": "service.name=gate-of-hub,team=klp"}, "gate-of-hub"),
    ],
)
def test_the_service_has_a_name_that_a_variable_replaces(
    environ: dict[str, str], name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for variable in ("OTEL_SERVICE_NAME", "OTEL_RESOURCE_ATTRIBUTES"):
        monkeypatch.delenv(variable, raising=False)
    for variable, value in environ.items():
        monkeypatch.setenv(variable, value)
    exporter = InMemorySpanExporter()
    tracing = OpenTelemetry(SimpleSpanProcessor(exporter))
    with tracing.span("hook", gate=None, deployment=None, started_at=None):
        pass
    tracing.stop()
    (span,) = exporter.get_finished_spans()
    assert span.resource.attributes["service.name"] == name


def test_a_mistake_in_its_variables_is_logged_and_keeps_nothing_from_serving(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("OTEL_BSP_MAX_QUEUE_SIZE", "100")  # less than one batch
    with capture_logs() as logged:
        assert isinstance(start_tracing(ENDPOINT), NoTracing)
    (line,) = logged
    assert (line["event"], line["error"]) == ("tracing_not_started", "ValueError")


class Stuck(NoTracing):
    """Its collector does not answer before it is let go."""

    def __init__(self) -> None:
        self.go = Event()
        self.stopped = Event()

    def stop(self) -> None:
        if self.go.wait(10):
            self.stopped.set()


async def test_a_collector_that_is_away_is_not_waited_for() -> None:
    tracing = Stuck()
    with capture_logs() as logged:
        await stop_tracing(tracing, seconds=0.01)
    assert [line["event"] for line in logged] == ["traces_not_sent"]
    tracing.go.set()


async def test_spans_are_sent_before_the_end_and_the_loop_runs_meanwhile() -> None:
    tracing = Stuck()
    asyncio.get_running_loop().call_soon(tracing.go.set)  # which the loop could not call if it were kept
    with capture_logs() as logged:
        await stop_tracing(tracing, seconds=30)
    assert tracing.stopped.is_set()
    assert logged == []


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
