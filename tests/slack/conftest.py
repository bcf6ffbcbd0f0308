"""Harnesses of one's own kind."""

from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Any

import pytest

from tests.harness import Harness, running_harness
from tests.slack.play import Build


@pytest.fixture
def build(tmp_path: Path, database_url: str, monkeypatch: pytest.MonkeyPatch) -> Build:
    """`async with build(socket_mode=False) as harness`; `database_url`: by another way to the same database."""

    def building(**how: Any) -> AbstractAsyncContextManager[Harness]:
        return running_harness(tmp_path, how.pop("database_url", database_url), monkeypatch, **how)

    return building
