"""Starts `switchgate …` without importing it anew: a process that has imported everything forks for each command.

Imports are most of what a command costs: a second or more, and the suite starts hundreds. The forked process runs the
same entry point, to the interpreter's own end, with the arguments, environment, folder and files that it was given.
Imported by nobody; `tests.forked_popen` runs it.
"""

import gc
import importlib
import json
import os
import pkgutil
import socket
import struct
import sys
import time
from typing import Any, Final

PRELOADED: Final = ("app.server", "app.bootstrap", "app.db.migrate", "app.cli.main", "alembic.command")
MAX_REQUEST_BYTES: Final = 200_000
FILES: Final = 4
"""Standard input, output and error, and the socket to answer on."""

ANSWER: Final = struct.Struct("!i")


def wait_for_request(control: socket.socket) -> dict[str, Any]:
    """Returns in a forked process, with its files in place. The server ends when its other side does."""
    while True:
        data, files, _, _ = socket.recv_fds(control, MAX_REQUEST_BYTES, FILES)
        if not data:
            os._exit(0)
        if os.fork() == 0:
            control.close()
            _supervise(files)
            request: dict[str, Any] = json.loads(data)
            return request
        for file in files:
            os.close(file)
        _reap()


def _reap() -> None:
    """Forgets the supervisors that have ended."""
    while True:
        try:
            ended, _ = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return
        if not ended:
            return


def _supervise(files: list[int]) -> None:
    """Returns in a child. The parent answers with the child's id, then with how it ended, and ends itself."""
    answer = socket.socket(fileno=files[-1])
    pid = os.fork()
    if pid == 0:
        answer.close()
        for number, file in enumerate(files[:-1]):
            os.dup2(file, number)
            os.close(file)
        return
    for file in files[:-1]:
        os.close(file)
    answer.sendall(ANSWER.pack(pid))
    _, status = os.waitpid(pid, 0)
    answer.sendall(ANSWER.pack(status))
    os._exit(0)


def become(request: dict[str, Any]) -> None:
    """Makes this process the one that was asked for."""
    if request["new_session"]:
        os.setsid()
    os.environ.clear()
    os.environ.update(request["environment"])
    time.tzset()
    os.chdir(request["folder"])
    sys.argv = ["switchgate", *request["words"]]


def main() -> None:
    control = socket.socket(fileno=int(sys.argv[1]))
    for name in PRELOADED:
        importlib.import_module(name)
    for module in pkgutil.iter_modules(importlib.import_module("app.cli").__path__, "app.cli."):
        importlib.import_module(module.name)
    gc.collect()
    gc.freeze()
    become(wait_for_request(control))
    from app.cli.main import run

    run()


if __name__ == "__main__":
    main()
