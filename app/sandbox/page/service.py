"""Controls the service replica from the page."""

from collections.abc import Callable
from threading import Lock
from typing import Literal

from app.sandbox.replica import Replica

State = Literal["running", "starting", "down"]


class Service:
    """Kills and starts the replica. Safe from any thread; `changed` is called at every step."""

    def __init__(self, replica: Replica, *, changed: Callable[[], object]) -> None:
        self._replica = replica
        self._changed = changed
        self._lock = Lock()
        self._starting = False

    @property
    def state(self) -> State:
        if self._starting:
            return "starting"
        return "running" if self._replica.running else "down"

    def kill(self) -> None:
        """Sends SIGKILL, as when a machine is lost."""
        with self._lock:
            self._replica.kill()

    def start(self) -> None:
        """Returns once it is ready. Raises `ReplicaNotReady`."""
        with self._lock:
            if self._replica.running:
                return
            self._starting = True
            self._changed()
            try:
                self._replica.start().wait_ready()
            finally:
                self._starting = False
