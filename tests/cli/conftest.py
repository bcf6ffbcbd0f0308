"""A shell in an empty folder."""

from pathlib import Path

import pytest

from tests.cli.commands import Shell


@pytest.fixture
def shell(tmp_path: Path) -> Shell:
    """Without any variable of ours."""
    return Shell(tmp_path, {})


@pytest.fixture
def at_record(tmp_path: Path, database_url: str) -> Shell:
    """With a migrated database."""
    return Shell(tmp_path, {"DATABASE_URL": database_url})
