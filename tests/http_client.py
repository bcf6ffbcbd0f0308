"""A plain HTTP client for tests without an event loop."""

import json
from dataclasses import dataclass
from typing import Any
from urllib.error import HTTPError
from urllib.request import ProxyHandler, Request, build_opener


@dataclass(frozen=True)
class Response:
    """A response of any status."""

    status: int
    text: str

    def json(self) -> Any:
        return json.loads(self.text)


def send(request: Request | str, *, timeout: float = 15) -> Response:
    """Ignores proxies, and does not raise for an error status."""
    try:
        with build_opener(ProxyHandler({})).open(request, timeout=timeout) as answer:
            return Response(answer.status, answer.read().decode())
    except HTTPError as exc:
        with exc:
            return Response(exc.code, exc.read().decode())
