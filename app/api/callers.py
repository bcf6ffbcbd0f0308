"""Who may ask: a named bearer token, or, while none is configured, this machine alone."""

import hmac
from collections.abc import Awaitable, Callable, Mapping
from typing import Final
from urllib.parse import urlsplit

from fastapi import HTTPException, Request

from app.settings_values import ApiToken, Scope, is_loopback

PROXY_HEADERS: Final = ("forwarded", "via", "x-forwarded-for", "x-forwarded-host", "x-real-ip")


class Callers:
    """The configured tokens, by name. As a dependency: whoever may read."""

    def __init__(self, tokens: Mapping[str, ApiToken]) -> None:
        self._tokens = dict(tokens)

    async def __call__(self, request: Request) -> str:
        """The caller's name. Raises 401 or 403."""
        return self._admit(request, Scope.READ)

    def who_may(self, scope: Scope) -> Callable[[Request], Awaitable[str]]:
        """A dependency: the name of a caller whose token has the scope."""

        async def caller(request: Request) -> str:
            return self._admit(request, scope)

        return caller

    def _admit(self, request: Request, scope: Scope) -> str:
        if not self._tokens:
            return self._admit_local(request, scope)
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        # Every token is compared, so that the time tells nothing of which one came near.
        found = [
            name
            for name, known in self._tokens.items()
            if hmac.compare_digest(known.secret.get_secret_value().encode(), token.strip().encode())
        ]
        if scheme.lower() != "bearer" or not found:
            raise HTTPException(401, "Send `Authorization: Bearer TOKEN`.", {"WWW-Authenticate": "Bearer"})
        if not any(scope in self._tokens[name].scopes for name in found):
            raise HTTPException(403, f"This token has not the scope `{scope}`.")
        return found[0]

    def _admit_local(self, request: Request, scope: Scope) -> str:
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
