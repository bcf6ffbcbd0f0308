"""A house, and somebody at its door."""

from collections.abc import AsyncIterator

import pytest

from tests.house import House
from tests.web.hooks.doorstep import Doorstep, at_the_door


@pytest.fixture
async def door(house: House) -> AsyncIterator[Doorstep]:
    async with at_the_door(house) as doorstep:
        yield doorstep
