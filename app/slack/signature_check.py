"""Verifies Slack's signature over the raw body; logs and counts denied requests with the likely cause."""

import hmac
import re
from collections.abc import Mapping
from enum import StrEnum
from typing import Final

import structlog
from slack_sdk.signature import Clock, SignatureVerifier

from app.observability.log_throttle import LogThrottle
from app.observability.metrics import SLACK_REFUSED

log = structlog.get_logger(__name__)

MAX_AGE_SECONDS: Final = 300
LOG_SECONDS: Final = 10
HINT_SECONDS: Final = 3600
"""Readiness reports a denial this long, unless a request was accepted since."""

TIMESTAMP: Final = re.compile("[0-9]{1,15}")
SIGNATURE: Final = re.compile("v0=[0-9a-f]{64}")


class Cause(StrEnum):
    """Why a request was denied."""

    UNSIGNED = "unsigned"
    SIGNATURE = "signature"
    CLOCK = "clock"


class SignatureCheck:
    """https://docs.slack.dev/authentication/verifying-requests-from-slack."""

    def __init__(self, signing_secret: str) -> None:
        self._clock = Clock()
        self._verifier = SignatureVerifier(signing_secret, self._clock)
        self._log_throttle = LogThrottle(seconds=LOG_SECONDS)
        self._refused: tuple[Cause, int, float] | None = None

    def admits(self, body: bytes, headers: Mapping[str, str]) -> bool:
        """Whether the request is Slack's and not older or newer than five minutes."""
        cause, seconds = self._cause(body, headers)
        if cause is None:
            self._refused = None
            return True
        self._trace(cause, seconds)
        return False

    def hint(self) -> str:
        """The probable cause while requests are denied; else empty."""
        if self._refused is None or self._clock.now() - self._refused[2] > HINT_SECONDS:
            return ""
        cause, seconds, _ = self._refused
        if cause is Cause.CLOCK:
            return f"requests are refused: this machine's clock differs from Slack's by {seconds:+d} s"
        return (
            "requests are refused: their signature does not match SLACK_SIGNING_SECRET;"
            " copy it from the app's page, Basic Information"
        )

    def _cause(self, body: bytes, headers: Mapping[str, str]) -> tuple[Cause | None, int]:
        """The cause, and by how many seconds our clock is ahead of the request's."""
        timestamp = headers.get("x-slack-request-timestamp", "")
        signature = headers.get("x-slack-signature", "")
        if not TIMESTAMP.fullmatch(timestamp) or not SIGNATURE.fullmatch(signature):
            return Cause.UNSIGNED, 0
        ahead = int(self._clock.now()) - int(timestamp)
        try:
            expected = self._verifier.generate_signature(timestamp=timestamp, body=body) or ""
        except UnicodeDecodeError:
            return Cause.SIGNATURE, ahead
        if not hmac.compare_digest(expected, signature):
            return Cause.SIGNATURE, ahead
        return (Cause.CLOCK if abs(ahead) > MAX_AGE_SECONDS else None), ahead

    def _trace(self, cause: Cause, seconds: int) -> None:
        """Counts every denial, and logs some; never the body."""
        SLACK_REFUSED.labels(cause=cause).inc()
        if cause is not Cause.UNSIGNED:  # Slack always signs
            self._refused = (cause, seconds, self._clock.now())
        suppressed = self._log_throttle.admit(cause)
        if suppressed is not None:
            log.warning(
                "slack_request_refused", cause=str(cause), clock_ahead_seconds=seconds, suppressed=suppressed
            )
