"""Ids that look like Slack's, and the ones that Slack itself gives to blocks without any."""

import itertools
import secrets
from typing import Any

from app.sandbox.slack.blocks.validate import elements_of
from app.sandbox.slack.state.shapes import Json

_ORDER = itertools.count(1)


def new_id(prefix: str) -> str:
    """`V0000000A1`-like; never the same twice in one process."""
    return f"{prefix}{next(_ORDER):06d}{secrets.token_hex(2).upper()}"


def new_secret(length: int = 24) -> str:
    """The secret of a response URL or of a socket's ticket."""
    return secrets.token_urlsafe(length)[:length]


def with_ids(blocks: list[Any]) -> list[Json]:
    """Copies of valid blocks, normalised as Slack does it: missing ids are given, text defaults written out."""
    return [_block(block) for block in blocks]


def _block(block: Json) -> Json:
    whole: Json = _written_out(block)
    whole.setdefault("block_id", secrets.token_hex(3)[:5])
    for element in elements_of(whole):
        element.setdefault("action_id", secrets.token_hex(3)[:5])
    return whole


def _written_out(value: Any) -> Any:
    if isinstance(value, list):
        return [_written_out(item) for item in value]
    if not isinstance(value, dict):
        return value
    copy = {name: _written_out(item) for name, item in value.items()}
    if copy.get("type") == "plain_text":
        copy.setdefault("emoji", True)
    elif copy.get("type") == "mrkdwn":
        copy.setdefault("verbatim", False)
    return copy
