"""`switchgate sandbox` as a process of its own, and what it leaves behind."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from app.embedded_postgres import temporary_folder

COMMAND = (sys.executable, "-m", "app", "sandbox")


@contextmanager
def own_folder() -> Iterator[Path]:
    """Where a sandbox may put its things; whatever names this folder afterwards was left behind."""
    with temporary_folder("sandbox-test-") as folder:
        yield folder


def environment(folder: Path) -> dict[str, str]:
    return {**os.environ, "TMPDIR": str(folder)}


def run_sandbox(*arguments: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """To its end."""
    return subprocess.run(
        [*COMMAND, *arguments],
        env=environment(folder),
        capture_output=True,
        text=True,
        timeout=180,
        check=False,
    )


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
