"""Fixtures for all tests: a real Postgres, and a database for each test."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from uuid import uuid4

import pytest

from app.db.database import Database
from app.db.embedded_postgres import EmbeddedPostgres, temporary_folder
from app.db.migrate import migrate
from tests.harness import Harness, running_harness

TEMPLATE = "migrated"


@pytest.fixture(scope="session")
def postgres() -> Iterator[EmbeddedPostgres]:
    """One server for the whole run; not durable, because nothing here outlives it."""
    with temporary_folder("switchgate-test-") as folder:
        server = EmbeddedPostgres(folder, durable=False)
        server.start()
        migrate(server.create_database(TEMPLATE))
        yield server
        server.stop()


@pytest.fixture
def database_url(postgres: EmbeddedPostgres) -> str:
    """A migrated database that nobody else uses."""
    return postgres.create_database(f"t{uuid4().hex}", template=TEMPLATE)


@pytest.fixture
def empty_url(postgres: EmbeddedPostgres) -> str:
    """A database without any table."""
    return postgres.create_database(f"t{uuid4().hex}")


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    """The database of one test."""
    opened = Database(database_url)
    yield opened
    await opened.close()


@pytest.fixture
async def harness(
    tmp_path: Path, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Harness]:
    """The harness in Socket Mode, in English."""
    async with running_harness(tmp_path, database_url, monkeypatch) as built:
        yield built
