"""The page over the sandbox harness, as a browser asks it."""

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from aiohttp import ClientResponse, ClientSession

from app.sandbox.environment import SandboxEnvironment
from app.sandbox.page.server import Page
from app.sandbox.pipeline import Pipeline
from app.sandbox.replica import Replica
from app.sandbox.smoke_tests import SmokeTests
from tests.harness import Harness

Json = dict[str, Any]


class Browser:
    """A client of the page; `harness` is behind it."""

    def __init__(self, page: Page, harness: Harness, session: ClientSession, replica: Replica) -> None:
        self.page = page
        self.harness = harness
        self.session = session
        self.replica = replica

    async def get(self, path: str) -> ClientResponse:
        async with self.session.get(f"{self.page.url}{path}") as response:
            await response.read()
            return response

    async def do(self, action: str, who: str, **body: Any) -> tuple[int, Json]:
        """The status and what is said."""
        async with self.session.post(f"{self.page.url}/do/{action}", json={"who": who, **body}) as answer:
            result = await answer.json()
            return answer.status, {"words": result["words"], "trouble": result["trouble"]}

    async def sees(self, who: str) -> Json:
        """Every piece of the page."""
        async with self.session.get(f"{self.page.url}/state", params={"who": who}) as answer:
            pieces: Json = (await answer.json())["put"]
            return pieces

    async def domain(self, name: str, who: str = "U02OLU") -> Json:
        piece: Json = (await self.sees(who))[f"domain:{name}"]
        return piece

    async def reads(self, who: str) -> str:
        """All text in the person's Slack pane."""
        pieces = await self.sees(who)
        return "\n".join(piece["html"] for key, piece in pieces.items() if key.startswith("message:"))


@pytest.fixture
async def browser(harness: Harness, tmp_path: Path) -> AsyncIterator[Browser]:
    """The harness's own service answers; `replica` is a second one, which nobody has started."""
    log = tmp_path / "replica.log"
    replica = Replica(harness.fakes.environment(database_url=harness.database_url), log=log)
    smoke_tests = SmokeTests(harness.aws, service=lambda: harness.url, token="", tests={})
    pipeline = Pipeline(harness.aws, smoke_tests=smoke_tests)
    sandbox = SandboxEnvironment(fakes=harness.fakes, replica=replica, pipeline=pipeline, log=log)
    with Page(sandbox, port=0) as page:
        async with ClientSession() as session:
            yield Browser(page, harness, session, replica)
    replica.stop()


async def events(response: ClientResponse) -> AsyncIterator[tuple[str, Json]]:
    """Server-sent events as they come: name and data."""
    name = ""
    async for raw in response.content:
        line = raw.decode().rstrip("\n")
        if line.startswith("event: "):
            name = line.removeprefix("event: ")
        elif line.startswith("data: "):
            yield name, json.loads(line.removeprefix("data: "))
