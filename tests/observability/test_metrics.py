"""/metrics: what the gauges read from the database, and what is counted of the calls to Slack and AWS."""

import asyncio
from collections.abc import Iterator

import pytest
from prometheus_client import REGISTRY
from prometheus_client.metrics import MetricWrapperBase

import app.observability.metrics
from app.observability.metrics import SLACK_SOCKET_STATE
from app.sandbox.people import GRACE, MINA
from tests.harness import Harness


def sample(name: str, **labels: str) -> float:
    return REGISTRY.get_sample_value(name, labels) or 0.0


async def read_gauges(harness: Harness) -> None:
    await harness.service.workers["update_gauges"].run_until_idle()


async def test_open_gates_are_counted_by_phase_and_domain(harness: Harness) -> None:
    await read_gauges(harness)
    for phase in ("awaiting", "decided", "reported"):
        assert sample("switchgate_gates", domain="order", phase=phase) == 0
    assert (
        REGISTRY.get_sample_value("switchgate_next_deadline_timestamp_seconds", {"domain": "order"}) is None
    )

    deployment, _ = await harness.open_gate("order")
    await read_gauges(harness)
    deadline = harness.gate(deployment)["deadline_at"].timestamp()
    assert sample("switchgate_gates", domain="order", phase="awaiting") == 1
    assert sample("switchgate_gates", domain="payment", phase="awaiting") == 0
    assert sample("switchgate_next_deadline_timestamp_seconds", domain="order") == deadline

    harness.clock.advance(minutes=10)
    await read_gauges(harness)
    assert 600 <= sample("switchgate_oldest_waiting_gate_seconds", domain="order") < 700
    assert sample("switchgate_oldest_waiting_gate_seconds", domain="payment") == 0


async def test_counters_that_alerts_watch_exist_before_the_first_event(harness: Harness) -> None:
    """Prometheus sees no increase in a series that begins at 1."""
    await read_gauges(harness)
    for name, labels in (
        ("switchgate_break_glass_total", {"domain": "hub"}),
        ("switchgate_decisions_total", {"domain": "hub", "verdict": "withdrawn"}),
        ("switchgate_reports_total", {"outcome": "undeliverable"}),
        ("switchgate_rows_set_aside_total", {"work": "probe_runs"}),
    ):
        assert REGISTRY.get_sample_value(name, labels) is not None, name


async def test_a_gate_of_a_domain_that_is_configured_no_more_has_no_domain(harness: Harness) -> None:
    await harness.open_gate("order")
    config = harness.fakes.config_file
    config.write_text(config.read_text("utf-8").replace("[domains.order]", "[domains.renamed]"), "utf-8")
    harness.reload_config()
    await read_gauges(harness)
    assert sample("switchgate_gates", domain="", phase="awaiting") == 1
    assert REGISTRY.get_sample_value("switchgate_gates", {"domain": "order", "phase": "awaiting"}) is None


async def test_a_scrape_while_domains_change_finds_all_that_stay(harness: Harness) -> None:
    await read_gauges(harness)
    config = harness.fakes.config_file
    config.write_text(config.read_text("utf-8").replace("[domains.order]", "[domains.renamed]"), "utf-8")
    harness.reload_config()
    reading = asyncio.create_task(read_gauges(harness))
    found = set()
    while not reading.done():
        found.add(REGISTRY.get_sample_value("switchgate_gates", {"domain": "hub", "phase": "awaiting"}))
        await asyncio.sleep(0)
    await reading
    assert found == {0}
    assert REGISTRY.get_sample_value("switchgate_gates", {"domain": "renamed", "phase": "awaiting"}) == 0


async def test_work_that_nobody_does_grows_old(harness: Harness) -> None:
    deployment, _ = await harness.open_gate("order")
    await harness.service.workers.stop()
    await harness.approve(MINA.id, deployment)
    harness.clock.advance(minutes=2)
    await read_gauges(harness)
    assert sample("switchgate_gates", domain="order", phase="decided") == 1
    assert 120 <= sample("switchgate_oldest_due_work_seconds", work="reports") < 180
    assert 120 <= sample("switchgate_report_overdue_seconds") < 180


@pytest.mark.parametrize("verdict", ["approved", "rejected", "expired", "withdrawn"])
async def test_each_ending_is_counted_in_its_domain(harness: Harness, verdict: str) -> None:
    before = sample("switchgate_decisions_total", verdict=verdict, domain="order")
    deployment, _ = await harness.open_gate("order")
    match verdict:
        case "approved":
            await harness.approve(MINA.id, deployment)
        case "rejected":
            await harness.reject(GRACE.id, deployment, "Orders fail.")
        case "expired":
            harness.clock.advance(minutes=56)
        case _:
            harness.aws.stop_deployment(deployment, rollback=False)
    await harness.until(lambda: harness.gate(deployment)["verdict"] == verdict)
    await harness.until(
        lambda: sample("switchgate_decisions_total", verdict=verdict, domain="order") > before
    )
    assert sample("switchgate_decisions_total", verdict=verdict, domain="order") == before + 1


async def test_the_time_to_the_first_card_and_to_the_report_is_measured_once(harness: Harness) -> None:
    cards, reports = (
        sample("switchgate_hook_to_card_seconds_count"),
        sample("switchgate_report_seconds_count"),
    )
    deployment, _ = await harness.open_gate("order")
    await harness.approve(MINA.id, deployment)
    await harness.reported(deployment)
    await harness.until(lambda: sample("switchgate_report_seconds_count") == reports + 1)
    card = harness.card_text(deployment)
    await harness.advance_until(lambda: harness.card_text(deployment) != card)
    assert sample("switchgate_hook_to_card_seconds_count") == cards + 1


async def test_failed_calls_are_counted_by_method_and_code(harness: Harness) -> None:
    slack = ("switchgate_slack_errors_total", {"method": "chat.postMessage", "code": "internal_error"})
    aws = (
        "switchgate_aws_errors_total",
        {
            "service": "codedeploy",
            "operation": "PutLifecycleEventHookExecutionStatus",
            "code": "ThrottlingException",
        },
    )
    counted = [REGISTRY.get_sample_value(*each) or 0 for each in (slack, aws)]
    harness.slack.faults.error("chat.postMessage", "internal_error")
    harness.aws.faults.add("PutLifecycleEventHookExecutionStatus", "throttle")
    deployment, _ = await harness.open_gate("order")
    await harness.approve(MINA.id, deployment)
    await harness.reported(deployment)
    assert [REGISTRY.get_sample_value(*each) or 0 for each in (slack, aws)] == [each + 1 for each in counted]


def connected() -> dict[str, float]:
    name = "switchgate_slack_socket_state"
    states = ("not_used", "disconnected", "connected")
    return {state: sample(name, **{name: state}) for state in states}


@pytest.fixture
def socket_state() -> Iterator[None]:
    yield
    SLACK_SOCKET_STATE.state("not_used")


@pytest.mark.usefixtures("socket_state")
async def test_the_state_of_the_socket_is_seen(harness: Harness) -> None:
    await harness.until(lambda: connected()["connected"] == 1)
    with harness.slack.faults.away():
        await harness.slack.drop_sockets_async()
        await harness.until(lambda: connected() == {"not_used": 0, "disconnected": 1, "connected": 0})
    await harness.until(lambda: connected()["connected"] == 1)


def test_no_label_names_a_person_a_gate_or_a_deployment() -> None:
    """Such a label has values without bound."""
    labels = {
        name
        for metric in vars(app.observability.metrics).values()
        if isinstance(metric, MetricWrapperBase)
        for name in metric._labelnames
    }
    assert labels == {
        *("cause", "code", "domain", "method", "operation", "outcome", "part", "phase", "reason", "result"),
        *("service", "verdict", "work", "worker"),
    }
