"""/healthz, /readyz, /metrics, while all is well and while it is not."""

import asyncio
from pathlib import Path
from threading import Event

import pytest
from prometheus_client import REGISTRY, Metric
from prometheus_client.registry import Collector

from app.db.migrate import newest
from app.web.health import metrics
from tests.flow.outsiders import alters
from tests.harness import running_harness
from tests.postgres_line import line_to
from tests.web.api.asking import Asker, asking

LONGEST_SECONDS = 5
READY = {"record": "ok", "slack": "ok"}


class Slow(Collector):
    """Answers when it may, or after `LONGEST_SECONDS`; `waited`: which of the two."""

    def __init__(self) -> None:
        self.may_answer = Event()
        self.is_asked = asyncio.Event()
        self._loop = asyncio.get_running_loop()
        self.waited: list[bool] = []

    def describe(self) -> list[Metric]:
        return []

    def collect(self) -> list[Metric]:
        self._loop.call_soon_threadsafe(self.is_asked.set)
        self.waited.append(self.may_answer.wait(LONGEST_SECONDS))
        return []


async def test_a_service_in_order_is_alive_and_ready(asker: Asker) -> None:
    await asker.harness.until(
        lambda: asker.harness.service.socket and asker.harness.service.socket.is_healthy()
    )

    assert (await asker.get("/healthz")).body == {"status": "ok"}
    ready = await asker.get("/readyz")
    assert (ready.status, ready.body) == (200, READY)


async def test_without_its_tables_it_says_what_to_run(
    tmp_path: Path, empty_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with running_harness(tmp_path, empty_url, monkeypatch) as harness, asking(harness) as asker:
        ready = await asker.get("/readyz")

        assert ready.status == 503
        assert "run `switchgate migrate`" in ready.body["record"]
        assert newest() in ready.body["record"]
        assert (await asker.get("/healthz")).status == 200


@pytest.mark.parametrize(("revision", "status"), [("0999", 200), ("0001", 503), ("unheard-of", 503)])
async def test_an_upgrade_leaves_the_replicas_of_the_older_release_ready(
    asker: Asker, revision: str, status: int
) -> None:
    await asker.harness.until(
        lambda: asker.harness.service.socket and asker.harness.service.socket.is_healthy()
    )
    await alters(asker.harness, "UPDATE alembic_version SET version_num = %s", revision)

    assert (await asker.get("/readyz")).status == status


@pytest.mark.parametrize("trouble", ["cut", "mute"])
async def test_without_its_database_it_is_alive_but_not_ready(
    tmp_path: Path, database_url: str, monkeypatch: pytest.MonkeyPatch, trouble: str
) -> None:
    async with (
        line_to(database_url) as line,
        running_harness(tmp_path, line.url, monkeypatch) as harness,
        asking(harness) as asker,
    ):
        if trouble == "cut":
            await line.cut()
        else:
            line.mute()

        ready = await asker.get("/readyz")

        assert (ready.status, ready.body["record"]) == (503, "the database does not answer")
        assert (await asker.get("/healthz")).status == 200
        assert (await asker.get("/metrics")).status == 200
        if trouble == "cut":
            answer = await asker.get("/api/v1/audit")
            assert (answer.status, answer.body["error"]) == (503, "try_again")
        await line.mend()
        assert (await asker.get("/readyz")).body["record"] == "ok"


async def test_a_socket_that_stays_down_is_not_ready(asker: Asker) -> None:
    socket = asker.harness.service.socket
    assert socket is not None
    await asker.harness.until(socket.is_healthy)
    asker.harness.slack.faults.outage()
    await asker.harness.slack.drop_sockets_async()
    assert (await asker.get("/readyz")).status == 200  # a refresh is no reason to take the replica out

    asker.harness.clock.advance(seconds=60)
    await asker.harness.until(lambda: not socket.is_healthy())

    ready = await asker.get("/readyz")
    assert (ready.status, ready.body["slack"]) == (503, "the socket to Slack is down")


async def test_metrics_count_what_happened(afternoon: Asker) -> None:
    answer = await afternoon.get("/metrics")

    assert answer.headers["content-type"].startswith("text/plain")
    for name in (
        'switchgate_hooks_total{outcome="opened"}',
        'switchgate_reports_total{outcome="acknowledged"}',
        'switchgate_card_updates_total{result="published"}',
        "switchgate_report_seconds_count",
        'switchgate_gates{domain="order",phase="awaiting"}',
        'switchgate_decisions_total{domain="order",verdict="approved"}',
        "switchgate_hook_to_card_seconds_count",
        'switchgate_slack_socket_state{switchgate_slack_socket_state="connected"} 1.0',
        'switchgate_oldest_due_work_seconds{work="reports"}',
        'switchgate_worker_poll_interval_seconds{worker="expire_gates"}',
        "switchgate_report_overdue_seconds",
        'switchgate_worker_last_success_timestamp_seconds{worker="expire_gates"}',
    ):
        assert name in answer.text
    assert "_created" not in answer.text


async def test_a_scrape_does_not_keep_the_event_loop() -> None:
    """With a thousand domains it takes hundreds of milliseconds."""
    slow = Slow()
    REGISTRY.register(slow)
    try:
        scrape = asyncio.create_task(metrics())
        async with asyncio.timeout(2 * LONGEST_SECONDS):
            await slow.is_asked.wait()
        slow.may_answer.set()
        assert (await scrape).status_code == 200
    finally:
        REGISTRY.unregister(slow)
    assert slow.waited == [True]
