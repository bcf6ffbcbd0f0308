"""What no log may hold, and how it is taken out: by name, by shape, and by the configured values themselves."""

import re
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import quote

from structlog.typing import EventDict, WrappedLogger

MASK: Final = "•••"

SHORTEST: Final = 6
"""Characters. A shorter value would be found in innocent words, and what is left of a log would say little."""

_NAMES: Final = ("secret", "token", "authorization", "executionid", "signature", "password", "cookie")

_SHAPES: Final = (
    # Slack's tokens, wherever they stand.
    (re.compile(r"\b(xox[a-z]|xapp|xoxe\.xox[a-z])-[A-Za-z0-9._-]+"), rf"\1-{MASK}"),
    # Postgres tells the whole row that it refuses, and keys by their values.
    (
        re.compile(
            r"(Failing row contains )\((?s:.*?)"
            r"(?=(?:\\n|\n)(?:CONTEXT|HINT|STATEMENT|QUERY|LOCATION):|\n+(?:The above|During handling) |\Z)"
        ),
        rf"\1({MASK})",
    ),
    (
        re.compile(r"(Key \([^)]*\)=)\((?s:.*?)\)(?= (?:already exists|is not present|is still ref))"),
        rf"\1({MASK})",
    ),
    # The password of a URL.
    (re.compile(r"(://[^\s:/@]*:)[^\s/@]+@"), rf"\1{MASK}@"),
    # A name that gives a secret away and its value, as JSON, a header, a query or a repr writes them.
    (
        re.compile(
            r"(?i)(execution_?id|authorization|x-switchgate-signature|x-slack-signature)"
            r"""(["']?\s*[:=]\s*["']?(?:(?:bearer|basic)\s+)?)[^\s"',;&})\]]+"""
        ),
        rf"\1\2{MASK}",
    ),
)


class _Forgotten:
    """The configured secrets, as one pattern."""

    def __init__(self) -> None:
        self.values: set[str] = set()
        self.pattern: re.Pattern[str] | None = None

    def add(self, values: set[str]) -> None:
        self.values |= values
        # The longest first: one secret may begin with another.
        longest_first = sorted(self.values, key=len, reverse=True)
        self.pattern = re.compile("|".join(map(re.escape, longest_first))) if longest_first else None


_forgotten: Final = _Forgotten()


def forget(*secrets: str) -> None:
    """From now on these values are masked wherever they turn up, also percent-encoded. Short ones are not."""
    known = {secret for secret in secrets if len(secret) >= SHORTEST}
    _forgotten.add(known | {quote(secret, safe="") for secret in known})


def mask(logger: WrappedLogger, method: str, event: EventDict) -> EventDict:
    """A structlog processor: every value of the event without its secrets. Objects become their text."""
    # What begins with an underscore is structlog's own, on its way to the formatter.
    return {key: value if key.startswith("_") else _masked(key, value) for key, value in event.items()}


def masked_text(text: str) -> str:
    """A text without secrets."""
    if _forgotten.pattern is not None:
        text = _forgotten.pattern.sub(MASK, text)
    for pattern, kept in _SHAPES:
        text = pattern.sub(kept, text)
    return text


def _masked(key: str, value: Any) -> Any:
    if value is not None and not isinstance(value, bool) and _is_secret(key):
        return MASK
    match value:
        case None | bool() | int() | float():
            shown: Any = value
        case Mapping():
            shown = {masked_text(str(name)): _masked(str(name), each) for name, each in value.items()}
        case list() | tuple() | set() | frozenset():
            shown = [_masked("", each) for each in value]
        case BaseException() | bytes():
            shown = masked_text(repr(value))
        case _:
            shown = masked_text(str(value))
    return shown


def _is_secret(key: str) -> bool:
    plain = re.sub(r"[^a-z]", "", key.lower())
    return any(name in plain for name in _NAMES)
