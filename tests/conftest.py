"""Fixtures for all tests: a real Postgres, and a database for each test."""

import gc
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

import psycopg
import pytest
from psycopg import sql

from app.db.database import Database
from app.db.embedded.postgres import EmbeddedPostgres, temporary_folder
from app.db.migrate import migrate
from app.sandbox.replica import Replica
from tests.database_roles import TwoRoles, two_roles
from tests.forked_popen import ForkedPopen
from tests.harness import Harness, running_harness
from tests.logs import log_to_console
from tests.selection import mark_services, slow_files_first
from tests.service_models import share_service_models

TEMPLATE = "migrated"


def pytest_configure() -> None:
    log_to_console()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    mark_services(items)
    slow_files_first(items)


def pytest_collection_finish() -> None:
    """What is loaded by now stays to the end: a full garbage collection need not look at it, which takes 0.3 s."""
    share_service_models()
    Replica.popen = ForkedPopen
    gc.collect()
    gc.freeze()


@pytest.fixture(scope="session")
def postgres() -> Iterator[EmbeddedPostgres]:
    """One server for the whole run; not durable, because nothing here outlives it."""
    with temporary_folder("switchgate-test-") as folder:
        server = EmbeddedPostgres(folder, durable=False)
        server.start()
        _turn_autovacuum_off(server)
        migrate(server.create_database(TEMPLATE))
        yield server
        server.stop()


def _turn_autovacuum_off(server: EmbeddedPostgres) -> None:
    """It starts a process for each database every minute, and each test has a database of its own."""
    with psycopg.connect(server.url, autocommit=True) as connection:
        connection.execute("ALTER SYSTEM SET autovacuum = off")
        connection.execute("SELECT pg_reload_conf()")


@contextmanager
def _own_database(server: EmbeddedPostgres, *, template: str | None = None) -> Iterator[str]:
    """Dropped afterwards: all of them together are ten gigabytes."""
    name = f"t{uuid4().hex}"
    yield server.create_database(name, template=template)
    with psycopg.connect(server.url, autocommit=True) as connection:
        connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


@pytest.fixture
def database_url(postgres: EmbeddedPostgres) -> Iterator[str]:
    """A migrated database that nobody else uses."""
    with _own_database(postgres, template=TEMPLATE) as url:
        yield url


@pytest.fixture
def empty_url(postgres: EmbeddedPostgres) -> Iterator[str]:
    """A database without any table."""
    with _own_database(postgres) as url:
        yield url


@pytest.fixture
def roles(postgres: EmbeddedPostgres) -> Iterator[TwoRoles]:
    """A database without any table, and two roles: its owner, and the one for the service."""
    with two_roles(postgres) as made:
        yield made


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
