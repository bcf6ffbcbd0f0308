"""What is measured: one replica of the service, the baseline beside it, one Postgres, and the stand-ins."""

import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Self

import psycopg

from app.db.embedded.postgres import EmbeddedPostgres, temporary_folder
from app.db.migrate import migrate
from app.sandbox.aws.stand_in import AwsStandIn
from app.sandbox.aws.state.topology import SandboxDomain
from app.sandbox.fakes import HOOK_SECRET, KID
from app.sandbox.people import CHANNEL, ONCALL, PEOPLE, config_text
from app.sandbox.replica import Replica, free_port
from app.sandbox.slack.stand_in import SlackStandIn
from app.sandbox.slack.state.credentials import BOT_TOKEN, SIGNING_SECRET
from tests.bench.load import Load, send
from tests.bench.requests import baseline_request, hook_request
from tests.harness import AT_ONCE
from tests.polling import until

MANY = 1000
"""Domains, each with one deployment that waits: a gate for every press that is measured."""

WAITING = (
    "SELECT g.id, g.prompt_version, c.ts FROM gates g JOIN switches s ON s.id = g.switch_id"
    " JOIN cards c ON c.gate_id = g.id WHERE c.ts IS NOT NULL AND g.phase = 'awaiting' AND s.verified_at IS NOT NULL"
    " ORDER BY g.opened_at, g.id LIMIT %s"
)

UNDONE = """
SELECT (SELECT count(*) FROM cards WHERE due_at <= now()) + (SELECT count(*) FROM reports WHERE due_at <= now())
     + (SELECT count(*) FROM threads WHERE due_at <= now()) + (SELECT count(*) FROM switches WHERE due_at <= now())
     + (SELECT count(*) FROM evidence WHERE due_at IS NOT NULL AND seen_at IS NULL)
"""
"""Later evidence reads go on as long as gates wait: they are the service's load at rest."""


class BenchEnvironment:
    """Use `bench_environment()`. Each measurement is finished before the next one starts: see `settle`."""

    def __init__(self, folder: Path, postgres: EmbeddedPostgres) -> None:
        self.folder = folder
        self.postgres = postgres
        self.url = postgres.create_database("bench")
        migrate(self.url)
        domains = [SandboxDomain(f"d{n:04}", 10_000 + n) for n in range(MANY)]
        (folder / "switchgate.toml").write_text(config_text(domains))
        self._events: list[dict[str, str]] = []
        self.aws = AwsStandIn(domains, invoke_hook=self._events.append, pace=AT_ONCE, seed=1)
        self.slack = SlackStandIn(users=PEOPLE, groups=[ONCALL], channels=[CHANNEL])
        self.service = Replica(self.environment(), log=folder / "service.log")
        self._baseline_url = f"http://127.0.0.1:{free_port()}"
        self._baseline: subprocess.Popen[bytes] | None = None

    def start(self) -> Self:
        self.aws.start()
        self.slack.start()
        self._begin_baseline()
        self.service.start().wait_ready(120)
        for domain in self.aws.domains():
            self.aws.deploy(domain.name)
        self.aws.wait_until(lambda: len(self._events) == MANY, timeout=60)
        self.aws.faults.slow("*", 5)
        return self

    def stop(self) -> None:
        self.service.stop()
        if self._baseline is not None:
            self._baseline.kill()
            self._baseline.wait(10)
        self.slack.stop()
        self.aws.stop()

    def environment(self) -> dict[str, str]:
        """One replica's, in HTTP mode."""
        return {
            **self.aws.environment(),
            "DATABASE_URL": self.url,
            "SWITCHGATE_CONFIG": str(self.folder / "switchgate.toml"),
            "SWITCHGATE_HOOK_SECRETS": f"{KID}:{HOOK_SECRET}",
            "SLACK_BOT_TOKEN": BOT_TOKEN,
            "SLACK_SIGNING_SECRET": SIGNING_SECRET,
            "SLACK_API_URL": self.slack.api_url,
            "SWITCHGATE_LOG_LEVEL": "INFO",
        }

    def baseline(self, count: int, *, at_once: int, rate: float = 0) -> Load:
        """So many requests to the baseline."""
        return send(self._baseline_url, [baseline_request()] * count, at_once=at_once, rate=rate, expect=202)

    def open_gates(self, count: int, *, at_once: int) -> Load:
        """So many hooks that nobody has sent yet."""
        taken, self._events = self._events[:count], self._events[count:]
        if len(taken) < count:
            raise ValueError("MANY is too few")
        return send(self.service.url, [hook_request(event) for event in taken], at_once=at_once, expect=202)

    def press(self, requests: list[bytes], *, at_once: int, rate: float = 0) -> Load:
        return send(self.service.url, requests, at_once=at_once, rate=rate, expect=200)

    def waiting(self, count: int) -> list[tuple[str, int, str]]:
        """The oldest gates that can be decided, their prompt versions and their cards' `ts`; opens what is missing."""
        found = self.rows(WAITING, count)
        if len(found) < count:
            self.open_gates(count - len(found), at_once=8)
            self.settle()
            found = self.rows(WAITING, count)
        return [(str(gate), prompt_version, ts) for gate, prompt_version, ts in found]

    def settle(self, seconds: float = 180) -> None:
        """Waits until the workers are idle, so that one measurement does not slow the next."""
        until(lambda: self.rows(UNDONE)[0][0] == 0, timeout=seconds)
        time.sleep(0.2)

    def rows(self, statement: str, *values: Any) -> list[tuple[Any, ...]]:
        with psycopg.connect(self.url) as connection:
            return connection.execute(statement, list(values)).fetchall()

    def write(self, statement: str) -> None:
        """Writes to the database directly."""
        with psycopg.connect(self.url) as connection:
            connection.execute(statement)

    def _begin_baseline(self) -> None:
        with psycopg.connect(self.url) as connection:
            connection.execute(
                "CREATE TABLE baseline (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, body text NOT NULL)"
            )
        port = self._baseline_url.rpartition(":")[2]
        self._baseline = subprocess.Popen([sys.executable, "-m", "tests.bench.baseline", self.url, port])
        until(lambda: _answers(lambda: self.baseline(1, at_once=1)))


def _answers(work: Callable[[], object]) -> bool:
    try:
        work()
    except Exception:
        return False
    return True


@contextmanager
def bench_environment() -> Iterator[BenchEnvironment]:
    """Starts everything, and stops it at the end."""
    with temporary_folder("switchgate-bench-") as folder:
        postgres = EmbeddedPostgres(folder / "postgres")
        postgres.start()
        built = BenchEnvironment(folder, postgres)
        try:
            yield built.start()
        finally:
            built.stop()
            postgres.stop()
