"""Injects faults at random, from a seed: replicas, Postgres, connections, Slack and AWS."""

import random
import signal
import threading
from collections.abc import Callable
from typing import Final

from app.sandbox.slack.faults import EVERY_METHOD
from tests.chaos.cluster import REPLICAS, Cluster

METHODS: Final = ("chat.postMessage", "chat.update", "chat.postEphemeral", "views.open", "users.info")
READS: Final = ("GetDeployment", "GetDeploymentTarget", "ListDeploymentTargets", "BatchGetDeployments")
PUT: Final = "PutLifecycleEventHookExecutionStatus"


class FaultInjector:
    """Injects a fault every half second or so until `stop`, which clears all faults."""

    def __init__(self, cluster: Cluster, *, seed: int) -> None:
        self._cluster = cluster
        self._chance = random.Random(f"storm:{seed}")  # noqa: S311 - repeatable
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="fault_injector", daemon=True)
        self.injected: dict[str, int] = {}
        self.failed: BaseException | None = None

    def start(self) -> None:
        faults = self._cluster.aws.faults
        faults.rate(PUT, throttle=0.1, error=0.05, drop=0.03, error_after_commit=0.1, drop_after_commit=0.05)
        for read in READS:
            faults.rate(read, throttle=0.05, error=0.03, drop=0.01)
        for read in ("StopDeployment", "CreateDeployment"):
            faults.rate(read, throttle=0.1, error=0.05, error_after_commit=0.1, drop_after_commit=0.05)
        faults.hook_rate(duplicate=0.1)
        self._thread.start()

    def stop(self) -> None:
        """Everything works again, and every replica runs. Raises the exception of the thread."""
        self._stop.set()
        self._thread.join(180)
        self._cluster.aws.faults.clear()
        self._cluster.slack.faults.clear()
        if self.failed is not None:
            raise self.failed
        for replica in self._cluster.replicas:
            if not replica.running:
                replica.start()
            replica.wait_ready(120)

    def _run(self) -> None:
        faults: tuple[tuple[Callable[[], None], int], ...] = (
            (self._replica_killed, 4),
            (self._replica_stopped, 1),
            (self._postgres_crashed, 1),
            (self._connections_cut, 4),
            (self._slack_throttles, 4),
            (self._slack_loses_answers, 4),
            (self._slack_fails, 4),
            (self._slack_away, 1),
            (self._sockets_dropped, 2),
            (self._envelopes_doubled, 3),
            (self._aws_throttles, 2),
        )
        weights = [weight for _, weight in faults]
        try:
            while not self._stop.wait(self._chance.uniform(0.3, 1.2)):
                inject = self._chance.choices([inject for inject, _ in faults], weights)[0]
                name = inject.__name__.strip("_")
                self.injected[name] = self.injected.get(name, 0) + 1
                inject()
        except BaseException as exc:
            self.failed = exc

    def _replica_killed(self) -> None:
        self._cluster.restart(self._chance.randrange(REPLICAS), signal.SIGKILL)

    def _replica_stopped(self) -> None:
        self._cluster.restart(self._chance.randrange(REPLICAS), signal.SIGTERM)

    def _postgres_crashed(self) -> None:
        self._cluster.crash_postgres()

    def _connections_cut(self) -> None:
        self._cluster.cut_connections(self._chance.choice((0.1, 0.5, 1.0)), self._chance.random)

    def _slack_throttles(self) -> None:
        self._cluster.slack.faults.ratelimit(self._method(), retry_after=self._chance.choice((1, 2)), times=3)

    def _slack_loses_answers(self) -> None:
        self._cluster.slack.faults.lose_answer(self._method(), times=self._chance.choice((1, 2, 4)))

    def _slack_fails(self) -> None:
        faults = self._cluster.slack.faults
        self._chance.choice((faults.server_error, faults.reset))(self._method(), times=2)

    def _slack_away(self) -> None:
        with self._cluster.slack.faults.away(self._chance.choice(("unavailable", "reset"))):
            self._stop.wait(self._chance.uniform(0.5, 2))

    def _sockets_dropped(self) -> None:
        self._cluster.slack.drop_sockets()
        self._cluster.slack.faults.fail_handshakes(1)

    def _envelopes_doubled(self) -> None:
        self._cluster.slack.faults.double_envelopes(5)

    def _aws_throttles(self) -> None:
        self._cluster.aws.faults.add("*", "throttle", times=20)

    def _method(self) -> str:
        return self._chance.choice((*METHODS, EVERY_METHOD))
