"""The calls of the app to Slack."""

import json
from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import unquote

from app.sandbox.slack.state.clock import Clock
from app.sandbox.slack.state.lock import WorkspaceLock


@dataclass(frozen=True, slots=True)
class Call:
    """One thing the app sent. `outcome`: `ok`, an error string, or what a fault made of it.

    `method` is a Web API method, `response_url`, or `ack` for what was answered to an interaction. The
    token it came with is not among `params`.
    """

    method: str
    params: Mapping[str, Any]
    when: datetime
    outcome: str


class Calls:
    """The latest `remember` of them, oldest first."""

    def __init__(self, lock: WorkspaceLock, clock: Clock, *, remember: int) -> None:
        self._lock = lock
        self._clock = clock
        self._calls: deque[Call] = deque(maxlen=remember)

    def note(self, method: str, params: Mapping[str, Any], outcome: str) -> None:
        with self._lock.change():
            self._calls.append(Call(method, params, self._clock.now(), outcome))

    def all(self, method: str | None = None) -> list[Call]:
        with self._lock.hold():
            return [call for call in self._calls if method in (None, call.method)]

    def traffic(self) -> str:
        """Every text that the app sent, one per line, decoded, so that neither JSON nor URL encoding hides a secret."""
        lines = []
        for call in self.all():
            for text in _texts(call.params):
                lines.append(f"{call.method} {text}")
                if "%" in text:
                    lines.append(f"{call.method} {unquote(text)}")
        return "\n".join(lines)


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, Mapping):
        for name, inner in value.items():
            yield str(name)
            yield from _texts(inner)
    elif isinstance(value, list | tuple):
        for inner in value:
            yield from _texts(inner)
    elif value is not None:
        yield str(value)
        yield from _nested(value)


def _nested(value: object) -> Iterator[str]:
    """JSON inside a string, as in `private_metadata` or a form's `blocks`."""
    if isinstance(value, str) and value[:1] in ("{", "["):
        try:
            yield from _texts(json.loads(value))
        except ValueError:
            return
