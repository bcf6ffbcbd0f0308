"""A house, and somebody at its door."""

from collections.abc import AsyncIterator

import pytest

from tests.hook.doorstep import Doorstep, at_the_door
from tests.house import House


@pytest.fixture
async def door(house: House) -> AsyncIterator[Doorstep]:
    async with at_the_door(house) as doorstep:
        yield doorstep
