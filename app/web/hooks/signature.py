"""The signature of a hook: the same shape as Slack's own, with a named key so that keys can be rotated.

X-Switchgate-Key: <kid>
X-Switchgate-Timestamp: <unix seconds>
X-Switchgate-Signature: v1=<hex HMAC-SHA256(secret, "v1:{timestamp}:{method}:{path}:{sha256hex(body)}")>
"""

import hashlib
import hmac
import secrets as random_bytes
from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import Final, Protocol

KEY_HEADER: Final = "X-Switchgate-Key"
TIMESTAMP_HEADER: Final = "X-Switchgate-Timestamp"
SIGNATURE_HEADER: Final = "X-Switchgate-Signature"
VERSION: Final = "v1"

TOLERANCE_SECONDS: Final = 300
MAX_TIMESTAMP_DIGITS: Final = 12
"""Digits. Unix seconds have ten until the year 2286; int() of a megabyte of digits is work for nothing."""


class Reason(StrEnum):
    """Why a signature was refused."""

    MISSING_HEADER = "missing_header"
    BAD_TIMESTAMP = "bad_timestamp"
    STALE_TIMESTAMP = "stale_timestamp"
    UNKNOWN_KEY = "unknown_key"
    MISMATCH = "mismatch"


MESSAGES: Final[Mapping[Reason, str]] = {
    Reason.MISSING_HEADER: f"{KEY_HEADER}, {TIMESTAMP_HEADER} and {SIGNATURE_HEADER} are all needed",
    Reason.BAD_TIMESTAMP: f"{TIMESTAMP_HEADER} is not a time in Unix seconds",
    Reason.STALE_TIMESTAMP: f"{TIMESTAMP_HEADER} is more than {TOLERANCE_SECONDS} s away from our clock",
    Reason.UNKNOWN_KEY: f"{KEY_HEADER} names a key that is not accepted here",
    Reason.MISMATCH: f"{SIGNATURE_HEADER} does not fit this request",
}


class BadSignature(Exception):
    """The request is not signed by an accepted key, now. The message echoes nothing of the request."""

    def __init__(self, reason: Reason) -> None:
        super().__init__(MESSAGES[reason])
        self.reason = reason


class Secret(Protocol):
    """What pydantic's SecretStr offers."""

    def get_secret_value(self) -> str: ...


def sign(*, kid: str, secret: str, timestamp: int, method: str, path: str, body: bytes) -> dict[str, str]:
    """The three headers of a signed request. `timestamp` in Unix seconds; `path` as the request line has it."""
    moment = str(timestamp)
    mac = _mac(_bytes(secret), timestamp=moment, method=method, path=path, body=body)
    return {KEY_HEADER: kid, TIMESTAMP_HEADER: moment, SIGNATURE_HEADER: mac}


class HookKeys:
    """The accepted keys, by kid. Several at once, so that a sender can change over in its own time."""

    def __init__(self, secrets: Mapping[str, Secret | str]) -> None:
        """Raises `ValueError`, naming the kid, for a key that could be guessed or never named."""
        self._secrets = {kid: _key(kid, secret) for kid, secret in secrets.items()}
        # An unknown kid costs the same work as a known one, so that timing reveals no kids.
        self._decoy = random_bytes.token_bytes(32)

    def __repr__(self) -> str:
        return f"HookKeys(kids={sorted(self._secrets)})"

    def verify(
        self, *, headers: Mapping[str, str], method: str, path: str, body: bytes, now: datetime
    ) -> str:
        """The kid of the key that signed. Header names in any case. Raises `BadSignature`."""
        given = {name.lower(): value for name, value in headers.items()}
        kid = given.get(KEY_HEADER.lower())
        timestamp = given.get(TIMESTAMP_HEADER.lower())
        presented = given.get(SIGNATURE_HEADER.lower())
        if not (kid and timestamp and presented):
            raise BadSignature(Reason.MISSING_HEADER)
        if abs(now.timestamp() - _seconds(timestamp)) > TOLERANCE_SECONDS:
            raise BadSignature(Reason.STALE_TIMESTAMP)
        secret = self._secrets.get(kid)
        expected = _mac(secret or self._decoy, timestamp=timestamp, method=method, path=path, body=body)
        fits = hmac.compare_digest(_bytes(expected), _bytes(presented))
        if secret is None:
            raise BadSignature(Reason.UNKNOWN_KEY)
        if not fits:
            raise BadSignature(Reason.MISMATCH)
        return kid


def _mac(secret: bytes, *, timestamp: str, method: str, path: str, body: bytes) -> str:
    signed = f"{VERSION}:{timestamp}:{method}:{path}:{hashlib.sha256(body).hexdigest()}"
    return f"{VERSION}={hmac.new(secret, _bytes(signed), hashlib.sha256).hexdigest()}"


def _seconds(timestamp: str) -> int:
    # isdigit() alone also says yes to digits of other scripts, and int() to "+1", " 1" and "1_0".
    if len(timestamp) > MAX_TIMESTAMP_DIGITS or not (timestamp.isascii() and timestamp.isdigit()):
        raise BadSignature(Reason.BAD_TIMESTAMP)
    return int(timestamp)


def _key(kid: str, secret: Secret | str) -> bytes:
    plain = secret if isinstance(secret, str) else secret.get_secret_value()
    key = _bytes(plain)
    if not kid or not key:
        raise ValueError(f"hook key {kid!r}: neither its name nor its secret may be empty")
    return key


def _bytes(text: str) -> bytes:
    """Any text, also one with lone surrogates: a header may hold whatever its sender likes."""
    return text.encode("utf-8", "backslashreplace")
