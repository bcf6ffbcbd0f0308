"""What people write as a reason: whether it says anything."""

import unicodedata
from typing import Final

FILLERS: Final = frozenset("\u115f\u1160\u2800\u17b4\u17b5\u034f")
"""Characters that are drawn as nothing though they count as letters or symbols; others become these by NFKC."""

_CONTENT: Final = frozenset({"Lu", "Ll", "Lt", "Lm", "Lo", "Nd", "Nl", "No", "So"})


def has_content(text: str) -> bool:
    """Whether it holds a letter, a digit or a pictograph. Blanks, fillers and punctuation alone say nothing."""
    return any(
        mark not in FILLERS and unicodedata.category(mark) in _CONTENT
        for mark in unicodedata.normalize("NFKC", text)
    )
