"""A key that identifies one Slack request: a hash of its payload."""

import hashlib
import json
from collections.abc import Mapping
from typing import Any


def request_key(body: Mapping[str, Any]) -> str:
    """Equal for a repeated request, in both modes; different for two actions of one person."""
    return hashlib.sha256(json.dumps(body, sort_keys=True, default=str).encode()).hexdigest()
