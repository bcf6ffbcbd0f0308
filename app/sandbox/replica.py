"""One replica of the real service, as a process of its own: `switchgate serve` with the contract's environment."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from types import FrameType
from typing import ClassVar, Final, Self
from urllib.error import HTTPError, URLError
from urllib.request import ProxyHandler, build_opener

READY_SECONDS: Final = 30.0
STOP_SECONDS: Final = 20.0
INHERITED: Final = ("PATH", "HOME", "LANG", "LD_LIBRARY_PATH", "SSL_CERT_FILE", "VIRTUAL_ENV", "PYTHONPATH")


class ReplicaNotReady(Exception):
    """The service did not become ready; the message ends with the end of its log."""


def free_port() -> int:
    """A port that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


class Replica:
    """`switchgate serve`. Its log goes to `log`, appended."""

    popen: ClassVar[type[subprocess.Popen[bytes]]] = subprocess.Popen
    """How it is started; the tests have a quicker way."""

    def __init__(self, environment: Mapping[str, str], *, log: Path) -> None:
        port = int(environment.get("PORT", "0")) or free_port()
        kept = {name: os.environ[name] for name in INHERITED if name in os.environ}
        self._environment = {**kept, **environment, "PORT": str(port), "NO_PROXY": "127.0.0.1"}
        self.url = f"http://127.0.0.1:{port}"
        self.log = log
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> Self:
        """Does not wait; see `wait_ready`."""
        with self.log.open("ab") as log:
            self._process = self.popen(
                [sys.executable, "-m", "app", "serve"],
                env=self._environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,  # Ctrl-C is handled by the parent process, which then stops this one gracefully
            )
        return self

    def wait_ready(self, seconds: float = READY_SECONDS) -> float:
        """Until `/readyz` says 200; gives the seconds it took. Raises `ReplicaNotReady`."""
        began = time.monotonic()
        while time.monotonic() - began < seconds:
            if self._process is None or self._process.poll() is not None:
                break
            if self._says_ready():
                return time.monotonic() - began
            time.sleep(0.02)
        tail = self.log.read_text(errors="replace")[-2000:]
        raise ReplicaNotReady(f"the service at {self.url} is not ready:\n{tail}")

    @property
    def pid(self) -> int:
        """Raises `ReplicaNotReady` when it was not started."""
        if self._process is None:
            raise ReplicaNotReady("the service was not started")
        return self._process.pid

    @property
    def running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def signal(self, which: signal.Signals) -> None:
        """Sends a signal and does not wait."""
        os.kill(self.pid, which)

    def stop(self) -> int:
        """SIGTERM and wait; gives the exit status."""
        if self._process is None:
            return 0
        self._process.terminate()
        try:
            return self._process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            return self.kill()

    def kill(self) -> int:
        """SIGKILL and wait."""
        if self._process is None:
            return 0
        self._process.kill()
        return self._process.wait(STOP_SECONDS)

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()

    def _says_ready(self) -> bool:
        try:
            with build_opener(ProxyHandler({})).open(f"{self.url}/readyz", timeout=2) as answer:
                return bool(answer.status == 200)
        except (HTTPError, URLError, OSError):
            return False


def stop_on_sigterm() -> None:
    """Turns SIGTERM into the same unwinding that Ctrl-C causes, so that every `with` block ends."""

    def interrupt(_signal: int, _frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    signal.signal(signal.SIGTERM, interrupt)
