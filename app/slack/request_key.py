"""What tells one request of Slack's from every other: the payload itself, with its trigger and its time."""

import hashlib
import json
from collections.abc import Mapping
from typing import Any


def request_key(body: Mapping[str, Any]) -> str:
    """Equal for the same request sent again, in either mode; of two presses of one person never."""
    return hashlib.sha256(json.dumps(body, sort_keys=True, default=str).encode()).hexdigest()
