"""Validators of the variables' values. Each raises `ValueError` with the problem, never with the value."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from ipaddress import ip_address
from typing import Final
from urllib.parse import parse_qs, unquote, urlsplit

from pydantic import SecretStr

MIN_SECRET_CHARS: Final = 7
"""Of a hook secret or an API token. Shorter values cannot be redacted from logs."""

ADVISED_SECRET_CHARS: Final = 16
"""A shorter secret is used, with a warning that it can be guessed."""

ENCRYPTED: Final = ("require", "verify-ca", "verify-full")
"""Values of `sslmode` with which libpq never falls back to an unencrypted connection."""

LEVELS: Final = ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")

_NAME: Final = re.compile(r"[A-Za-z0-9._-]{1,64}")
_QUOTES: Final = "\"'`"
_SIGNING_SECRET: Final = re.compile("[0-9a-f]{32}")
_SLACK_ID_OR_TOKEN: Final = re.compile(r"[UWTBAC][0-9][A-Z0-9]{7,}$|x(?:ox[a-z]|app)-")
_PRINTABLE: Final = re.compile(r"[\x21-\x7e]+")


class Scope(StrEnum):
    """What a token of /api/v1 allows."""

    READ = "read"
    CHECKS = "checks"
    FREEZES = "freezes"
    WITHDRAW = "switches:withdraw"


@dataclass(frozen=True, kw_only=True, slots=True)
class ApiToken:
    """A bearer token and what it allows."""

    secret: SecretStr
    scopes: frozenset[Scope]


def api_tokens(value: object) -> object:
    """`name:token` and `name:token:scope+scope`, with a comma between two; without a scope it may read."""
    if not isinstance(value, str):
        return value
    scopes: dict[str, frozenset[Scope]] = {}
    plain = []
    for place, entry in enumerate(filter(None, (each.strip() for each in value.split(","))), start=1):
        name, _, rest = entry.partition(":")
        token, words = _token_and_scopes(rest)
        if words:
            scopes[name] = _scopes(words, place)
        plain.append(f"{name}:{token}" if words else entry)
    found = named_secrets(",".join(plain))
    if not isinstance(found, dict):
        return found
    readers = frozenset({Scope.READ})
    return {name: ApiToken(secret=secret, scopes=scopes.get(name, readers)) for name, secret in found.items()}


def _token_and_scopes(rest: str) -> tuple[str, str]:
    """Cut at the first colon after which there are only scopes, since a scope may hold a colon; else at the last."""
    cuts = [at for at, char in enumerate(rest) if char == ":"]
    if not cuts:
        return rest, ""
    scoped = (at for at in cuts if set(rest[at + 1 :].split("+")) <= set(Scope))
    at = next(scoped, cuts[-1])
    return rest[:at], rest[at + 1 :] or ":"


def _scopes(words: str, place: int) -> frozenset[Scope]:
    try:
        return frozenset(Scope(word) for word in words.split("+"))
    except ValueError:
        known = ", ".join(Scope)
        raise ValueError(
            f"entry {place} ends in something else than scopes: write name:token or name:token:scope+scope;"
            f" scopes are {known}, and a token holds no colon"
        ) from None


def named_secrets(value: object) -> object:
    """`name1:secret1,name2:secret2` by name; a secret may hold colons, but no comma.

    Problems name an entry by its place: what looks like a name may be a secret without one.
    """
    if not isinstance(value, str):
        return value
    found: dict[str, SecretStr] = {}
    entries = [entry.strip() for entry in value.split(",")]
    for place, entry in enumerate(filter(None, entries), start=1):
        name, colon, secret = entry.partition(":")
        problem = _entry_problem(name, colon, secret, found)
        if problem:
            raise ValueError(f"entry {place} {problem}")
        found[name] = SecretStr(secret)
    if not found:
        raise ValueError("names no entry; write name:secret, with a comma between two")
    return found


def _entry_problem(name: str, colon: str, secret: str, before: dict[str, SecretStr]) -> str | None:
    if not colon:
        return "has no colon; write name:secret"
    if not _NAME.fullmatch(name):
        return "has a name of another shape than 1 to 64 letters, digits, dots, dashes and underscores"
    if len(secret) < MIN_SECRET_CHARS:
        return f"has a secret of {len(secret)} characters; at least {MIN_SECRET_CHARS} are needed"
    return "has the name of an entry before it" if name in before else None


def slack_token(prefix: str) -> Callable[[SecretStr], SecretStr]:
    """A validator for tokens that begin with `prefix`."""

    def check(value: SecretStr) -> SecretStr:
        token = value.get_secret_value()
        if not token.startswith(prefix) or len(token) == len(prefix):
            raise ValueError(f"is no token of the right kind: it begins with {prefix}")
        if not _PRINTABLE.fullmatch(token):
            raise ValueError("holds blanks or characters outside ASCII")
        return value

    return check


def signing_secret(value: SecretStr | None) -> SecretStr | None:
    """Refuses values that are certainly no signing secret; see `is_signing_secret` for its usual form."""
    secret = value.get_secret_value() if value is not None else "x"
    if secret[0] in _QUOTES or secret[-1] in _QUOTES:
        raise ValueError("is in quotes: leave them out")
    if not _PRINTABLE.fullmatch(secret):
        raise ValueError("holds blanks or characters outside ASCII: it has 32 hexadecimal digits")
    if _SLACK_ID_OR_TOKEN.match(secret):
        raise ValueError("is an id or a token: the signing secret has 32 hexadecimal digits")
    return value


def is_signing_secret(value: SecretStr) -> bool:
    """Whether it has the form that Slack's signing secrets have: 32 hexadecimal digits."""
    return _SIGNING_SECRET.fullmatch(value.get_secret_value()) is not None


def postgres_url(value: str | None) -> str | None:
    """A libpq URI; SQLAlchemy's `postgresql+psycopg` is taken for the same."""
    if value is None:
        return None
    try:
        parts = urlsplit(value)
        _ = parts.port
    except ValueError:
        raise ValueError(
            "is malformed: percent-encode special characters of the password (/ is %2F, # is %23)"
        ) from None
    if parts.scheme not in {"postgresql", "postgres", "postgresql+psycopg"} or "://" not in value:
        raise ValueError("is no address of a Postgres: it begins with postgresql://")
    if database_is_remote(value) and database_sslmode(value) not in {*ENCRYPTED, "disable"}:
        raise ValueError(
            "would send the password and every decision unencrypted where the server allows it: write"
            " sslmode=verify-full (or require) at its end, or sslmode=disable for a network that nobody else is in"
        )
    return value


def database_sslmode(url: str) -> str | None:
    """The URL's `sslmode`, as libpq reads it: the last one counts. None: it names none."""
    return parse_qs(urlsplit(url).query).get("sslmode", [None])[-1]


def database_is_remote(url: str) -> bool:
    """Whether a host of it is neither this machine's own nor a Unix socket."""
    parts = urlsplit(url)
    named = parse_qs(parts.query)
    given = [*named.get("host", []), *named.get("hostaddr", []), parts.hostname or ""]
    hosts = [unquote(host) for hosts in given for host in hosts.split(",") if host]
    return any(not host.startswith(("/", "@")) and not is_loopback(host) for host in hosts)


def http_base_url(value: str | None) -> str | None:
    """An http(s) URL, with a slash added at its end if it has none: method names are appended to it."""
    if value is None:
        return None
    try:
        parts = urlsplit(value)
        _ = parts.port
    except ValueError:
        raise ValueError("is malformed") from None
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise ValueError("is no address: it begins with http:// or https:// and a host")
    if parts.query or parts.fragment:
        raise ValueError("must end with its path, without ? and #")
    if parts.scheme == "http" and not is_loopback(parts.hostname):
        raise ValueError(
            "is plain http: the token would travel unencrypted, so https is needed beyond this machine"
        )
    return value if value.endswith("/") else f"{value}/"


def is_loopback(host: str) -> bool:
    """Whether a host name or address is this machine's own; no name is looked up."""
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def region_name(value: str) -> str:
    """An AWS region; botocore makes a host name of it."""
    if not re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", value):
        raise ValueError("is no AWS region")
    return value


def level_name(value: str) -> str:
    """A level of the standard library's logging, in capitals."""
    if value.upper() not in LEVELS:
        raise ValueError(f"is none of {', '.join(LEVELS)}")
    return value.upper()
