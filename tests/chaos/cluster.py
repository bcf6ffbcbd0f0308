"""Three replicas on one pair of fakes with a Postgres of their own, all of which may be killed and come back."""

import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, Final

import psycopg
from psycopg.rows import dict_row

from app.db.embedded.postgres import EmbeddedPostgres, temporary_folder
from app.db.migrate import migrate
from app.sandbox.aws.state.topology import SandboxDomain
from app.sandbox.fakes import Fakes
from app.sandbox.people import CHANNEL
from app.sandbox.replica import Replica
from app.sandbox.slack.state.shapes import Message
from tests.harness import AT_ONCE

REPLICAS: Final = 3
AWS_SPEED: Final = 4.0
"""Stand-in seconds of AWS in a real second: a minute in which blue is kept lasts fifteen seconds."""

CANARY: Final = "CodeDeployDefault.ECSCanary10Percent5Minutes"


def domains(count: int) -> tuple[SandboxDomain, ...]:
    """Most switch at once; some keep blue for a minute, some are canaries, some roll nothing back by themselves."""
    return tuple(
        SandboxDomain(
            f"d{number:03}",
            20_000 + number,
            config=CANARY if number % 12 == 0 else "CodeDeployDefault.ECSAllAtOnce",
            termination_wait_minutes=1 if number % 3 == 0 else 0,
            auto_rollback=() if number % 5 == 0 else ("DEPLOYMENT_FAILURE", "DEPLOYMENT_STOP_ON_REQUEST"),
        )
        for number in range(count)
    )


class Cluster:
    """The replicas, Postgres and stand-ins that the faults disrupt."""

    def __init__(self, folder: Path, fakes: Fakes, postgres: EmbeddedPostgres, database_url: str) -> None:
        self.fakes, self.aws, self.slack = fakes, fakes.aws, fakes.slack
        self.database_url = database_url
        self._postgres = postgres
        self._postgres_folder = folder / "postgres"
        environment = {**fakes.environment(database_url=database_url), "SWITCHGATE_LOG_LEVEL": "WARNING"}
        self.logs = [folder / f"replica-{number}.log" for number in range(REPLICAS)]
        self.replicas = [Replica(environment, log=log) for log in self.logs]
        self._lock = threading.Lock()

    def start(self) -> None:
        for replica in self.replicas:
            replica.start()
        for replica in self.replicas:
            replica.wait_ready(120)
        self.fakes.service_urls = [replica.url for replica in self.replicas]

    def stop(self) -> None:
        for replica in self.replicas:
            replica.stop()

    def restart(self, number: int, how: signal.Signals) -> None:
        """Ends one replica and starts it again at the same address."""
        replica = self.replicas[number]
        if how is signal.SIGKILL:
            replica.kill()
        else:
            replica.stop()
        replica.start()

    def crash_postgres(self) -> None:
        """Kills the whole server with SIGKILL, as the out-of-memory killer does, and starts it again."""
        with self._lock:
            pid = int((self._postgres_folder / "data" / "postmaster.pid").read_text().split("\n", 1)[0])
            os.kill(pid, signal.SIGKILL)
            self._postgres.start()

    def cut_connections(self, share: float, pick: Callable[[], float]) -> None:
        """Ends some of the replicas' sessions at the database, whatever they are doing."""
        found = self.rows("SELECT pid FROM pg_stat_activity WHERE datname = current_database()")
        for row in found:
            if pick() < share:
                self.rows("SELECT pg_terminate_backend(%s)", row["pid"])

    def rows(self, statement: str, *values: Any) -> list[dict[str, Any]]:
        """Reads from the database; retries while Postgres is down."""
        end = time.monotonic() + 60
        while True:
            try:
                with psycopg.connect(self.database_url, autocommit=True, row_factory=dict_row) as connection:
                    return connection.execute(statement, list(values)).fetchall()
            except psycopg.OperationalError:
                if time.monotonic() > end:
                    raise
                time.sleep(0.1)

    def count(self, what: str) -> int:
        """`count("gates WHERE phase = 'awaiting'")`"""
        found: int = self.rows(f"SELECT count(*) AS n FROM {what}")[0]["n"]
        return found

    def until(self, predicate: Callable[[], object], what: str, timeout: float) -> None:
        """Raises `AssertionError` on a timeout."""
        end = time.monotonic() + timeout
        while not predicate():
            assert time.monotonic() < end, f"it did not come true in time: {what}"
            time.sleep(0.2)

    def cards(self) -> list[Message]:
        """The app's messages in the channel, without replies, oldest first."""
        said = self.slack.messages.in_channel(CHANNEL.id)
        return [message for message in said if message.by_app and not message.is_reply]


@contextmanager
def cluster(folder: Path, *, domain_count: int, seed: int) -> Iterator[Cluster]:
    """Everything started; and stopped, whatever happens."""
    with ExitStack() as stack:
        server_folder = stack.enter_context(temporary_folder("switchgate-chaos-"))
        postgres = EmbeddedPostgres(server_folder / "postgres")
        postgres.start()
        stack.callback(postgres.stop)
        url = postgres.create_database("chaos")
        migrate(url)
        fakes = stack.enter_context(
            Fakes(folder, domains=domains(domain_count), speed=AWS_SPEED, pace=AT_ONCE, seed=seed)
        )
        built = Cluster(server_folder, fakes, postgres, url)
        stack.callback(built.stop)
        built.start()
        yield built
