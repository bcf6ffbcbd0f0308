"""What people write as a reason: whether it says anything."""

import unicodedata
from typing import Final

_FILLERS: Final = frozenset("\u115f\u1160\u2800\u17b4\u17b5\u034f")
"""Drawn as nothing, though they count as letters or symbols. U+3164 and U+FFA0 become U+1160 by NFKC."""

_PLACEHOLDERS: Final = frozenset(".,;:\u00b7\u3002*~'\"`|/\\()[]{}<>^=")
"""Punctuation that people type where they have nothing to say; dashes and underscores besides."""


def has_content(text: str) -> bool:
    """Whether it says anything. Blanks, fillers, invisible characters, dots and dashes alone do not."""
    return any(_is_content(mark) for mark in unicodedata.normalize("NFKC", text))


def _is_content(mark: str) -> bool:
    category = unicodedata.category(mark)
    if mark in _FILLERS or mark in _PLACEHOLDERS or category in {"Pd", "Pc", "Sk"}:
        return False
    return category[0] in "LNPS"
