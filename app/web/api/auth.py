"""Authenticates API requests by a named bearer token; without configured tokens, only from this machine."""

import hmac
from collections.abc import Awaitable, Callable, Mapping
from time import monotonic
from typing import Final
from urllib.parse import urlsplit

import structlog
from fastapi import HTTPException, Request

from app.config.environment_values import ApiToken, Scope, is_loopback
from app.observability.log_throttle import LogThrottle
from app.observability.metrics import API_DENIED

PROXY_HEADERS: Final = ("forwarded", "via", "x-forwarded-for", "x-forwarded-host", "x-real-ip")

log = structlog.get_logger(__name__)

LOG_SECONDS: Final = 10
GUESS_SECONDS: Final = 60
MAX_GUESSES: Final = 60
"""Wrong tokens per `GUESS_SECONDS` that are told so; after them the answer is to wait."""


class GuessLimit:
    """Counts wrong tokens in a window of time, whoever sends them."""

    def __init__(self, clock: Callable[[], float] = monotonic) -> None:
        self._clock = clock
        self._since = clock()
        self._count = 0

    def admit(self) -> bool:
        """Counts one more; False where there are too many of late."""
        now = self._clock()
        if now - self._since >= GUESS_SECONDS:
            self._since, self._count = now, 0
        self._count += 1
        return self._count <= MAX_GUESSES


class TokenAuth:
    """The configured tokens, by name. As a dependency it requires the scope `read`."""

    def __init__(self, tokens: Mapping[str, ApiToken]) -> None:
        self._tokens = dict(tokens)
        self._log_throttle = LogThrottle(seconds=LOG_SECONDS)
        self._guesses = GuessLimit()

    async def __call__(self, request: Request) -> str:
        """The caller's name. Raises 401 or 403."""
        return self._authenticate(request, Scope.READ)

    def require_scope(self, scope: Scope) -> Callable[[Request], Awaitable[str]]:
        """A dependency: the name of a caller whose token has the scope."""

        async def caller(request: Request) -> str:
            return self._authenticate(request, scope)

        return caller

    def _authenticate(self, request: Request, scope: Scope) -> str:
        if not self._tokens:
            return self._authenticate_local(request, scope)
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        # Every token is compared, so that the time does not reveal which one is similar.
        found = [
            name
            for name, known in self._tokens.items()
            if hmac.compare_digest(known.secret.get_secret_value().encode(), token.strip().encode())
        ]
        if scheme.lower() != "bearer" or not found:
            raise self._denied(request, "wrong_token" if token.strip() else "no_token")
        if not any(scope in self._tokens[name].scopes for name in found):
            self._record_denial(request, "wrong_scope", caller=found[0])
            raise HTTPException(403, f"This token has not the scope `{scope}`.")
        return found[0]

    def _denied(self, request: Request, reason: str) -> HTTPException:
        self._record_denial(request, reason)
        if reason == "wrong_token" and not self._guesses.admit():
            retry = {"Retry-After": str(GUESS_SECONDS)}
            return HTTPException(429, "Too many wrong tokens. A valid one is still taken.", retry)
        return HTTPException(401, "Send `Authorization: Bearer TOKEN`.", {"WWW-Authenticate": "Bearer"})

    def _record_denial(self, request: Request, reason: str, *, caller: str | None = None) -> None:
        """A metric each time, a log line now and then; never the token."""
        API_DENIED.labels(reason=reason).inc()
        suppressed = self._log_throttle.admit(reason)
        if suppressed is not None:
            client = request.client.host if request.client else None
            log.warning(
                "api_request_denied",
                reason=reason,
                client=client,
                path=request.url.path,
                caller=caller,
                suppressed=suppressed,
            )

    def _authenticate_local(self, request: Request, scope: Scope) -> str:
        if scope is not Scope.READ:
            # Whatever runs or is browsed on this machine must not tell checks or freeze.
            raise HTTPException(403, f"Needs a token with the scope `{scope}`: see SWITCHGATE_API_TOKENS.")
        if not _is_local(request):
            raise HTTPException(
                403, "No SWITCHGATE_API_TOKENS are configured, so the API answers on loopback only."
            )
        return "loopback"


def _is_local(request: Request) -> bool:
    """From this machine itself; a proxy on it speaks for others, so what it forwards is not local."""
    if request.client is None or any(name in request.headers for name in PROXY_HEADERS):
        return False
    # A page from elsewhere reaches us under its own host name when its DNS answers with a loopback address.
    return is_loopback(request.client.host) and is_loopback(_host_name(request))


def _host_name(request: Request) -> str:
    """The Host header without its port; empty where it cannot be read."""
    try:
        return urlsplit(f"//{request.headers.get('host', '')}").hostname or ""
    except ValueError:
        return ""
