"""`subprocess.Popen` that starts `switchgate …` as a fork of `tests.fork_server`."""

import json
import os
import socket
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import Any, AnyStr, Final

from tests.fork_server import ANSWER

ROOT: Final = Path(__file__).parent.parent
KEPT: Final = ("PATH", "LD_LIBRARY_PATH", "LANG")
AS_MODULE: Final = [sys.executable, "-m", "app"]
AS_SCRIPT: Final = [str(Path(sys.executable).with_name("switchgate"))]
KILLED: Final = 9


@cache
def _server() -> socket.socket:
    """The way to this process's fork server, which is started at first use and ends with this process."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with theirs:
        subprocess.Popen(
            [sys.executable, "-m", "tests.fork_server", str(theirs.fileno())],
            cwd=ROOT,
            env={name: os.environ[name] for name in KEPT if name in os.environ},
            pass_fds=[theirs.fileno()],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        ).returncode = 0  # nobody waits for it
    return ours


def _words(command: Any) -> list[str] | None:
    """The arguments of `switchgate`; None for another command."""
    words = [os.fspath(word) for word in command]
    for start in (AS_MODULE, AS_SCRIPT):
        if words[: len(start)] == start:
            return words[len(start) :]
    return None


class ForkedPopen(subprocess.Popen[AnyStr]):
    """Only how a process is started and how its end is learned differ; Popen has private methods for both.

    Other commands start as usual, and so does `switchgate` with variables that are for Python itself.
    """

    _answers: socket.socket | None = None

    def _execute_child(self, *given: Any) -> None:
        command, folder, environment, pipes, new_session = (
            given[0],
            given[5],
            given[6],
            given[10:16],
            given[21],
        )
        words = _words(command)
        environment = dict(os.environ if environment is None else environment)
        for_python = any(name.startswith("PYTHON") and name != "PYTHONPATH" for name in environment)
        if words is None or for_python or sys.platform != "linux":
            super()._execute_child(*given)  # type: ignore[misc]  # typeshed does not know it
            return
        request = {
            "words": words,
            "environment": environment,
            "folder": os.fspath(folder or Path.cwd()),
            "new_session": new_session,
        }
        stdin, _, _, stdout, _, stderr = pipes
        files: list[int] = [
            number if file == -1 else file for number, file in enumerate((stdin, stdout, stderr))
        ]
        self._answers, theirs = socket.socketpair()
        with theirs:
            socket.send_fds(_server(), [json.dumps(request).encode()], [*files, theirs.fileno()])
        (self.pid,) = ANSWER.unpack(self._answers.recv(ANSWER.size))
        self._child_created = True
        self._close_pipe_fds(*pipes)  # type: ignore[attr-defined]

    def _internal_poll(self, *given: Any, **more: Any) -> int | None:
        if self._answers is None:
            status: int | None = super()._internal_poll(*given, **more)  # type: ignore[misc]
            return status
        with self._waitpid_lock:  # type: ignore[attr-defined]
            if self.returncode is None:
                pid, ended = self._try_wait(os.WNOHANG)
                if pid:
                    self._handle_exitstatus(ended)  # type: ignore[attr-defined]
        return self.returncode

    def _try_wait(self, wait_flags: int) -> tuple[int, int]:
        """As `os.waitpid`: the process and how it ended, or (0, 0)."""
        if self._answers is None:
            found: tuple[int, int] = super()._try_wait(wait_flags)  # type: ignore[misc]
            return found
        self._answers.setblocking(not wait_flags & os.WNOHANG)
        try:
            answer = self._answers.recv(ANSWER.size)
        except BlockingIOError:
            return 0, 0
        self._answers.close()
        return self.pid, ANSWER.unpack(answer)[0] if answer else KILLED
