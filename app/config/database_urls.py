"""The addresses of the database."""

from dataclasses import dataclass, field
from urllib.parse import unquote, urlsplit


@dataclass(frozen=True, kw_only=True, slots=True)
class DatabaseUrls:
    """DATABASE_URL and DATABASE_OWNER_URL, validated."""

    url: str | None = field(repr=False)
    owner_url: str | None = field(repr=False)

    def passwords(self) -> tuple[str, ...]:
        """As they are, and as they stand in the URLs; for redaction in logs."""
        encoded = [urlsplit(url).password or "" for url in (self.url, self.owner_url) if url]
        return tuple(value for each in encoded for value in (each, unquote(each)) if value)
