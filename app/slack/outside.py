"""Text from outside (commit messages, descriptions, reasons) on its way into Slack.

It pings nobody, links nowhere, and cannot pass for ours: Slack's control characters are escaped, marks that
reorder the line are dropped, and it stands quoted.
"""

import re
from typing import Final

_REORDERING: Final = re.compile("[\u200e\u200f\u061c\u202a-\u202e\u2066-\u2069]")
_CONTROL: Final = re.compile(r"[\x00-\x08\x0b-\x1f\x7f\u0085\u2028\u2029]")


def escaped(text: str) -> str:
    """As Slack wants text that is not markup: https://docs.slack.dev/messaging/formatting-message-text."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def tamed(text: str, *, longest: int) -> str:
    """Without control and reordering marks, at most `longest` characters, not yet escaped."""
    plain = _REORDERING.sub("", _CONTROL.sub(" ", text)).strip()
    return plain if len(plain) <= longest else plain[: longest - 1].rstrip() + "…"


def inline(text: str, *, longest: int = 200) -> str:
    """One line of text from outside, for use inside a sentence of ours."""
    return escaped(tamed(" ".join(text.split()), longest=longest)) or "—"


def quoted(text: str, *, longest: int = 600, lines: int = 6) -> str:
    """Some lines of text from outside, each marked as a quotation."""
    kept = [line for line in tamed(text, longest=longest).splitlines() if line.strip()]
    shown = kept[:lines] + (["…"] if len(kept) > lines else [])
    return "\n".join(f"> {escaped(line)}" for line in shown)
