"""Redacts secrets in log events: by the name of the field, by the shape of the text, and by the configured values."""

import re
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import quote

from structlog.typing import EventDict, WrappedLogger

MASK: Final = "•••"

MIN_SECRET_CHARS: Final = 6
"""Shorter values are not redacted: they would match parts of ordinary words."""

_NAMES: Final = ("secret", "token", "authorization", "executionid", "signature", "password", "cookie")

_SHAPES: Final = (
    # Slack's tokens, anywhere in the text.
    (re.compile(r"\b(xox[a-z]|xapp|xoxe\.xox[a-z])-[A-Za-z0-9._-]+"), rf"\1-{MASK}"),
    # Postgres quotes the row that it rejects, and the values of keys.
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
    # The password in the query of a URL, or in libpq's other form of an address.
    (re.compile(r"(?i)(\b(?:ssl)?password\s?=\s?)('[^']*'|[^\s&\"',;)]+)"), rf"\1{MASK}"),
    # A name of a secret and its value, as in JSON, a header, a query or a repr.
    (
        re.compile(
            r"(?i)(execution_?id|authorization|x-switchgate-signature|x-slack-signature)"
            r"""(["']?\s*[:=]\s*["']?(?:(?:bearer|basic)\s+)?)[^\s"',;&})\]]+"""
        ),
        rf"\1\2{MASK}",
    ),
)


class _RegisteredSecrets:
    """The configured secrets, as one pattern."""

    def __init__(self) -> None:
        self.values: set[str] = set()
        self.pattern: re.Pattern[str] | None = None

    def add(self, values: set[str]) -> None:
        self.values |= values
        # The longest first: one secret may begin with another.
        longest_first = sorted(self.values, key=len, reverse=True)
        self.pattern = re.compile("|".join(map(re.escape, longest_first))) if longest_first else None


_registered: Final = _RegisteredSecrets()


def register_secrets(*secrets: str) -> None:
    """Registers values that are redacted in every event from now on, also percent-encoded. Short values are not."""
    known = {secret for secret in secrets if len(secret) >= MIN_SECRET_CHARS}
    _registered.add(known | {quote(secret, safe="") for secret in known})


def mask(logger: WrappedLogger, method: str, event: EventDict) -> EventDict:
    """A structlog processor that redacts every value of the event. Objects are converted to text."""
    # Keys that begin with an underscore are structlog's own, for the formatter.
    return {key: value if key.startswith("_") else _masked(key, value) for key, value in event.items()}


def masked_text(text: str) -> str:
    """A text without secrets."""
    if _registered.pattern is not None:
        text = _registered.pattern.sub(MASK, text)
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
