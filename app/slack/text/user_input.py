"""Normalizes typed text of commands and forms at the boundary.

Slack escapes `&`, `<` and `>` in the text of a command, but not in what is typed into a form.
"""

import unicodedata
from collections.abc import Mapping
from typing import Any

from app.flow.free_text import sanitize_text
from app.slack.text.escape import without_invisible


def command_text(body: Mapping[str, Any]) -> str:
    """The text of a slash command, unescaped exactly once and normalized."""
    text = body.get("text")
    return normalized(unescaped(text)) if isinstance(text, str) else ""


def form_text(state: Mapping[str, Any], block_id: str) -> str:
    """What was typed into `blocks.text_input(block_id=…)`, from a submission's `view.state`, normalized."""
    value = state.get("values", {}).get(block_id, {}).get(block_id, {}).get("value")
    return normalized(value) if isinstance(value, str) else ""


def unescaped(text: str) -> str:
    """The reverse of Slack's escaping: https://docs.slack.dev/messaging/formatting-message-text."""
    # `&amp;` comes last: what somebody typed as `&lt;` arrives as `&amp;lt;`.
    return text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")


def normalized(text: str) -> str:
    """NFKC without invisible formatting characters; line breaks stay.

    Composes decomposed Hangul, turns full-width letters, digits and punctuation into ASCII, and removes zero-width
    characters, bidirectional controls and tag characters. A joiner inside an emoji stays.
    """
    return unicodedata.normalize("NFKC", sanitize_text(without_invisible(text)))
