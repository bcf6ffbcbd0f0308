"""Somebody who asks the API."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import ClientSession
from yarl import URL

from tests.harness import Harness


@dataclass(frozen=True)
class Answer:
    status: int
    text: str
    headers: dict[str, str]
    body: Any


@dataclass
class Asker:
    """`deployments` are the afternoon's, by domain."""

    harness: Harness
    session: ClientSession
    deployments: dict[str, str] = field(default_factory=dict)

    async def get(self, path: str, headers: dict[str, str] | None = None, /, **query: str) -> Answer:
        url = URL(self.harness.url + path).with_query(query)
        async with self.session.get(url, headers=headers) as response:
            text = await response.text()
            body = await response.json() if response.content_type.endswith("json") else None
            names = {name.lower(): value for name, value in response.headers.items()}
            return Answer(response.status, text, names, body)

    async def items(self, path: str, **query: str) -> list[dict[str, Any]]:
        """One page's items."""
        answer = await self.get(path, **query)
        assert answer.status == 200, answer.text
        items: list[dict[str, Any]] = answer.body["items"]
        return items

    async def pages(self, path: str, **query: str) -> list[list[dict[str, Any]]]:
        """Every page, by its cursor."""
        pages: list[list[dict[str, Any]]] = []
        cursor: str | None = None
        while not pages or cursor is not None:
            answer = await self.get(path, **query, **({"cursor": cursor} if cursor else {}))
            assert answer.status == 200, answer.text
            pages.append(answer.body["items"])
            cursor = answer.body["cursor"]
        return pages


@asynccontextmanager
async def asking(harness: Harness) -> AsyncIterator[Asker]:
    async with ClientSession() as session:
        yield Asker(harness, session)
