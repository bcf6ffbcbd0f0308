"""Who may ask: a named bearer token, or, while none is configured, this machine alone."""

import hmac
from collections.abc import Mapping
from ipaddress import ip_address

from fastapi import HTTPException, Request
from pydantic import SecretStr


class Callers:
    """The configured tokens, by name."""

    def __init__(self, tokens: Mapping[str, SecretStr]) -> None:
        self._tokens = dict(tokens)

    async def __call__(self, request: Request) -> str:
        """The caller's name. Raises 401 or 403."""
        if not self._tokens:
            if _is_local(request):
                return "loopback"
            raise HTTPException(
                403, "No SWITCHGATE_API_TOKENS are configured, so the API answers on loopback only."
            )
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        # Every token is compared, so that the time tells nothing of which one came near.
        found = [
            name
            for name, known in self._tokens.items()
            if hmac.compare_digest(known.get_secret_value().encode(), token.strip().encode())
        ]
        if scheme.lower() != "bearer" or not found:
            raise HTTPException(401, "Send `Authorization: Bearer TOKEN`.", {"WWW-Authenticate": "Bearer"})
        return found[0]


def _is_local(request: Request) -> bool:
    """From this machine itself; a proxy on it speaks for others, so what it forwards is not local."""
    if "x-forwarded-for" in request.headers or "forwarded" in request.headers or request.client is None:
        return False
    try:
        return ip_address(request.client.host).is_loopback
    except ValueError:
        return False
