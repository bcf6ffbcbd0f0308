"""Detects the first response from AWS after an outage, so that failed calls are retried at once."""

import asyncio
import threading
import time
from collections.abc import Callable
from typing import Any, Final

import boto3

from app.aws.errors import THROTTLES

EXPIRED: Final = frozenset(
    {
        "ExpiredToken",
        "ExpiredTokenException",
        "InvalidClientTokenId",
        "InvalidSignatureException",
        "SignatureDoesNotMatch",
        "UnrecognizedClientException",
    }
)
"""Errors of the credentials: every call fails until they are replaced. A missing permission is no outage, because it
affects one call only."""

SERVER_ERROR: Final = 500

MIN_RECOVERY_INTERVAL_SECONDS: Final = 2.0
"""An AWS that fails now and then must not get more calls for each of its answers."""


class OutageMonitor:
    """Watches every call of a boto3 session: make it before the session's clients.

    `recovered` is called in the event loop at the first answer after an outage: no answer at all, server errors,
    expired credentials; at most every two seconds. Throttling is no outage, and an answer to it must not bring more
    calls.
    """

    def __init__(self, session: boto3.session.Session, *, recovered: Callable[[], None]) -> None:
        self._loop = asyncio.get_running_loop()
        self._recovered = recovered
        self._lock = threading.Lock()
        self._failing = False
        self._recovered_at = -MIN_RECOVERY_INTERVAL_SECONDS
        session.events.register("after-call", self._answered)
        session.events.register("after-call-error", self._unanswered)

    def _unanswered(self, **_: Any) -> None:
        with self._lock:
            self._failing = True

    def _answered(self, http_response: Any, parsed: Any, **_: Any) -> None:
        code = str((parsed.get("Error") or {}).get("Code", "")).rsplit("#", 1)[-1]
        if code in THROTTLES:
            return
        failed = http_response.status_code >= SERVER_ERROR or code in EXPIRED
        with self._lock:
            recovered, self._failing = self._failing and not failed, failed
            now = time.monotonic()
            if not recovered or now - self._recovered_at < MIN_RECOVERY_INTERVAL_SECONDS:
                return
            self._recovered_at = now
        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._recovered)
