"""The addresses of the database."""

from dataclasses import dataclass, field
from typing import Final
from urllib.parse import unquote, unquote_plus, urlsplit

PASSWORDS: Final = ("password", "sslpassword")
"""Parameters of a libpq URI."""


@dataclass(frozen=True, kw_only=True, slots=True)
class DatabaseUrls:
    """DATABASE_URL and DATABASE_OWNER_URL, validated."""

    url: str | None = field(repr=False)
    owner_url: str | None = field(repr=False)

    def passwords(self) -> tuple[str, ...]:
        """As they are, and as they stand in the URLs; for redaction in logs."""
        encoded = [value for url in (self.url, self.owner_url) if url for value in _passwords(url)]
        return tuple(
            value
            for each in encoded
            if each
            for value in dict.fromkeys((each, unquote(each), unquote_plus(each)))
        )


def _passwords(url: str) -> list[str]:
    """Of the role and of its client key, as they stand there."""
    parts = urlsplit(url)
    pairs = [each.partition("=") for each in parts.query.split("&")]
    return [parts.password or "", *(value for name, _, value in pairs if unquote_plus(name) in PASSWORDS)]
