"""A harness, and a sender of hooks."""

from collections.abc import AsyncIterator

import pytest

from tests.harness import Harness
from tests.web.hooks.hook_sender import HookSender, hook_sender


@pytest.fixture
async def sender(harness: Harness) -> AsyncIterator[HookSender]:
    async with hook_sender(harness) as built:
        yield built
