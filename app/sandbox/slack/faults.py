"""Injects faults between the app and Slack."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final, Literal

from app.sandbox.slack.errors import SlackError, ratelimited

EVERY_METHOD: Final = "*"
RESPONSE_URL: Final = "response_url"
"""Used as a method's name for posts to a response URL."""

Outage = Literal["unavailable", "reset"]


@dataclass(frozen=True, slots=True)
class FaultEffect:
    """The effect on one request: a delay in seconds, then an error, or a lost answer after the work."""

    delay: float = 0.0
    error: SlackError | None = None
    reset: bool = False
    answer_lost: bool = False


@dataclass(slots=True)
class _Due:
    fault: FaultEffect
    times: int | None
    channel: str | None = None


class Faults:
    """Safe from any thread. `method` is a Web API method (`chat.update`), `response_url`, or `*` for all.

    `times`: the next so many requests, after whatever was added before; None: until cleared. A fault applies
    to one HTTP request, so a client that retries uses up one per try. `channel`: only requests about it.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._due: dict[str, list[_Due]] = {}
        self._slow: dict[str, _Due] = {}
        self._outage: Outage | None = None
        self._handshakes = 0
        self._doubled = 0

    def ratelimit(
        self, method: str, *, retry_after: int = 1, times: int | None = 1, channel: str | None = None
    ) -> None:
        """HTTP 429 with Retry-After, in seconds."""
        self._add(method, FaultEffect(error=ratelimited(retry_after)), times, channel)

    def error(self, method: str, code: str, *, times: int | None = 1, channel: str | None = None) -> None:
        """Any of Slack's error strings, as HTTP 200."""
        self._add(method, FaultEffect(error=SlackError(code)), times, channel)

    def server_error(self, method: str, *, status: int = 500, times: int | None = 1) -> None:
        """Before anything was done."""
        self._add(method, FaultEffect(error=SlackError("internal_error", status=status)), times)

    def reset(self, method: str, *, times: int | None = 1) -> None:
        """The connection is dropped before anything was done."""
        self._add(method, FaultEffect(reset=True), times)

    def lose_answer(self, method: str, *, times: int | None = 1, channel: str | None = None) -> None:
        """The work is done, then the connection is dropped without an answer."""
        self._add(method, FaultEffect(answer_lost=True), times, channel)

    def slow(self, method: str, seconds: float, *, times: int | None = None) -> None:
        """The work begins so many real seconds later."""
        with self._lock:
            self._slow[method] = _Due(FaultEffect(delay=seconds), times)

    def outage(self, kind: Outage = "unavailable") -> None:
        """From now on every API call, response URL and new socket is refused (503), or reset."""
        self._outage = kind

    def end_outage(self) -> None:
        self._outage = None

    @contextmanager
    def away(self, kind: Outage = "unavailable") -> Iterator[None]:
        """An outage for the length of a `with`."""
        self.outage(kind)
        try:
            yield
        finally:
            self.end_outage()

    def fail_handshakes(self, times: int = 1) -> None:
        """The next sockets to connect, each on a good URL, are refused; the URL is spent all the same."""
        self._handshakes += times

    def double_envelopes(self, times: int = 1) -> None:
        """The next envelopes are each sent twice."""
        self._doubled += times

    def clear(self, method: str | None = None) -> None:
        """Clears the faults of one method, or all faults."""
        with self._lock:
            for faults in (self._due, self._slow):
                if method is None:
                    faults.clear()
                else:
                    faults.pop(method, None)
            if method is None:
                self._outage, self._handshakes, self._doubled = None, 0, 0

    def take(self, method: str, channel: str = "") -> FaultEffect:
        """The effect on a request that has just arrived; `channel`: what it is about."""
        if self._outage == "reset":
            return FaultEffect(reset=True)
        if self._outage == "unavailable":
            return FaultEffect(error=SlackError("service_unavailable", status=503))
        with self._lock:
            delay = self._take_slow(method)
            due = self._take_due(method, channel) or FaultEffect()
        return FaultEffect(delay, due.error, due.reset, due.answer_lost)

    def take_handshake(self) -> bool:
        """Whether the socket that is about to connect fails."""
        with self._lock:
            fails = self._handshakes > 0
            self._handshakes -= fails
            return fails or self._outage is not None

    def take_copies(self) -> int:
        """How often the envelope that is about to be sent is sent."""
        with self._lock:
            doubled = self._doubled > 0
            self._doubled -= doubled
            return 2 if doubled else 1

    def _add(self, method: str, fault: FaultEffect, times: int | None, channel: str | None = None) -> None:
        with self._lock:
            self._due.setdefault(method, []).append(_Due(fault, times, channel))

    def _take_due(self, method: str, channel: str) -> FaultEffect | None:
        for name in (method, EVERY_METHOD):
            waiting = self._due.get(name, [])
            first = next((due for due in waiting if due.channel in (None, channel)), None)
            if first is not None:
                if _is_used_up(first):
                    waiting.remove(first)
                return first.fault
        return None

    def _take_slow(self, method: str) -> float:
        name = method if method in self._slow else EVERY_METHOD
        slow = self._slow.get(name)
        if slow is None:
            return 0.0
        if _is_used_up(slow):
            del self._slow[name]
        return slow.fault.delay


def _is_used_up(due: _Due) -> bool:
    """Counts one use."""
    if due.times is None:
        return False
    due.times -= 1
    return due.times <= 0
