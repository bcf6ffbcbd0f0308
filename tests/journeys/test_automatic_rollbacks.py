"""An automatic rollback passes within ten seconds, whatever is away or unknown around it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from tests.house import House, living_house
from tests.postgres_line import line_to

WITHIN = 10.0
"""Seconds. The waits of the tests themselves are longer, so that a slow machine is told apart from a wrong answer."""


@asynccontextmanager
async def within_ten_seconds() -> AsyncIterator[None]:
    clock = asyncio.get_running_loop().time
    began = clock()
    yield
    assert clock() - began < WITHIN


@pytest.mark.parametrize("creator", ["codeDeployRollback", "CloudFormationRollback"])
async def test_it_passes_while_the_service_cannot_be_reached(house: House, creator: str) -> None:
    house.stage.service_urls = ["http://127.0.0.1:9"]
    async with within_ten_seconds():
        deployment = house.aws.deploy("order", creator=creator)
        assert await house.told(deployment) == ["Succeeded"]


async def test_it_passes_while_the_service_has_no_database(
    tmp_path: Path, record_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with line_to(record_url) as line, living_house(tmp_path, line.url, monkeypatch) as house:
        house.database_url = record_url  # the test itself looks past the line
        await line.cut()
        async with within_ten_seconds():
            deployment = house.aws.deploy("order", creator="codeDeployRollback")
            assert await house.told(deployment) == ["Succeeded"]
        await line.mend()
