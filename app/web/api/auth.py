"""Authenticates API requests by a named bearer token; without configured tokens, only from this machine."""

import hmac
from collections.abc import Callable, Mapping
from time import monotonic
from typing import Annotated, Final
from urllib.parse import urlsplit

import structlog
from fastapi import Request, Security
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from app.config.environment_values import ApiToken, Scope, is_loopback
from app.observability.log_throttle import LogThrottle
from app.observability.metrics import API_DENIED
from app.web.problems import ProblemError

bearer = HTTPBearer(auto_error=False, description="A token of SWITCHGATE_API_TOKENS.")
BearerToken = Annotated[HTTPAuthorizationCredentials | None, Security(bearer)]

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
    """The configured tokens, by name."""

    def __init__(self, tokens: Mapping[str, ApiToken]) -> None:
        self._tokens = dict(tokens)
        self._log_throttle = LogThrottle(seconds=LOG_SECONDS)
        self._guesses = GuessLimit()

    def authenticate(
        self, request: Request, credentials: HTTPAuthorizationCredentials | None, scope: Scope
    ) -> str:
        """The name of a caller whose token has the scope. Raises 401, 403 or 429."""
        if not self._tokens:
            return self._authenticate_local(request, scope)
        token = credentials.credentials.strip() if credentials is not None else ""
        # Every token is compared, so that the time does not reveal which one is similar.
        found = [
            name
            for name, known in self._tokens.items()
            if hmac.compare_digest(known.secret.get_secret_value().encode(), token.encode())
        ]
        if not found:
            raise self._denied(request, "wrong_token" if token else "no_token")
        if not any(scope in self._tokens[name].scopes for name in found):
            self._record_denial(request, "wrong_scope", caller=found[0])
            raise ProblemError(403, "wrong_scope", f"This token has not the scope `{scope}`.")
        return found[0]

    def _denied(self, request: Request, reason: str) -> ProblemError:
        self._record_denial(request, reason)
        if reason == "wrong_token" and not self._guesses.admit():
            retry = {"Retry-After": str(GUESS_SECONDS)}
            detail = "Too many wrong tokens. A valid one is still taken."
            return ProblemError(429, "too_many_wrong_tokens", detail, headers=retry)
        bearer = {"WWW-Authenticate": "Bearer"}
        return ProblemError(401, reason, "Send `Authorization: Bearer TOKEN`.", headers=bearer)

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
            detail = f"Needs a token with the scope `{scope}`: see SWITCHGATE_API_TOKENS."
            raise ProblemError(403, "no_tokens", detail)
        if not _is_local(request):
            detail = "No SWITCHGATE_API_TOKENS are configured, so the API answers on loopback only."
            raise ProblemError(403, "no_tokens", detail)
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
