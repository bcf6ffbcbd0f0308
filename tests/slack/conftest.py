"""Houses of one's own kind."""

from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Any

import pytest

from tests.house import House, living_house
from tests.slack.play import Build


@pytest.fixture
def build(tmp_path: Path, record_url: str, monkeypatch: pytest.MonkeyPatch) -> Build:
    """`async with build(socket_mode=False) as house`; `record_url`: by another way to the same database."""

    def building(**how: Any) -> AbstractAsyncContextManager[House]:
        return living_house(tmp_path, how.pop("record_url", record_url), monkeypatch, **how)

    return building
