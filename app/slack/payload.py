"""Reads Slack's payloads: who acted, where, and which request it is. Types of Bolt's arguments."""

import asyncio
import hashlib
import json
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final

Ack = Callable[..., Awaitable[Any]]
Body = Mapping[str, Any]

ACK_TIMEOUT_SECONDS: Final = 2.5
"""Slack waits 3 s for the ack. Work not committed by then is rolled back, and the user gets an error."""


def ack_deadline() -> float:
    """The event-loop time by which a listener must be ready to ack."""
    return asyncio.get_running_loop().time() + ACK_TIMEOUT_SECONDS


def user_of(body: Body) -> str:
    """The sender, from Slack's signed payload."""
    event = body.get("event") or {}
    return str((body.get("user") or {}).get("id") or body.get("user_id") or event.get("user") or "")


def is_home(body: Body) -> bool:
    """Whether the action came from App Home, which has no channel."""
    return (body.get("view") or {}).get("type") == "home"


def channel_of(body: Body) -> str | None:
    """The channel it was sent from, if any."""
    channel = (body.get("channel") or {}).get("id") or (body.get("container") or {}).get("channel_id")
    return str(channel) if channel else body.get("channel_id")


def request_key(body: Body) -> str:
    """A hash of the payload: equal for a repeated request, in both modes; different for two actions of one person."""
    return hashlib.sha256(json.dumps(body, sort_keys=True, default=str).encode()).hexdigest()
