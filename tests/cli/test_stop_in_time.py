"""`switchgate serve` ends by itself within seconds of SIGTERM, whatever hangs, and loses no acknowledged press."""

import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Event, Thread
from urllib.parse import urlsplit

import psycopg
import pytest

from app.sandbox.fakes import Fakes
from app.sandbox.people import MINA, OLU
from app.sandbox.replica import Replica
from tests.cli.commands import Shell
from tests.harness import AT_ONCE
from tests.polling import until

STOP_SECONDS = 9.5
"""Docker kills after 10."""

HANGS_MS = 60_000


@pytest.fixture
def fakes(tmp_path: Path) -> Iterator[Fakes]:
    with Fakes(tmp_path, speed=0.0, pace=AT_ONCE, seed=1) as built:
        yield built
        built.aws.faults.clear()
        built.slack.faults.clear()


@pytest.fixture
def ready(fakes: Fakes, database_url: str, tmp_path: Path) -> Shell:
    """Everything that `serve` needs."""
    return Shell(tmp_path, fakes.environment(database_url=database_url))


def test_a_stop_under_load_ends_in_time_and_loses_no_acknowledged_press(ready: Shell, fakes: Fakes) -> None:
    log = ready.folder / "log"
    with Replica(ready.environment, log=log) as replica, _open_connections(replica) as held:
        replica.wait_ready()
        fakes.service_urls = [replica.url]
        deployment = fakes.aws.deploy("order")
        until(lambda: _gates(ready) == [("awaiting", None)] and _card_has(fakes, "approve"))
        held.open()
        fakes.aws.faults.slow("*", HANGS_MS)
        for method in ("chat.update", "chat.postEphemeral", "chat.postMessage", "response_url"):
            fakes.slack.faults.slow(method, HANGS_MS / 1000)
        card = fakes.slack.messages.in_channel("C01DEPLOY")[0]
        assert fakes.slack.press(MINA.id, card.channel, card.ts, "approve").acked
        assert fakes.slack.press(OLU.id, card.channel, card.ts, "approve").acked

        assert _seconds_to_stop(replica) < STOP_SECONDS

    assert _gates(ready) == [("decided", MINA.id)]
    said = log.read_text()
    assert "cannot schedule new futures" not in said
    assert "worker_job_failed" not in said
    assert '"event": "stop_cancelled_work"' in said

    fakes.aws.faults.clear()
    fakes.slack.faults.clear()
    with Replica(ready.environment, log=log) as replica:
        replica.wait_ready()
        fakes.service_urls = [replica.url]
        until(lambda: fakes.aws.answers(deployment) == ["Succeeded"], 60)
        until(lambda: _gates(ready) == [("reported", MINA.id)])


def test_a_stop_without_work_under_way_takes_no_notice_of_open_connections(
    ready: Shell, fakes: Fakes
) -> None:
    with Replica(ready.environment, log=ready.folder / "log") as replica, _open_connections(replica) as held:
        replica.wait_ready()
        held.open()
        assert _seconds_to_stop(replica) < STOP_SECONDS
    assert "stop_cancelled_work" not in (ready.folder / "log").read_text()
    assert "stop_left_threads_behind" not in (ready.folder / "log").read_text()


def test_a_call_that_no_time_out_ends_does_not_keep_the_process(ready: Shell, fakes: Fakes) -> None:
    """Each byte of an answer starts the client's time-out again, and a thread cannot be cancelled."""
    log = ready.folder / "log"
    with (
        _slow_answers() as (url, called),
        Replica({**ready.environment, "AWS_ENDPOINT_URL_CODEDEPLOY": url}, log=log) as replica,
    ):
        replica.wait_ready()
        fakes.service_urls = [replica.url]
        fakes.aws.deploy("order")
        until(called.is_set)

        assert _seconds_to_stop(replica) < STOP_SECONDS

    assert '"event": "stop_left_threads_behind"' in log.read_text()


def test_a_collector_of_traces_that_does_not_answer_does_not_keep_the_process(
    ready: Shell, fakes: Fakes
) -> None:
    log = ready.folder / "log"
    with (
        _slow_answers() as (url, called),
        Replica({**ready.environment, "OTEL_EXPORTER_OTLP_ENDPOINT": url}, log=log) as replica,
    ):
        replica.wait_ready()
        fakes.service_urls = [replica.url]
        fakes.aws.deploy("order")
        until(called.is_set, 30)

        assert _seconds_to_stop(replica) < STOP_SECONDS

    assert '"event": "traces_not_sent"' in log.read_text()


@contextmanager
def _slow_answers() -> Iterator[tuple[str, Event]]:
    """An endpoint that answers each request with a byte every 100 ms; its address, and whether it was called."""
    called, over = Event(), Event()

    class Answer(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length") or 0))
            self.send_response(200)
            self.send_header("Content-Length", "1000000")
            self.end_headers()
            called.set()
            with suppress(OSError):
                while not over.wait(0.1):
                    self.wfile.write(b" ")

        def log_message(self, format: str, *args: object) -> None:
            """Nothing: the test's output is its own."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Answer) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}", called
        finally:
            over.set()
            server.shutdown()
            thread.join()


class _open_connections:  # noqa: N801 - used as a block
    """A client that keeps its connection after an answer, and one that is in the middle of a request."""

    def __init__(self, replica: Replica) -> None:
        self._replica = replica
        self._sockets: list[socket.socket] = []

    def __enter__(self) -> "_open_connections":
        return self

    def open(self) -> None:
        place = urlsplit(self._replica.url)
        for request in (
            b"GET /healthz HTTP/1.1\r\nHost: here\r\n\r\n",
            b"POST /hooks/codedeploy HTTP/1.1\r\nHost: here\r\nContent-Length: 100\r\n\r\n{",
        ):
            client = socket.create_connection((place.hostname, place.port), timeout=20)
            client.sendall(request)
            self._sockets.append(client)
        assert self._sockets[0].recv(100).startswith(b"HTTP/1.1 200")

    def __exit__(self, *_: object) -> None:
        for client in self._sockets:
            client.close()


def _seconds_to_stop(replica: Replica) -> float:
    began = time.monotonic()
    assert replica.stop() == 0
    return time.monotonic() - began


def _gates(shell: Shell) -> list[tuple[str, str | None]]:
    with psycopg.connect(shell.environment["DATABASE_URL"]) as connection:
        return connection.execute("SELECT phase, decided_by FROM gates ORDER BY opened_at").fetchall()


def _card_has(fakes: Fakes, action: str) -> bool:
    said = fakes.slack.messages.in_channel("C01DEPLOY")
    return bool(said) and f"'{action}'" in str(said[0].shown.blocks)
