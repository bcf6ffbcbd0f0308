"""Runs the load generator in a process of its own and gives what it saw."""

import base64
import json
import subprocess
import sys
from collections.abc import Sequence
from urllib.parse import urlsplit

from tests.bench.client import Seen
from tests.bench.measurement import quantile


class LoadFailed(Exception):
    """The server answered with errors, so the measurement is invalid."""


class Load(Seen):
    """What the load generator saw."""

    def p(self, share: float) -> float:
        """A quantile of the answers' time, in milliseconds."""
        return 1000 * quantile(self.seconds, share)

    @property
    def rate(self) -> float:
        """Answers a second."""
        return len(self.seconds) / self.took


def send(
    url: str, requests: Sequence[bytes], *, at_once: int, rate: float = 0, expect: int, bodies: bool = False
) -> Load:
    """Sends them all. Raises `LoadFailed` unless every answer has the expected status."""
    parts = urlsplit(url)
    plan = {
        "host": parts.hostname,
        "port": parts.port,
        "at_once": at_once,
        "rate": rate,
        "bodies": True,
        "requests": [base64.b64encode(request).decode() for request in requests],
    }
    done = subprocess.run(
        [sys.executable, "-m", "tests.bench.client"],
        input=json.dumps(plan),
        capture_output=True,
        text=True,
        timeout=300,
    )
    if done.returncode != 0:
        raise LoadFailed(done.stderr[-1000:])
    load = Load(**json.loads(done.stdout))
    odd = [
        (status, body) for status, body in zip(load.statuses, load.bodies, strict=True) if status != expect
    ]
    if odd:
        raise LoadFailed(f"{len(odd)} of {len(requests)} answers were not {expect}, the first: {odd[0]}")
    return load


def get_request(path: str) -> bytes:
    """A complete HTTP message that asks for a page."""
    return f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".encode()


def http_request(path: str, body: bytes, headers: dict[str, str], *, host: str = "127.0.0.1") -> bytes:
    """A complete HTTP message."""
    lines = [
        f"POST {path} HTTP/1.1",
        f"Host: {host}",
        f"Content-Length: {len(body)}",
        *(f"{name}: {value}" for name, value in headers.items()),
    ]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body
