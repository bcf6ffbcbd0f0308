"""`python -m tests.bench.attacks`: what clients without any secret can do to one replica, on loopback, in bounded time.

Each attack runs while presses come at a steady pace; the figures are the presses' own, beside those at rest.
"""

import asyncio
import contextlib
import sys
import threading
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

from tests.bench.environment import BenchEnvironment, bench_environment
from tests.bench.load import http_request
from tests.bench.measurement import quantile
from tests.bench.requests import approve_request

ATTACK_SECONDS = 8.0
PRESSES = 60
PRESSES_A_SECOND = 15
FORM = {"Content-Type": "application/x-www-form-urlencoded"}
UNSIGNED = {**FORM, "X-Slack-Request-Timestamp": str(int(time.time())), "X-Slack-Signature": "v0=" + "0" * 64}
LARGE_FORM = http_request("/slack/events", b"&".join([b"a=b"] * (2**20 - 8)), UNSIGNED)
DEEP_JSON = http_request("/slack/events", b"payload=" + b"%5B" * 20_000, UNSIGNED)
BEGUN_HOOK = "POST /hooks/codedeploy HTTP/1.1\r\nHost: x\r\n"
UNFINISHED_HOOK = f"{BEGUN_HOOK}Content-Type: application/json\r\nContent-Length: 100\r\n\r\n{{".encode()
UNFINISHED_HEADERS = f"{BEGUN_HOOK}X-Header: ".encode()

Attack = Callable[[str, int], Awaitable[None]]


class Statuses(dict[str, int]):
    """How often each answer came."""

    def count(self, what: str) -> None:
        self[what] = self.get(what, 0) + 1


seen = Statuses()


async def attempt(request: bytes, host: str, port: int) -> None:
    """One connection: writes, waits for an answer or the end, and counts which it was."""
    try:
        reader, writer = await asyncio.open_connection(host, port)
    except OSError:
        seen.count("refused")
        return
    try:
        writer.write(request)
        with contextlib.suppress(OSError):
            await writer.drain()
        line = await reader.readline()
        seen.count(line.split(b" ")[1].decode() if b" " in line else "closed")
    except OSError:
        seen.count("closed")
    finally:
        writer.close()


async def flood(request: bytes, host: str, port: int, *, at_once: int) -> None:
    """The same request again and again, on new connections, until cancelled."""

    async def again() -> None:
        while True:
            await attempt(request, host, port)

    await asyncio.gather(*(again() for _ in range(at_once)))


async def linger(start: bytes, host: str, port: int, *, connections: int) -> None:
    """Connections that begin a request and never end it, opened again when they are closed."""

    async def hold() -> None:
        while True:
            await attempt(start, host, port)
            await asyncio.sleep(0.05)

    await asyncio.gather(*(hold() for _ in range(connections)))


ATTACKS: dict[str, Attack] = {
    "unsigned forms of 4 MiB, 4 at once": lambda host, port: flood(LARGE_FORM, host, port, at_once=4),
    "unsigned deep JSON, 4 at once": lambda host, port: flood(DEEP_JSON, host, port, at_once=4),
    "unfinished bodies of hooks, 50": lambda host, port: linger(UNFINISHED_HOOK, host, port, connections=50),
    "unfinished headers, 700 connections": lambda host, port: linger(
        UNFINISHED_HEADERS, host, port, connections=700
    ),
}


@contextmanager
def under(attack: Attack | None, url: str) -> Iterator[None]:
    """The attack runs in a thread of its own while the block does."""
    if attack is None:
        yield
        return
    parts = urlsplit(url)
    host, port = str(parts.hostname), int(parts.port or 80)
    stop = threading.Event()

    async def run() -> None:
        task = asyncio.ensure_future(attack(host, port))
        await asyncio.to_thread(stop.wait, ATTACK_SECONDS * 8)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    thread = threading.Thread(target=lambda: asyncio.run(run()))
    thread.start()
    time.sleep(1)
    try:
        yield
    finally:
        stop.set()
        thread.join()


PUT = "PutLifecycleEventHookExecutionStatus"
DEPLOYMENTS = "SELECT g.id::text, s.deployment_id FROM gates g JOIN switches s ON s.id = g.switch_id"


def answered_since(env: BenchEnvironment, calls: int) -> dict[str, float]:
    """When CodeDeploy was last called for each deployment, POSIX seconds, without the first `calls` calls."""
    return {call.params["deploymentId"]: call.when.timestamp() for call in env.aws.calls(PUT)[calls:]}


def presses_under(env: BenchEnvironment, name: str, attack: Attack | None) -> None:
    """Prints one line: the presses' ack, how long CodeDeploy had to wait, and what the attacker was answered."""
    gates = env.waiting(PRESSES)
    env.settle()
    deployments = dict(env.rows(DEPLOYMENTS))
    calls_before = len(env.aws.calls(PUT))
    seen.clear()
    with under(attack, env.service.url):
        load = env.press(
            [approve_request(*gate) for gate in gates], at_once=PRESSES_A_SECOND, rate=PRESSES_A_SECOND
        )
        env.aws.wait_until(lambda: len(answered_since(env, calls_before)) >= PRESSES, timeout=60)
    answered_at = answered_since(env, calls_before)
    took = [
        1000 * (answered_at[deployments[gate]] - sent)
        for (gate, _, _), sent in zip(gates, load.sent, strict=True)
    ]
    acks = [1000 * each for each in load.seconds]
    print(
        f"{name:40} ack p50 {quantile(acks, 0.5):7.1f} max {max(acks):8.1f} ms · told p50 {quantile(took, 0.5):7.1f}"
        f" max {max(took):8.1f} ms · attacker heard {dict(seen) or '-'}",
        flush=True,
    )


def main() -> int:
    """At rest, then under each attack."""
    with bench_environment() as env:
        presses_under(env, "at rest", None)
        for name, attack in ATTACKS.items():
            presses_under(env, name, attack)
    return 0


if __name__ == "__main__":
    sys.exit(main())
