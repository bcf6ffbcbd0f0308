"""`switchgate sandbox` as a process of its own, and what it leaves behind."""

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from app.db.embedded.postgres import temporary_folder

COMMAND = (sys.executable, "-m", "app", "sandbox")


@contextmanager
def own_folder() -> Iterator[Path]:
    """Where a sandbox may put its things; whatever names this folder afterwards was left behind."""
    with temporary_folder("sandbox-test-") as folder:
        yield folder


def environment(folder: Path, *, locale: str = "") -> dict[str, str]:
    """`locale`: the value of SWITCHGATE_LOCALE, whatever it is outside the test."""
    return {**os.environ, "TMPDIR": str(folder), "SWITCHGATE_LOCALE": locale}


def run_sandbox(*arguments: str, folder: Path, locale: str = "") -> subprocess.CompletedProcess[str]:
    """To its end."""
    return subprocess.run(
        [*COMMAND, *arguments],
        env=environment(folder, locale=locale),
        capture_output=True,
        text=True,
        timeout=180,
        check=False,
    )


@contextmanager
def open_sandbox(*arguments: str, folder: Path, port: int = 0, wait: bool = True) -> Iterator["OpenSandbox"]:
    """With its page, until the block ends; then stopped as Ctrl-C stops it. `wait`: until it says where."""
    output = folder.with_suffix(".said")
    command = [*COMMAND, "--port", str(port), *arguments]
    with output.open("w") as said:
        process = subprocess.Popen(
            command, env=environment(folder), stdout=said, stderr=said, start_new_session=True
        )
    sandbox = OpenSandbox(process, output)
    try:
        if wait:
            sandbox.until(lambda: sandbox.url)
        yield sandbox
    finally:
        if process.poll() is None:
            sandbox.stop(signal.SIGINT)
        output.unlink()


class OpenSandbox:
    """One that runs, or is about to."""

    def __init__(self, process: subprocess.Popen[bytes], output: Path) -> None:
        self._process = process
        self._output = output

    @property
    def url(self) -> str:
        """The page's; empty before it has been said."""
        found = re.search(r"Open (http://127\.0\.0\.1:\d+)\n", self.said())
        return found[1] if found else ""

    def said(self) -> str:
        return self._output.read_text()

    def stop(self, how: signal.Signals) -> int:
        """Gives the exit status."""
        self._process.send_signal(how)
        return self._process.wait(60)

    def until(self, predicate: Callable[[], object]) -> None:
        end = time.monotonic() + 120
        while not predicate():
            assert self._process.poll() is None, f"the sandbox has ended:\n{self.said()}"
            assert time.monotonic() < end, f"it did not come true in time:\n{self.said()}"
            time.sleep(0.02)


def left_behind(folder: Path) -> list[str]:
    """Files in the folder, and processes that work on it."""
    files = [str(path) for path in folder.iterdir()]
    return files + [words for words in _command_lines() if str(folder) in words]


def _command_lines() -> Iterator[str]:
    """Of every process, with its environment where the machine shows it."""
    if not Path("/proc/self").exists():
        yield from subprocess.run(
            ["ps", "-ewwo", "command="], capture_output=True, text=True, check=True
        ).stdout.splitlines()
        return
    for process in Path("/proc").glob("[0-9]*"):
        try:
            words = (process / "cmdline").read_bytes() + (process / "environ").read_bytes()
        except OSError:
            continue
        yield words.replace(b"\0", b" ").decode(errors="replace")
