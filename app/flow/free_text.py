"""Validates text of people and other systems: whether a reason says anything, and which characters can be stored."""

import unicodedata
from typing import Final

_FILLERS: Final = frozenset("\u115f\u1160\u2800\u17b4\u17b5\u034f")
"""Drawn as nothing, though they count as letters or symbols. U+3164 and U+FFA0 become U+1160 by NFKC."""

_PLACEHOLDERS: Final = frozenset(".,;:\u00b7\u3002*~'\"`|/\\()[]{}<>^=")
"""Punctuation that people type where they have nothing to say; dashes and underscores besides."""


def has_content(text: str) -> bool:
    """Whether it says anything. Blanks, fillers, invisible characters, dots and dashes alone do not."""
    return any(_is_content(character) for character in unicodedata.normalize("NFKC", text))


def _is_content(character: str) -> bool:
    category = unicodedata.category(character)
    if character in _FILLERS or character in _PLACEHOLDERS or category in {"Pd", "Pc", "Sk"}:
        return False
    return category[0] in "LNPS"


def sanitize_text(text: str) -> str:
    """Without NUL, which Postgres refuses, and halves of characters, which a cut in the middle of an emoji leaves."""
    return text.replace("\x00", "").encode("utf-8", "replace").decode()
