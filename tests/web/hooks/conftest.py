"""A harness, and somebody at its door."""

from collections.abc import AsyncIterator

import pytest

from tests.harness import Harness
from tests.web.hooks.doorstep import Doorstep, at_the_door


@pytest.fixture
async def door(harness: Harness) -> AsyncIterator[Doorstep]:
    async with at_the_door(harness) as doorstep:
        yield doorstep
