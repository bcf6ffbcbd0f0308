"""The service needs no more of the database than docs/permissions.md says: rows of tables that another role owns."""

from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from app.sandbox.people import MINA
from tests.harness import running_harness

ROLE = "switchgate_service"
GRANTS = f"""
    GRANT USAGE ON SCHEMA public TO {ROLE};
    GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO {ROLE};
    GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO {ROLE};
"""


@pytest.fixture
def limited_url(database_url: str) -> Iterator[str]:
    """The database, in which every connection from now on has a role that owns nothing."""
    with psycopg.connect(database_url, autocommit=True) as owner:
        owner.execute(f"CREATE ROLE {ROLE}")
        owner.execute(GRANTS)
        owner.execute(f'ALTER DATABASE "{owner.info.dbname}" SET role = {ROLE}')
        yield database_url
        owner.execute(f"DROP OWNED BY {ROLE}")
        owner.execute(f"DROP ROLE {ROLE}")


async def test_a_role_that_owns_no_table_opens_decides_and_reports(
    limited_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with running_harness(tmp_path, limited_url, monkeypatch) as harness:
        assert [row["current_user"] for row in harness.rows("SELECT current_user")] == [ROLE]
        deployment, _ = await harness.open_gate("order")
        await harness.approve(MINA.id, deployment)
        assert await harness.reported(deployment) == ["Succeeded"]


async def test_it_cannot_change_the_tables(limited_url: str) -> None:
    with (
        psycopg.connect(limited_url) as connection,
        pytest.raises(psycopg.errors.InsufficientPrivilege),
    ):
        connection.execute("ALTER TABLE audit_events DISABLE TRIGGER ALL")
