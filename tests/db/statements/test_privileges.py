"""The runtime role may do with each table what the service's statements need, and no more.

Postgres itself says what a statement needs: it checks the privileges of every table before EXPLAIN shows a plan.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from sqlalchemy import create_engine

from app.db.embedded.postgres import EmbeddedPostgres
from app.db.engine import sqlalchemy_url
from app.db.privileges import RUNTIME_PRIVILEGES
from app.db.runtime_role import grant_runtime_privileges
from tests.conftest import TEMPLATE
from tests.db.statements.history import fill_history
from tests.db.statements.statement_cases import Values, for_driver, go_live, statements


@dataclass(frozen=True)
class BoundStatement:
    """One statement as the driver gets it."""

    name: str
    sql: bytes
    values: dict[str, Any]

    def refusal(self, connection: psycopg.Connection) -> str:
        """What Postgres says against it for want of a privilege; empty where the role may run it."""
        try:
            with connection.transaction(force_rollback=True):
                connection.execute(b"EXPLAIN " + self.sql, self.values)
        except psycopg.errors.InsufficientPrivilege as exc:
            return f"{self.name}: {exc}"
        return ""


@pytest.fixture(scope="module")
def connection(postgres: EmbeddedPostgres) -> Iterator[psycopg.Connection]:
    """To a database with a runtime role that has its grants."""
    role, name = f"runtime_{uuid4().hex}", f"privileges_{uuid4().hex}"
    url = postgres.create_database(name, template=TEMPLATE)
    engine = create_engine(sqlalchemy_url(url))
    with engine.begin() as owner:
        owner.exec_driver_sql(f"CREATE ROLE {role}")
        grant_runtime_privileges(owner, role)
    engine.dispose()
    fill_history(url, switches=2000, now=datetime.now(UTC), events=3)
    go_live(url, now=datetime.now(UTC))
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(f"SELECT set_config('test.runtime', '{role}', false)")
        yield connection
        connection.execute(f"DROP OWNED BY {role}")
        connection.execute(f"DROP ROLE {role}")


@pytest.fixture(scope="module")
def cases(connection: psycopg.Connection) -> list[BoundStatement]:
    """Every statement of `app.db`, with values."""
    values = Values(_url(connection), now=datetime.now(UTC))
    return [
        BoundStatement(name, *for_driver(statement, values.of(name, statement)))
        for name, statement in statements()
    ]


def _url(connection: psycopg.Connection) -> str:
    info = connection.info
    return f"postgresql://{info.user}@/{info.dbname}?host={info.host}"


def _role(connection: psycopg.Connection) -> str:
    row = connection.execute("SELECT current_setting('test.runtime')").fetchone()
    assert row is not None
    return str(row[0])


def test_the_runtime_role_may_run_every_statement(
    connection: psycopg.Connection, cases: list[BoundStatement]
) -> None:
    with connection.transaction(force_rollback=True):
        connection.execute(f"SET LOCAL ROLE {_role(connection)}".encode())
        refusals = [refusal for case in cases if (refusal := case.refusal(connection))]
    assert refusals == []


def test_every_privilege_is_needed_by_a_statement(
    connection: psycopg.Connection, cases: list[BoundStatement]
) -> None:
    unneeded = set()
    for table, privileges in RUNTIME_PRIVILEGES.items():
        named = re.compile(rf"\b{table}\b".encode())
        touching = [case for case in cases if named.search(case.sql)]
        for privilege in privileges:
            with connection.transaction(force_rollback=True):
                connection.execute(f"REVOKE {privilege} ON {table} FROM {_role(connection)}".encode())
                connection.execute(f"SET LOCAL ROLE {_role(connection)}".encode())
                if not any(case.refusal(connection) for case in touching):
                    unneeded.add((table, privilege))
    assert unneeded == set()
