"""A plain HTTP client for tests that have no loop of their own."""

import json
from dataclasses import dataclass
from typing import Any
from urllib.error import HTTPError
from urllib.request import ProxyHandler, Request, build_opener


@dataclass(frozen=True)
class Page:
    """An answer, whatever its status."""

    status: int
    text: str

    def json(self) -> Any:
        return json.loads(self.text)


def ask(request: Request | str, *, timeout: float = 15) -> Page:
    """Past any proxy, and without raising for a refusal."""
    try:
        with build_opener(ProxyHandler({})).open(request, timeout=timeout) as answer:
            return Page(answer.status, answer.read().decode())
    except HTTPError as refusal:
        with refusal:
            return Page(refusal.code, refusal.read().decode())
