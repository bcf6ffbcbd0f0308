"""Escapes untrusted text (names, commit messages, descriptions, reasons, summaries) for Slack.

The result mentions nobody, contains no link and no formatting: control characters are escaped, formatting characters
are replaced by look-alikes, and invisible and reordering characters are removed.
"""

import re
import unicodedata
from typing import Final

_CONTROL: Final = re.compile(r"[\x00-\x08\x0b-\x1f\x7f\u0085\u2028\u2029]")
_FILLERS: Final = re.compile("[\u115f\u1160\u3164\uffa0\u2800\u17b4\u17b5\u034f]")
_PICTOGRAPHS: Final = "\u2600-\u27bf\U0001f000-\U0001faff"
_JOINS_PICTOGRAPHS: Final = re.compile(f"(?<=[\ufe0f{_PICTOGRAPHS}])\u200d(?=[{_PICTOGRAPHS}])")
_PLACEHOLDER: Final = "\ue000"
"""A private-use character that stands for a joiner to keep while the others are removed."""

_FORMATTING: Final = str.maketrans({"*": "\u2217", "~": "\u223c", "`": "\u2019"})
"""Slack has no escape for these formatting characters. Underscores in names stay."""

_EMOJI_NAME: Final = re.compile(r":(?=[a-z0-9_+'-]*[a-z+][a-z0-9_+'-]*:)", re.IGNORECASE)


def without_invisible(text: str) -> str:
    """Without zero-width characters, bidirectional controls and tag characters; a joiner inside an emoji stays."""
    marked = _JOINS_PICTOGRAPHS.sub(_PLACEHOLDER, text.replace(_PLACEHOLDER, ""))
    visible = "".join(char for char in marked if unicodedata.category(char) != "Cf")
    return visible.replace(_PLACEHOLDER, "\u200d")


def escaped(text: str) -> str:
    """As Slack wants text that is not markup: https://docs.slack.dev/messaging/formatting-message-text."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def tamed(text: str, *, max_chars: int) -> str:
    """Without control, invisible and formatting characters, at most `max_chars` characters, not yet escaped."""
    visible = without_invisible(_FILLERS.sub("", _CONTROL.sub(" ", text)))
    plain = visible.translate(_FORMATTING).strip()
    return plain if len(plain) <= max_chars else plain[: max_chars - 1].rstrip() + "…"


def inline(text: str, *, max_chars: int = 200) -> str:
    """One line of untrusted text, for use inside a sentence. Emoji names stay names."""
    line = _EMOJI_NAME.sub("\u2236", " ".join(text.split()))
    return escaped(tamed(line, max_chars=max_chars)) or "—"


def quoted(text: str, *, max_chars: int = 600, lines: int = 6) -> str:
    """Some lines of untrusted text, each quoted."""
    kept = [line for line in tamed(text, max_chars=max_chars).splitlines() if line.strip()]
    shown = kept[:lines] + (["…"] if len(kept) > lines else [])
    return "\n".join(f"> {escaped(line)}" for line in shown)
