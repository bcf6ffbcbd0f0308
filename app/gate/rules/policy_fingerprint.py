"""A fingerprint of a policy: equal for equal policies, in every process and release."""

import json
from dataclasses import asdict
from datetime import time, timedelta
from functools import lru_cache
from hashlib import sha256
from typing import Any, Final
from zoneinfo import ZoneInfo

from app.gate.rules.policy import Policy

MAX_CACHED: Final = 4096
"""A thousand domains, each with the few variants that apply within a day."""


@lru_cache(maxsize=MAX_CACHED)
def policy_fingerprint(policy: Policy) -> str:
    """The SHA-256 of its canonical JSON. Cached: every waiting gate's is compared each second."""
    canonical = json.dumps(asdict(policy), sort_keys=True, separators=(",", ":"), default=_plain)
    return sha256(canonical.encode()).hexdigest()


def _plain(value: object) -> Any:
    match value:
        case frozenset():
            return sorted(value)
        case timedelta():
            return value.total_seconds()
        case time():
            return value.isoformat()
        case ZoneInfo():
            return value.key
        case _:
            raise TypeError(f"a policy with a {type(value).__name__} has no canonical form")
